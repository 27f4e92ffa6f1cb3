import { existsSync } from "node:fs";
import { join } from "node:path";
import { buildFolder } from "../../../datasets/mini/prepare.js";
import { planners } from "../../../datasets/mini/render.js";
import { CellProcess } from "../../eval/run/cell-process.js";
import { loadConfig, type LoadedConfig } from "../../eval/config/config.js";
import { missingParts, type MissingPart } from "../../eval/run/missing-parts.js";
import { compareTable, type ComparedTable } from "../../eval/paper/paper-comparison.js";
import { comparedText, summarize } from "../../eval/paper/paper-summary.js";
import { readPaper, type PaperTable } from "../../eval/paper/paper-tables.js";
import type { RunRecord } from "../../eval/record/record.js";
import { Resources } from "../../eval/observe/resources.js";
import { planExperiment } from "../../eval/run/runner.js";
import { projectRoot } from "../../pipeline/root.js";
import { ExitCode } from "../exit-code.js";
import { runWithProgress, type RunSettings } from "../experiment-run.js";
import { Interrupted, sayInterrupted } from "../interrupted.js";
import { prepareMiniWithBars } from "../mini-preparation.js";
import { choice } from "../options.js";
import { legend, paperRows } from "../../eval/paper/paper-matrix.js";
import { paperTableText } from "../paper-text.js";
import { exactPart, prepareSystems } from "../true-scale.js";
import { casesOfFolder } from "../record-folder.js";
import { recordText } from "../record-text.js";
import { colour, print, printJson, table as textTable } from "../terminal.js";
import type { Verb } from "../verb.js";
import { tableOf } from "./export.js";

interface Options {
  scale: string;
  set: string[];
  runs?: string;
  cache?: string;
  fresh?: boolean;
  only?: string;
  json?: boolean;
}

export const verb: Verb = {
  build(command) {
    command
      .description(
        "Run the experiments of the paper's tables with what is there, say what is missing " +
          "and how to get it, and print each table beside the paper's.",
      )
      .argument("[tables...]", "tables, 3 to 9 (default: all that the scale has)")
      .option(
        "--scale <scale>",
        "mini: the embedded benchmark; true: the paper's networks with drawn weights; " +
          "paper: your own weights and data",
        "mini",
      )
      .option(
        "--set <a.b=value>",
        "change a value of every config, as settings.data=FOLDER; may be given often",
        (v: string, all: string[]) => [...all, v],
        [] as string[],
      )
      .option("--runs <folder>", "where records go (default: runs/, or SHITU_RUNS)")
      .option(
        "--cache <folder>",
        "where observations are cached (default: .cache/observations, or SHITU_CACHE)",
      )
      .option(
        "--only <part>",
        "exact: of --scale true what takes no timing (parameters, FLOPs, sizes)",
      )
      .option("--fresh", "throw away what a cut-off run had finished (default: go on with it)")
      .option("--json", "machine output")
      .action(reproduce);
  },
};

/** Folders of configs by the scale that they are for. */
const scales = { mini: "mini", true: "scale", paper: "paper" } as const;

/** Configs of a table beside the one of its number. */
const further: Readonly<Record<string, readonly string[]>> = { "mini 7": ["table7-flat.yaml"] };

interface Reproduced {
  readonly compared: ComparedTable;
  readonly records: readonly RunRecord[];
  readonly missing: readonly MissingPart[];
}

async function reproduce(asked: readonly string[], options: Options): Promise<void> {
  const scale = scales[choice("--scale", options.scale, ["mini", "true", "paper"])];
  const exact = options.only !== undefined && choice("--only", options.only, ["exact"]) === "exact";
  const paper = await readPaper(join(projectRoot, "configs", "paper", "tables.yaml"));
  const tables =
    asked.length > 0
      ? asked.map((text) => tableOf(paper.tables, "tables", text))
      : paper.tables.filter((t) => t.table >= 3 && existsSync(configFile(scale, t)));
  const start = performance.now();
  // One for all tables: models of several tables look at the same pictures.
  let cells = new CellProcess();
  const spent = { renderingMs: 0, loopMs: 0 };
  try {
    const placed: string[] = [];
    if (scale === "mini") await prepareWhereMissing();
    if (scale === "scale" && !exact && tables.some((t) => t.table === 9))
      placed.push(...(await prepareSystems()));
    const settings = { ...options, set: [...placed, ...options.set], exact };
    spent.renderingMs = performance.now() - start;
    const done: Reproduced[] = [];
    for (const table of tables) {
      const result = await reproduceTable(table, scale, settings, {
        cells,
        onTime: ({ loopMs }) => {
          spent.loopMs += loopMs;
        },
      });
      done.push(result);
      // Nothing of it serves the next table, and it holds networks and vectors in its memory.
      if (scale === "scale") {
        await cells.close();
        cells = new CellProcess();
      }
      if (!options.json) print(`${describe(result)}\n`);
    }
    const time = { ...spent, ms: performance.now() - start };
    if (options.json)
      printJson({
        scale,
        tables: done.map(jsonOf),
        compared: comparedText(done.map((d) => summarize(d.compared))),
        time,
      });
    else print(overview(done, time));
    if (done.every((d) => d.records.every((r) => r.cells.length === 0)))
      process.exitCode = ExitCode.input;
    // A missing file is said above and is no failed measurement; a cell that could have been
    // measured and failed is one.
    else if (
      done.some(
        (d) =>
          d.records.flatMap((r) => r.cells).filter((c) => c.state === "failed").length >
          d.missing.reduce((n, m) => n + m.cells, 0),
      )
    )
      process.exitCode = ExitCode.belowBar;
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    sayInterrupted();
  } finally {
    await cells.close();
  }
}

