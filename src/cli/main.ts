// cli/: words of the command line in; text, JSON and an exit code out. Each file of verbs/ is a
// verb, and main only dispatches; it never computes a score.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { UserError } from "../pipeline/errors.js";
import { asSystemError } from "../pipeline/system-errors.js";
import { installedAsPackage, projectRoot } from "../pipeline/root.js";
import { ExitCode } from "./exit-code.js";
import { Interrupted, sayInterrupted } from "./interrupted.js";
import { printError } from "./terminal.js";
import type { Verb } from "./verb.js";

/**
 * The verbs, loaded when called, so that `shitu eval coco` pays for neither ONNX Runtime nor sharp.
 */
const verbs: Readonly<Record<string, { summary: string; load: () => Promise<{ verb: Verb }> }>> = {
  cache: {
    summary: "Describe or empty the cache of detections and embeddings.",
    load: () => import("./verbs/cache.js"),
  },
  choose: {
    summary: "Choose an index, with parameters, for your vectors and your limits.",
    load: () => import("./verbs/choose.js"),
  },
  compare: {
    summary: "Compare two records on the same items: paired tests and flipped cases.",
    load: () => import("./verbs/compare.js"),
  },
  datasets: {
    summary: "List, describe or prepare data sets.",
    load: () => import("./verbs/datasets.js"),
  },
  diagnose: {
    summary: "Find where an export parts from the last one: stages, usual mistakes, layers.",
    load: () => import("./verbs/diagnose.js"),
  },
  export: {
    summary: "Write a table of the paper with ours beside it: Markdown, CSV, LaTeX or JSON.",
    load: () => import("./verbs/export.js"),
  },
  gallery: {
    summary: "Build, extend, shrink or describe a gallery.",
    load: () => import("./verbs/gallery.js"),
  },
  gate: {
    summary: "Judge a new export against the last one, in the task's terms.",
    load: () => import("./verbs/gate.js"),
  },
  import: {
    summary: "Take a PaddlePaddle model in, as downloaded: ONNX, card and report.",
    load: () => import("./verbs/import.js"),
  },
  inspect: {
    summary: "Say what an ONNX model is; check a card against it, or draft one.",
    load: () => import("./verbs/inspect.js"),
  },
  lint: {
    summary: "Check gallery, query and training lists for what makes numbers misleading.",
    load: () => import("./verbs/lint.js"),
  },
  list: { summary: "List the records of past runs.", load: () => import("./verbs/list.js") },
  networks: {
    summary: "List the paper's networks with what they cost, or build one with drawn weights.",
    load: () => import("./verbs/networks.js"),
  },
  recognize: {
    summary: "Recognise what is in pictures.",
    load: () => import("./verbs/recognize.js"),
  },
  report: {
    summary: "Build the report site of the run records and serve it.",
    load: () => import("./verbs/report.js"),
  },
  reproduce: {
    summary: "Run the paper's tables and print each beside the paper's.",
    load: () => import("./verbs/reproduce.js"),
  },
  run: {
    summary: "Run an experiment config and write its record.",
    load: () => import("./verbs/run.js"),
  },
  show: { summary: "Show one record.", load: () => import("./verbs/show.js") },
  verify: {
    summary: "Check that a config still gives the values that it expects.",
    load: () => import("./verbs/verify.js"),
  },
  doctor: {
    summary: "Say what is there, what is missing, and how to mend it.",
    load: () => import("./verbs/doctor.js"),
  },
  eval: {
    summary:
      "Score predictions that are already on disk: detection (coco), retrieval, end-to-end " +
      "F1 (f1).",
    load: () => import("./verbs/eval.js"),
  },
};

/** A verb's module. The npm package leaves out what renders data sets and builds reports. */
async function loaded(name: string, load: () => Promise<{ verb: Verb }>): Promise<{ verb: Verb }> {
  try {
    return await load();
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND";
    if (!missing || !installedAsPackage) throw error;
    throw new UserError({
      code: "not-in-package",
      message: `shitu ${name} needs more than the npm package holds`,
      fix: "run it in a clone of the repository",
    });
  }
}

/**
 * Runs one command line; resolves to the exit code: 0 fine, 1 below the bar, 2 the user's input is
 * wrong, 3 our fault.
 */
export async function main(args: readonly string[]): Promise<number> {
  const { version } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8")) as {
    version: string;
  };
  const program = new Command("shitu")
    .description(
      "Evaluate and benchmark PP-ShiTu image recognition: detection, feature extraction, " +
        "vector search.",
    )
    .version(version)
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => {
        write(text.replace(/^error: /, "shitu: "));
      },
    })
    .showHelpAfterError("Run with --help for the usage.");
  const asked = args.find((a) => !a.startsWith("-")) ?? "";
  const json = args.includes("--json");
  // A verb that fails its bar says so through process.exitCode.
  process.exitCode = ExitCode.ok;
  try {
    for (const [name, { summary, load }] of Object.entries(verbs)) {
      const command = program.command(name).description(summary);
      if (asked === name || (asked === "help" && args.includes(name)))
        (await loaded(name, load)).verb.build(command);
    }
    await program.parseAsync(args, { from: "user" });
    return process.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? ExitCode.ok : ExitCode.input;
    }
    if (error instanceof Interrupted) {
      sayInterrupted("nothing was changed");
      return process.exitCode;
    }
    const known = error instanceof UserError ? error : asSystemError(error);
    printError(known ?? error, { json });
    return known ? ExitCode.input : ExitCode.fault;
  }
}
