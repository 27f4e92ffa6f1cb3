import { readLines } from "./text-lines.js";

/**
 * Reads the names of a data set's classes, one a line in order of their numbers, with or without
 * the number before them (PaddleClas's `imagenet1k_label_list.txt`: `0 tench, Tinca tinca`).
 *
 * @throws UserError what `readLines` throws.
 */
export async function readClassList(file: string): Promise<string[]> {
  const lines = (await readLines(file, "list-encoding")).map(({ text }) => text);
  const numbered = lines.map((line) => /^(\d+)[\s:,]+(.+)$/.exec(line));
  const first = Number(numbered[0]?.[1]);
  const inOrder = numbered.every((m, i) => m !== null && Number(m[1]) === first + i);
  return inOrder ? numbered.map((m) => m![2]!.trim()) : lines;
}
