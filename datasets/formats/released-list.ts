import { stat } from "node:fs/promises";
import { readClassFolders } from "./class-folders.js";
import { isCsvListHeader, readCsvList } from "./csv-list.js";
import { isInshopHeader, readInshop } from "./inshop.js";
import { readList, type ImageList, type ListOptions } from "./paddleclas-list.js";
import { isSopHeader, readSop } from "./sop.js";
import { csvListReader } from "./csv-lists.js";
import { readLines } from "./text-lines.js";
import { isVeriWildList, readVeriWild } from "./veri-wild.js";

/**
 * Reads a list in whichever form it has, told by its first lines: the original releases of Stanford
 * Online Products, In-shop, VeRI-Wild, Products-10k, Google Landmarks v2 and ImageNet, csv with a
 * header, else PaddleClas's. In-shop keeps train, query and gallery in one file: `part` says which
 * is meant. A folder is a list, too: it has a folder a class.
 *
 * @throws UserError what the reader of that form throws.
 */
export async function readListPart(
  file: string,
  part: "train" | "query" | "gallery",
  options: ListOptions = {},
): Promise<ImageList> {
  if (await isFolder(file)) return readClassFolders(file);
  const lines = await readLines(file, "list-encoding");
  if (isSopHeader(lines))
    return { file, delimiter: "space", columns: 3, rows: await readSop(file) };
  if (isInshopHeader(lines))
    return { file, delimiter: "space", columns: 2, rows: (await readInshop(file))[part] };
  if (isVeriWildList(lines))
    return { file, delimiter: "space", columns: 3, rows: await readVeriWild(file) };
  const csv = csvListReader(lines);
  if (csv) return { file, delimiter: "space", columns: 2, rows: await csv(file) };
  if (isCsvListHeader(lines)) return readCsvList(file);
  return readList(file, options);
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() === true;
}
