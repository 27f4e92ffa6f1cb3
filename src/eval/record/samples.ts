import * as aq from "arquero";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { arrowFile, countType, realType, textType, typed } from "./arrow-columns.js";
import { UserError } from "../../pipeline/errors.js";
import { unreadable } from "../../pipeline/schema.js";

/**
 * The samples of a record: by cell and name, each list in the order in which it was taken.
 * Milliseconds, but for names that `unitOfSamples` calls bytes.
 */
export type Samples = Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;

/** Memory is sampled in bytes, all else is time. */
export function unitOfSamples(name: string): "ms" | "bytes" {
  return name.endsWith("-memory") ? "bytes" : "ms";
}

/**
 * `samples.arrow`: one row a sample, in columns cell, name, unit, place (from 0 in its list) and
 * value.
 */
export function samplesToArrow(samples: Samples): Uint8Array {
  const lists = Object.entries(samples).flatMap(([cell, by]) =>
    Object.entries(by).map(([name, list]) => ({ cell, name, list })),
  );
  const column = <T>(of: (l: (typeof lists)[number], place: number) => T): T[] =>
    lists.flatMap((l) => l.list.map((_, place) => of(l, place)));
  return arrowFile({
    cell: typed(
      textType,
      column((l) => l.cell),
    ),
    name: typed(
      textType,
      column((l) => l.name),
    ),
    unit: typed(
      textType,
      column((l) => unitOfSamples(l.name)),
    ),
    place: typed(
      countType,
      column((_, place) => place),
    ),
    value: typed(
      realType,
      column((l, place) => l.list[place]!),
    ),
  });
}

/** Reads them back. */
export function samplesFromArrow(bytes: Uint8Array): Samples {
  const samples: Record<string, Record<string, number[]>> = {};
  for (const { cell, name, place, value } of aq.fromArrow(bytes).objects() as {
    cell: string;
    name: string;
    place: number;
    value: number;
  }[]) {
    ((samples[cell] ??= {})[name] ??= [])[place] = value;
  }
  return samples;
}

/**
 * The samples of a record's folder: `samples.arrow`, or the `samples.json` of records from before
 * it; none where there is neither.
 *
 * @throws UserError `record-broken` where the file is not what its name says.
 */
export async function readSamples(folder: string): Promise<Samples> {
  const [arrow, json] = [join(folder, "samples.arrow"), join(folder, "samples.json")];
  const file = existsSync(arrow) ? arrow : existsSync(json) ? json : null;
  if (file === null) return {};
  const bytes = await readFile(file).catch((error: unknown) => {
    throw unreadable(file, error);
  });
  try {
    return file === arrow
      ? samplesFromArrow(bytes)
      : (JSON.parse(bytes.toString("utf8")) as Samples);
  } catch (error) {
    throw new UserError({
      code: "record-broken",
      message: `its samples cannot be read: ${(error as Error).message}`,
      file,
      fix: "run the experiment again",
    });
  }
}
