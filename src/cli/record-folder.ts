import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Case } from "../eval/record/case.js";
import { readCases } from "../eval/record/cases.js";
import type { LoadedRecord } from "../eval/compare/compare-records.js";
import { runsFolder } from "../eval/config/paths.js";
import {
  listRecords,
  readRecord,
  type RecordEntry,
  type RunRecord,
} from "../eval/record/record.js";
import { UserError } from "../pipeline/errors.js";

/**
 * The folder of a record that the command line names: by path, by id, or by experiment (its newest
 * record; a committed one where there is no own). `NAME@1` is the one before the newest, and so on.
 */
export async function recordFolder(name: string, runs?: string): Promise<string> {
  const root = runsFolder(runs);
  for (const folder of [name, join(root, name), join(root, "reference", name)])
    if (existsSync(join(folder, "run.json"))) return folder;
  const known = await allRecords(runs);
  const [, experiment = name, back = "0"] = /^(.+)@(\d+)$/.exec(name) ?? [];
  const runsOf = known.filter(({ record }) => record.experiment.name === experiment);
  const chosen = runsOf[Number(back)];
  if (chosen) return chosen.folder;
  if (runsOf.length > 0) throw tooFarBack(name, experiment, runsOf.length);
  throw new UserError({
    code: "no-such-record",
    message: "no record of this name",
    file: root,
    expected:
      known
        .slice(0, 5)
        .map(({ record }) => record.id)
        .join(", ") || "a record",
    found: name,
    fix: "shitu list shows the records; a folder or an experiment's name will do, too",
  });
}

function tooFarBack(name: string, experiment: string, there: number): UserError {
  const older = there > 1 ? `to ${experiment}@${there - 1}` : "alone";
  return new UserError({
    code: "no-such-record",
    message: `there are not so many records of ${experiment}`,
    expected: `${experiment} (the newest) ${older}`,
    found: name,
    fix: "shitu list shows the records; run the experiment again for another one",
  });
}

/** A record with its cases. */
export async function loadRecord(
  name: string,
  runs?: string,
): Promise<LoadedRecord & { folder: string }> {
  const folder = await recordFolder(name, runs);
  const record = await readRecord(folder);
  return { folder, record, cases: readCases(join(folder, "cases.arrow")) };
}

/** The cases of a record, read when they are asked for; none where it has none. */
export function casesOfFolder(folder: string): () => Case[] {
  const file = join(folder, "cases.arrow");
  return () => (existsSync(file) ? readCases(file) : []);
}

/** Every record that can be read, the newest first, committed ones last. */
export async function allRecords(runs?: string): Promise<{ folder: string; record: RunRecord }[]> {
  return (await allEntries(runs)).flatMap((e) => ("record" in e ? [e] : []));
}

/** The same with the broken ones; `reference` marks those that were committed. */
export async function allEntries(runs?: string): Promise<(RecordEntry & { reference: boolean })[]> {
  const root = runsFolder(runs);
  const of = async (folder: string, reference: boolean) =>
    (await listRecords(folder)).map((entry) => ({ ...entry, reference }));
  return [...(await of(root, false)), ...(await of(join(root, "reference"), true))];
}
