import { isInshopHeader, readInshop } from "./inshop.js";
import { readList, type ImageList, type ListOptions } from "./paddleclas-list.js";
import { isSopHeader, readSop } from "./sop.js";
import { csvListReader } from "./csv-lists.js";
import { readLines } from "./text-lines.js";
import { isVeriWildList, readVeriWild } from "./veri-wild.js";

/**
 * Reads a list in whichever form it has, told by its first lines: the original releases of Stanford
 * Online Products, In-shop, VeRI-Wild, Products-10k, Google Landmarks v2 and ImageNet, else
 * PaddleClas's. In-shop keeps train, query and gallery in one file: `part` says which is meant.
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
  if (isVeriWildList(lines))
    return { file, delimiter: "space", columns: 3, rows: await readVeriWild(file) };
  const csv = csvListReader(lines);
  if (csv) return { file, delimiter: "space", columns: 2, rows: await csv(file) };
  return readList(file, options);
}