/**
 * Milliseconds: rendering of missing data, timing loops (which repeat their work to know it well),
 * and all.
 */
interface Spent {
  readonly renderingMs: number;
  readonly loopMs: number;
  readonly ms: number;
}

function configFile(scale: string, { table }: PaperTable): string {
  return join(projectRoot, "configs", scale, `table${table}.yaml`);
}

async function prepareWhereMissing(): Promise<void> {
  const missing = Object.keys(planners).filter(
    (name) => !existsSync(join(buildFolder, name, "outcomes.json")),
  );
  if (missing.length === 0) return;
  await prepareMiniWithBars();
}

async function reproduceTable(
  table: PaperTable,
  scale: string,
  { set, runs, cache, fresh, exact }: Options & { readonly exact: boolean },
  shared: Pick<RunSettings, "cells" | "onTime">,
): Promise<Reproduced> {
  const files = [
    configFile(scale, table),
    ...(further[`${scale} ${table.table}`] ?? []).map((name) =>
      join(projectRoot, "configs", scale, name),
    ),
  ].filter((f) => existsSync(f));
  const written: { record: RunRecord; folder: string }[] = [];
  const missing: MissingPart[] = [];
  for (const file of files) {
    const whole = await loadConfig(file, set);
    const config = exact ? exactPart(whole.config) : whole.config;
    if (config === null) continue;
    const loaded = { ...whole, config };
    const plans = await plan(loaded);
    missing.push(...missingParts(plans));
    if (plans.every((p) => p.problem)) continue;
    written.push(
      await runWithProgress(loaded, {
        ...shared,
        keepFailures: true,
        ...(runs !== undefined && { runs }),
        ...(cache !== undefined && { cache }),
        resume: fresh !== true,
        fresh: fresh === true,
      }),
    );
  }
  return {
    compared: compareTable(
      table,
      written.map(({ record, folder }) => ({
        key: record.id,
        record,
        cases: casesOfFolder(folder),
      })),
    ),
    records: written.map(({ record }) => record),
    missing,
  };
}

async function plan(loaded: LoadedConfig): Promise<Awaited<ReturnType<typeof planExperiment>>> {
  const resources = new Resources(loaded, "");
  try {
    return await planExperiment(loaded, resources);
  } finally {
    await resources.close();
  }
}

function describe({ compared, records, missing }: Reproduced): string {
  return [
    ...records.map((record) => recordText(record)),
    paperTableText(compared),
    ...(missing.length === 0 ? [] : [missingText(missing)]),
  ].join("\n\n");
}

function missingText(missing: readonly MissingPart[]): string {
  return `${colour.bold("not run for want of")}\n${textTable(
    [{ head: "missing" }, { head: "cells", align: "right" }, { head: "how to get it" }],
    missing.map((m) => [
      m.code === "file-unreadable" || m.code === "setting-missing" ? m.what : m.message,
      m.cells,
      m.howToGet,
    ]),
  )}`;
}

function overview(done: readonly Reproduced[], time: Spent): string {
  const right = { align: "right" as const };
  const rows = done.map(({ compared, missing, records }) => {
    const s = summarize(compared);
    const failed = records.flatMap((r) => r.cells).filter((c) => c.state === "failed").length;
    return [
      `Table ${compared.table.table}`,
      `${s.measured} of ${s.of}`,
      s.compared,
      s.counts.agrees,
      s.counts.differs,
      s.counts["ratio agrees"],
      s.counts["ratio differs"],
      s.counts["ratio cannot tell"],
      s.counts["not comparable"],
      s.counts["not run"],
      s.kept,
      s.reversed,
      s.undecided,
      failed,
      missing.length,
      records.map((r) => r.id).join(", "),
    ];
  });
  const counted = [
    "measured",
    "compared",
    "agree",
    "differ",
    "proportion agrees",
    "differs",
    "cannot tell",
    "not comparable",
    "not run",
    "orders kept",
    "reversed",
    "undecided",
    "failed cells",
    "missing parts",
  ];
  const numbers = counted.map((head) => ({ head, ...right }));
  const columns = [{ head: "" }, ...numbers, { head: "records" }];
  const told = comparedText(done.map(({ compared }) => summarize(compared)));
  return `${textTable(columns, rows)}\n\n${told}\n${legend}\n${timeText(time)}`;
}

function timeText({ renderingMs, loopMs, ms }: Spent): string {
  const seconds = (part: number): string => `${(part / 1000).toFixed(1)} s`;
  const rendering = renderingMs < 500 ? "" : `rendering of the data ${seconds(renderingMs)}, `;
  return (
    `${seconds(ms)}: ${rendering}timing loops ${seconds(loopMs)}, the rest ` +
    `${seconds(ms - renderingMs - loopMs)}`
  );
}

function jsonOf({ compared, records, missing }: Reproduced): unknown {
  return {
    table: compared.table.table,
    title: compared.table.title,
    records: records.map((r) => r.id),
    summary: summarize(compared),
    missing,
    cells: paperRows(compared),
    orderings: compared.orderings,
  };
}
