import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { writeAtomic } from "../src/pipeline/atomic-file.js";
import { casesFromArrow, casesToArrow } from "../src/eval/record/cases.js";
import { samplesFromArrow, samplesToArrow } from "../src/eval/record/samples.js";

/**
 * Writes the cases and samples of records again in today's form: `tsx bench/save-records-again.ts
 * runs/reference`. What is written is read back and compared with what was there; scores are not
 * touched.
 */
const [runs] = process.argv.slice(2);
if (runs === undefined) throw new Error("usage: tsx bench/save-records-again.ts RECORDS");
const folders = (await readdir(runs, { withFileTypes: true })).filter((e) => e.isDirectory());
for (const { name } of folders) {
  const folder = join(runs, name);
  await saveAgain(join(folder, "cases.arrow"), casesFromArrow, casesToArrow);
  await saveAgain(join(folder, "samples.arrow"), samplesFromArrow, samplesToArrow);
}

async function saveAgain<T>(
  file: string,
  read: (bytes: Uint8Array) => T,
  write: (held: T) => Uint8Array,
): Promise<void> {
  const before = await readFile(file);
  const held = read(before);
  const bytes = write(held);
  if (!isDeepStrictEqual(read(bytes), held)) throw new Error(`${file} reads otherwise afterwards`);
  await writeAtomic(file, bytes);
  console.log(`${file}: ${before.length} -> ${bytes.length} bytes`);
}
