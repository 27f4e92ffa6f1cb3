import { loadConfig } from "../../eval/config/config.js";
import { checkExpectations, type Checked } from "../../eval/compare/expectations.js";
import { readRecord } from "../../eval/record/record.js";
import { UserError } from "../../pipeline/errors.js";
import { ExitCode } from "../exit-code.js";
import { runWithProgress } from "../experiment-run.js";
import { Interrupted, sayInterrupted } from "../interrupted.js";
import { recordFolder } from "../record-folder.js";
import { bytes, ms, print, printJson, table } from "../terminal.js";
import type { Verb } from "../verb.js";

interface Options {
  set: string[];
  record?: string;
  runs?: string;
  cache?: string;
  resume?: boolean;
  json?: boolean;
}

export const verb: Verb = {
  build(command) {
    command
      .description(
        "Run a config, or take a record of it, and check the values that the config expects; " +
          "exit code 1 where one is missed.",
      )
      .argument("<config.yaml>", "experiment config with expect entries")
      .option("--record <id>", "check this record, and run nothing")
      .option(
        "--set <a.b=value>",
        "change a value of the config; may be given often",
        (v: string, all: string[]) => [...all, v],
        [] as string[],
      )
      .option("--runs <folder>", "where records are (default: runs/, or SHITU_RUNS)")
      .option(
        "--cache <folder>",
        "where observations are cached (default: .cache/observations, or SHITU_CACHE)",
      )
      .option("--resume", "go on with a run that was cut off")
      .option("--json", "machine output")
      .action(verify);
  },
};

async function verify(
  file: string,
  { set, record: given, json, ...settings }: Options,
): Promise<void> {
  const loaded = await loadConfig(file, set);
  const { expect, name } = loaded.config;
  if (expect.length === 0)
    throw new UserError({
      code: "expect-missing",
      message: "the config expects nothing, so nothing could be verified",
      file,
      path: "expect",
      fix:
        "write what you expect: - { cell: { model: …, dataset: … }, metric: recall@1, " +
        "value: 0.85, tolerance: 0.02 }",
    });
  try {
    const record =
      given === undefined
        ? (await runWithProgress(loaded, settings)).record
        : await readRecord(await recordFolder(given, settings.runs));
    if (record.experiment.name !== name)
      throw new UserError({
        code: "record-of-another",
        message: "the record is of another experiment",
        file,
        path: "name",
        expected: name,
        found: record.experiment.name,
        fix: "give a record of this config, or leave --record out",
      });
    const checked = checkExpectations(expect, record, file);
    const missed = checked.filter((c) => c.verdict !== "within").length;
    if (json) printJson({ record: record.id, missed, checked });
    else {
      print(
        table(
          [
            { head: "cell" },
            { head: "metric" },
            { head: "expected", align: "right" },
            { head: "found", align: "right" },
            { head: "verdict" },
          ],
          checked.map(row),
        ),
      );
      print(
        `\n${checked.length - missed} of ${checked.length} within their tolerances (record ` +
          `${record.id})`,
      );
    }
    if (missed > 0) process.exitCode = ExitCode.belowBar;
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    sayInterrupted();
  }
}

function row({
  cell,
  metric,
  of,
  unit,
  expected,
  tolerance,
  found,
  verdict,
  why,
}: Checked): (string | null)[] {
  const one = (v: number): string =>
    unit === "bytes"
      ? `${v} B (${bytes(v)})`
      : unit === "ms"
        ? ms(v)
        : String(Number(v.toPrecision(6)));
  return [
    Object.values(cell).join(" "),
    [metric, ...Object.values(of)].join(" "),
    `${one(expected)} ± ${tolerance}`,
    found === null ? null : one(found),
    why === null ? verdict : `${verdict}: ${why}`,
  ];
}
