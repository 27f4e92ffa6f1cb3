import { isInshopHeader, readInshop } from "./inshop.js";
import { readList, type ImageList, type ListOptions } from "./paddleclas-list.js";
import { isSopHeader, readSop } from "./sop.js";
import { readLines } from "./text-lines.js";

/**
 * Reads a list in whichever form it has, told by its first lines: the original releases of Stanford
 * Online Products and In-shop, else PaddleClas's. In-shop keeps train, query and gallery in one
 * file: `part` says which is meant.
 *
 * @throws UserError what the reader of that form throws.
 */
export async function readListPart(
  file: string,
  part: "train" | "query" | "gallery",
  options: ListOptions = {},
): Promise<ImageList> {
  const lines = await readLines(file, "list-encoding");
  if (isSopHeader(lines))
    return { file, delimiter: "space", columns: 3, rows: await readSop(file) };
  if (isInshopHeader(lines))
    return { file, delimiter: "space", columns: 2, rows: (await readInshop(file))[part] };
  return readList(file, options);
}
