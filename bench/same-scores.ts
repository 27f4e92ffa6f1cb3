import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { readRecord, type RunRecord } from "../src/eval/record/record.js";

/**
 * Compares the scores of two folders of records, to the last bit: `tsx bench/same-scores.ts A B`.
 * Times are left out with `--but-times`. Exit code 1 where any differs or is missing.
 */

type Scores = ReadonlyMap<string, string>;

function scoresOf(record: RunRecord, butTimes: boolean): Scores {
  const scores = record.cells.flatMap((cell) =>
    cell.state === "failed"
      ? [[cell.id, cell.code] as const]
      : cell.scores
          .filter(({ unit }) => !butTimes || (unit !== "ms" && unit !== "per-second"))
          .map((score) => {
            const { metric, of, ...measured } = score;
            return [JSON.stringify([cell.id, metric, of]), JSON.stringify(measured)] as const;
          }),
  );
  return new Map(scores);
}

function differences(before: Scores, after: Scores): string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names]
    .filter((name) => before.get(name) !== after.get(name))
    .map((name) => `${name}: ${before.get(name) ?? "none"} -> ${after.get(name) ?? "none"}`);
}

const arguments_ = process.argv.slice(2);
const butTimes = arguments_.includes("--but-times");
const [first, second] = arguments_.filter((a) => !a.startsWith("--"));
if (first === undefined || second === undefined)
  throw new Error("usage: tsx bench/same-scores.ts RECORDS-A RECORDS-B [--but-times]");
const folders = (await readdir(first, { withFileTypes: true })).filter((e) => e.isDirectory());
let [compared, differing] = [0, 0];
for (const { name } of folders) {
  const before = scoresOf(await readRecord(join(first, name)), butTimes);
  const after = scoresOf(await readRecord(join(second, name)), butTimes);
  const found = differences(before, after);
  for (const line of found) console.log(`${name} ${line}`);
  compared += before.size;
  differing += found.length;
}
console.log(`${folders.length} records, ${compared} scores, ${differing} differ`);
process.exitCode = differing > 0 ? 1 : 0;
