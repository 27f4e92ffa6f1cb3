import { diagnose, type Check } from "../diagnosis.js";
import { ExitCode } from "../exit-code.js";
import { colour, print, printJson, table } from "../terminal.js";
import type { Verb } from "../verb.js";

export const verb: Verb = {
  build(command) {
    command
      .description(
        "Say what is there, what is missing, and the fix for each problem. Exit code 2 where " +
          "something needed is missing.",
      )
      .option("--json", "machine output")
      .action(doctor);
  },
};

async function doctor({ json }: { json?: boolean }): Promise<void> {
  const checks = await diagnose();
  const faults = checks.filter((c) => c.state === "fault");
  if (json) printJson({ healthy: faults.length === 0, checks });
  else printChecks(checks, faults.length);
  if (faults.length > 0) process.exitCode = ExitCode.input;
}

function printChecks(checks: readonly Check[], faults: number): void {
  print(
    table(
      [{ head: "" }, { head: "what" }, { head: "found" }],
      checks.map((c) => [c.state === "ok" ? "ok" : c.state, c.name, c.found]),
    ),
  );
  const problems = checks.filter((c) => c.fix !== null);
  if (problems.length > 0) print("");
  for (const { name, state, fix } of problems)
    print(`${state === "fault" ? colour.red("fault") : colour.yellow("warning")} ${name}: ${fix}`);
  print(
    faults > 0
      ? `\n${faults} thing${faults > 1 ? "s" : ""} needed ${faults > 1 ? "are" : "is"} missing`
      : "\nall that is needed is there",
  );
}
