// What a program of this folder measured, as a dated file of bench/results: tables of raw numbers,
// what it means in sentences, and the machine. `npm run measured` makes docs/measured.md of them.
import { readdirSync, readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { collectProvenance } from "../src/eval/record/provenance.js";
import { writeAtomic } from "../src/pipeline/atomic-file.js";
import { projectRoot } from "../src/pipeline/root.js";

/** The pages of docs/methodology that results belong to. */
export const subjects = [
  "pictures",
  "preprocessing",
  "models",
  "detection",
  "retrieval",
  "end-to-end",
  "search-engines",
  "intervals",
  "latency",
  "experiments",
  "reports",
  "embedded-benchmark",
] as const;

/** How a column's numbers are meant and shown: `share` is kept as a ratio and shown in percent. */
const units = ["text", "ms", "s", "ratio", "share", "bytes", "count"] as const;

const word = "([A-Z]?[a-z]+[0-9]*|[A-Z]?[0-9]+|[A-Z]+)";
const titleWords = new RegExp(`^${word}([ -]${word})*$`);

const interval = z.strictObject({
  value: z.number(),
  /** Low and high end of the 95% interval. */
  ci: z.tuple([z.number(), z.number()]).nullable(),
});
const cell = z.union([z.string(), z.number(), interval, z.null()]);

const tableSchema = z.strictObject({
  caption: z.string().optional(),
  columns: z.array(z.strictObject({ head: z.string(), unit: z.enum(units) })).min(1),
  rows: z.array(z.array(cell)),
});

const resultSchema = z
  .strictObject({
    schema: z.literal(1),
    name: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/),
    /** Words without capitals inside, whose anchor is the same wherever the page is shown. */
    title: z.string().regex(titleWords),
    subject: z.enum(subjects),
    /** What makes these figures, as typed; null where no program for it was kept. */
    command: z.string().min(1).nullable(),
    /** Day of the measurement, UTC. */
    date: z.iso.date(),
    /** `transcribed`: figures that were written by hand into a page, before there were records. */
    source: z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("measured"), commit: z.string().nullable() }),
      z.strictObject({ kind: z.literal("transcribed"), from: z.string(), commit: z.string() }),
    ]),
    /** Everything known of the machine, or, where it was transcribed, the words of the page. */
    machine: z.union([z.record(z.string(), z.unknown()), z.strictObject({ told: z.string() })]),
    versions: z.record(z.string(), z.string()),
    /** Load averages over one minute before and after; null where they were not noted. */
    load: z.strictObject({ before: z.number(), after: z.number() }).nullable(),
    findings: z.array(z.string()),
    tables: z.array(tableSchema),
  })
  .refine(
    ({ tables }) => tables.every((t) => t.rows.every((row) => row.length === t.columns.length)),
    "a row has as many cells as its table has columns",
  );

export type BenchResult = z.infer<typeof resultSchema>;
export type BenchTable = z.infer<typeof tableSchema>;
export type BenchCell = z.infer<typeof cell>;

export type Measured = Pick<BenchResult, "name" | "title" | "subject" | "findings" | "tables"> & {
  /** Versions of what was measured beside the tool, such as a peer's. */
  readonly versions?: Readonly<Record<string, string>>;
  /** Where a child process measures: what was typed, by `commandLine`. */
  readonly command?: string;
};

const loadBefore = loadavg()[0]!;

/**
 * Writes what was measured to bench/results/DATE-NAME.json (SHITU_BENCH_RESULTS: another folder);
 * a second run of a day takes the place of the first. Returns the file.
 */
export async function writeResult(measured: Measured): Promise<string> {
  const { commit, machine, versions } = await collectProvenance();
  const date = new Date().toISOString().slice(0, 10);
  const result: BenchResult = {
    schema: 1,
    name: measured.name,
    title: measured.title,
    subject: measured.subject,
    command: measured.command ?? commandLine(process.argv),
    date,
    source: { kind: "measured", commit },
    machine: machine as Record<string, unknown>,
    versions: { ...versions, ...measured.versions },
    load: { before: loadBefore, after: loadavg()[0]! },
    findings: measured.findings,
    tables: measured.tables,
  };
  const file = join(resultsFolder(), `${date}-${measured.name}.json`);
  await writeAtomic(file, `${JSON.stringify(resultSchema.parse(result), null, 2)}\n`);
  process.stderr.write(`written: ${file}\n`);
  return file;
}

/** The newest result of each name; a file that is none is named and refused. */
export function readResults(folder: string = resultsFolder()): BenchResult[] {
  const newest = new Map<string, BenchResult>();
  for (const name of readdirSync(folder).sort()) {
    if (!name.endsWith(".json")) continue;
    const parsed = resultSchema.safeParse(JSON.parse(readFileSync(join(folder, name), "utf8")));
    if (!parsed.success) throw new Error(`${name}: ${z.prettifyError(parsed.error)}`);
    const result = parsed.data;
    if (name !== `${result.date}-${result.name}.json`)
      throw new Error(`${name} holds ${result.name} of ${result.date}`);
    // Names begin with the date: a later one is newer.
    newest.set(result.name, result);
  }
  return [...newest.values()];
}

function resultsFolder(): string {
  return process.env.SHITU_BENCH_RESULTS ?? join(projectRoot, "bench", "results");
}

/** `npx tsx bench/search.ts --placements 8`: folders of this machine are left out. */
export function commandLine([, program = "", ...args]: readonly string[]): string {
  const shown = args.map((arg) => (/^[/~]|^\.\.|^[A-Za-z]:\\/.test(arg) ? "FOLDER" : arg));
  return ["npx tsx", `bench/${program.split(/[\\/]/).at(-1)!}`, ...shown].join(" ");
}
