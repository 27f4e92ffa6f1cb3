import { UserError } from "../../src/pipeline/errors.js";
import type { ListRow } from "./paddleclas-list.js";
import { readLines, type Line } from "./text-lines.js";

export interface Inshop {
  readonly train: readonly ListRow[];
  readonly query: readonly ListRow[];
  readonly gallery: readonly ListRow[];
}

const columns = "image_name item_id evaluation_status";

/** Whether a file's first lines are those of this form. */
export function isInshopHeader([count, header]: readonly Line[]): boolean {
  return (
    count !== undefined &&
    /^\d+$/.test(count.text) &&
    header?.text.split(/\s+/).join(" ") === columns
  );
}

/**
 * Reads `list_eval_partition.txt` of DeepFashion's In-shop Clothes Retrieval as released: the
 * number of pictures, the header `image_name item_id evaluation_status`, then padded columns with
 * status train, query or gallery. Label = item_id.
 *
 * Source: Liu et al., "DeepFashion" (CVPR 2016), the benchmark's evaluation files.
 *
 * @throws UserError `inshop-header`, `inshop-line` (names the line), `inshop-count` where the first
 * line's count is wrong.
 */
export async function readInshop(file: string): Promise<Inshop> {
  const all = await readLines(file, "list-encoding");
  const [count, header, ...lines] = all;
  if (!isInshopHeader(all)) {
    throw new UserError({
      code: "inshop-header",
      message: "not an In-shop partition list",
      file,
      path: "lines 1 and 2",
      expected: `the number of pictures, then ${columns}`,
      found: [count?.text ?? "nothing", header?.text ?? "nothing"].join(" / ").slice(0, 100),
      fix: "use list_eval_partition.txt of the original release, or read it as a PaddleClas list",
    });
  }
  const parts = { train: [] as ListRow[], query: [] as ListRow[], gallery: [] as ListRow[] };
  for (const { text, number } of lines) {
    const [path, label, status, ...more] = text.split(/\s+/);
    if (
      label === undefined ||
      status === undefined ||
      more.length > 0 ||
      !(status === "train" || status === "query" || status === "gallery")
    ) {
      throw new UserError({
        code: "inshop-line",
        message: "not a line of this list",
        file,
        path: `line ${number}`,
        expected: `${columns} with status train, query or gallery`,
        found: text.slice(0, 80),
        fix: "restore the line from the release",
      });
    }
    parts[status].push({ path: path!, label, line: number });
  }
  if (lines.length !== Number(count!.text)) {
    throw new UserError({
      code: "inshop-count",
      message: "the list is cut short or has lines too many",
      file,
      path: "line 1",
      expected: `${count!.text} pictures`,
      found: `${lines.length}`,
      fix: "download it again",
    });
  }
  return parts;
}
