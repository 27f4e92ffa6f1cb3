import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { UserError } from "../pipeline/errors.js";
import { projectRoot } from "../pipeline/root.js";
import { ExitCode } from "./exit-code.js";
import { printError } from "./terminal.js";
import type { Verb } from "./verb.js";

/** The verbs, loaded when called, so that `shitu eval coco` pays for neither ONNX Runtime nor sharp. */
const verbs: Readonly<Record<string, { summary: string; load: () => Promise<{ verb: Verb }> }>> = {
  eval: { summary: "Score predictions that are already on disk: detection (coco), retrieval.", load: () => import("./verbs/eval.js") },
};

/** Runs one command line; resolves to the exit code: 0 fine, 1 below the bar, 2 the user's input is wrong, 3 our fault. */
export async function main(args: readonly string[]): Promise<number> {
  const { version } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8")) as { version: string };
  const program = new Command("shitu")
    .description("Evaluate and benchmark PP-ShiTu image recognition: detection, feature extraction, vector search.")
    .version(version)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => { write(text.replace(/^error: /, "shitu: ")); } })
    .showHelpAfterError("Run with --help for the usage.");
  const asked = args.find((a) => !a.startsWith("-")) ?? "";
  for (const [name, { summary, load }] of Object.entries(verbs)) {
    const command = program.command(name).description(summary);
    if (asked === name || (asked === "help" && args.includes(name))) (await load()).verb.build(command);
  }
  const json = args.includes("--json");
  let code: number = ExitCode.ok;
  try {
    program.hook("postAction", () => { code = Number(process.exitCode ?? ExitCode.ok); });
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? ExitCode.ok : ExitCode.input;
    }
    printError(error, { json });
    return error instanceof UserError ? ExitCode.input : ExitCode.fault;
  }
}
