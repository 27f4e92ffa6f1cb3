// record/: cells with scores, cases, curves and samples in, a folder of plain files out, and back.
// It never sees a model, and it computes no score.
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { asWriteError, writeAtomic } from "../../pipeline/atomic-file.js";
import { UserError } from "../../pipeline/errors.js";
import { protocols } from "../../pipeline/protocol.js";
import { parseValue, unreadable } from "../../pipeline/schema.js";
import { scratchBeside, sweepScratch } from "../../pipeline/scratch.js";
import { recordSchemaVersion, upgradeRecord } from "./upgrade.js";

/**
 * The one reader and writer of run records: `run.json` beside `cases.arrow` and `samples.arrow`,
 * written once and atomically.
 */

const intervalSchema = z.object({
  low: z.number(),
  high: z.number(),
  level: z.number().gt(0).lt(1),
  method: z.string(),
  /** Independent units that it rests on. */
  units: z.number().nonnegative(),
  /** Variance over that of as many independent items, where items come in clusters. */
  designEffect: z.number().positive().optional(),
});

/** How the intervals of a record were made. */
const intervalPlanSchema = z.object({
  level: z.number(),
  resamples: z.number().int(),
  imageResamples: z.number().int(),
  seed: z.union([z.string(), z.number()]),
  clusters: z.enum(["item", "label"]),
});

const scoreSchema = z.intersection(
  z.object({
    metric: z.string(),
    unit: z.enum(["ratio", "ms", "bytes", "count", "per-second"]),
    better: z.enum(["higher", "lower", "neither"]),
    /** What the score is of, beyond its cell: { stage: "detect" }, { percentile: "90" }. */
    of: z.record(z.string(), z.string()).optional(),
  }),
  z.union([
    z.object({
      value: z.number(),
      n: z.number().int().nonnegative(),
      interval: intervalSchema.nullable(),
      whyNoInterval: z.string().optional(),
    }),
    z.object({ value: z.null(), why: z.string() }),
  ]),
);

/**
 * What was found beyond numbers: the verdict of a comparison, the noise certificate of a machine.
 * Records from before them have none.
 */
const findingSchema = z.object({
  about: z.enum(["noise", "comparison", "server", "drift"]),
  /** What it is about, as in a score: { first: "server", second: "light" }. */
  of: z.record(z.string(), z.string()),
  verdict: z.string(),
  /** One sentence. */
  why: z.string(),
});

const cellHead = z.object({
  id: z.string(),
  kind: z.string(),
  /** The coordinates of the cell in its sweep: { model, dataset, index, … }, for grouping. */
  labels: z.record(z.string(), z.string()),
  /** Content hashes and versions of what was measured. */
  versions: z.record(z.string(), z.string()),
});

/** One cell of a record. */
export const cellSchema = z.intersection(
  cellHead,
  z.union([
    z.object({
      state: z.literal("completed"),
      scores: z.array(scoreSchema),
      /**
       * Items that could not be measured (an unreadable picture): in the denominators as misses,
       * and named here.
       */
      errors: z.array(z.object({ item: z.string(), code: z.string(), message: z.string() })),
      notes: z.array(z.string()),
      findings: z.array(findingSchema).optional(),
      /**
       * How the cell's model was timed, once for all cells of the run that show it: sample i is of
       * block floor(i / samplesPerBlock) and of picture i mod pictures.
       */
      timed: z
        .object({
          stage: z.string(),
          dataset: z.string(),
          pictures: z.number().int().positive(),
          samplesPerBlock: z.number().int().positive(),
        })
        .optional(),
    }),
    z.object({ state: z.literal("failed"), code: z.string(), message: z.string() }),
  ]),
);

const recordSchema = z.object({
  schema: z.literal(recordSchemaVersion),
  id: z.string(),
  state: z.enum(["completed", "failed"]),
  experiment: z.object({
    name: z.string(),
    title: z.string(),
    version: z.number().int(),
    protocol: z.enum(protocols),
    config: z.unknown(),
    configHash: z.string(),
    intervals: intervalPlanSchema,
  }),
  provenance: z.object({
    startedAt: z.string(),
    finishedAt: z.string(),
    tool: z.string(),
    commit: z.string().nullable(),
    machine: z.unknown(),
    versions: z.record(z.string(), z.string()),
  }),
  cells: z.array(cellSchema),
});

export type RecordedScore = z.infer<typeof scoreSchema>;
export type Finding = z.infer<typeof findingSchema>;
export type Cell = z.infer<typeof cellSchema>;
export type RunRecord = z.infer<typeof recordSchema>;

/** A folder under runs/ that holds a record, or what is wrong with it. */
export type RecordEntry = { readonly folder: string } & (
  { readonly record: RunRecord } | { readonly problem: string }
);

/** Reads one record. A broken one is a UserError naming file, path, what was expected and found. */
export async function readRecord(folder: string): Promise<RunRecord> {
  const file = join(folder, "run.json");
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw unreadable(file, error);
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UserError({
      code: "record-broken",
      message: `not JSON: ${(error as Error).message}`,
      file,
      fix: "remove the folder, or run the experiment again",
    });
  }
  const schema = (value as { schema?: unknown } | null)?.schema;
  if (typeof schema === "number" && (schema > recordSchemaVersion || schema < 1)) {
    throw new UserError({
      code: "record-version",
      message: "a record of another schema version",
      file,
      path: "schema",
      expected: `1 to ${recordSchemaVersion}`,
      found: String(schema),
      fix: "read it with the version that wrote it",
    });
  }
  return parseValue(upgradeRecord(value), file, recordSchema);
}

/**
 * Every record under a folder, newest first by start; broken ones are listed with their problem,
 * never skipped.
 */
export async function listRecords(folder: string): Promise<RecordEntry[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw unreadable(folder, error);
  });
  const found: RecordEntry[] = [];
  for (const entry of entries) {
    if (!entry.isDirectory() || entry.name.startsWith(".") || entry.name === "reference") continue;
    const path = join(folder, entry.name);
    try {
      found.push({ folder: path, record: await readRecord(path) });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      found.push({ folder: path, problem: error.message });
    }
  }
  const start = (e: RecordEntry): string => ("record" in e ? e.record.provenance.startedAt : "");
  return found.sort((a, b) => start(b).localeCompare(start(a)) || a.folder.localeCompare(b.folder));
}

/** `2026-01-31-first-light-1a2b3c4d`: date, experiment, and a hash that no other run shares. */
export function recordId(startedAt: string, experiment: string, configHash: string): string {
  const own = `${configHash.slice(0, 4)}${randomBytes(2).toString("hex")}`;
  return `${startedAt.slice(0, 10)}-${experiment}-${own}`;
}

/**
 * Writes a record folder whole or not at all: the files go to a hidden folder beside it, which is
 * then renamed.
 *
 * @param files further files of the record by name, such as `cases.arrow`.
 */
export async function writeRecord(
  runs: string,
  record: RunRecord,
  files: Readonly<Record<string, Uint8Array | string>>,
): Promise<string> {
  parseValue(record, "the record to be written", recordSchema);
  const folder = join(runs, record.id);
  const draft = scratchBeside(folder);
  try {
    await mkdir(draft, { recursive: true });
    await sweepScratch(runs);
    for (const [name, data] of Object.entries(files)) await writeAtomic(join(draft, name), data);
    await writeAtomic(join(draft, "run.json"), `${JSON.stringify(record, null, 1)}\n`);
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true }).catch(() => undefined);
    throw asWriteError(folder, error);
  }
  return folder;
}
