import { UserError } from "../../src/pipeline/errors.js";
import type { ListRow } from "./paddleclas-list.js";
import { readLines, type Line } from "./text-lines.js";

const columns = "image_id class_id super_class_id path";

/** Whether a file's first lines are those of this form. */
export function isSopHeader([header]: readonly Line[]): boolean {
  return header?.text.split(/\s+/).join(" ") === columns;
}

/**
 * Reads `Ebay_test.txt` or `Ebay_train.txt` of Stanford Online Products as released: a header
 * `image_id class_id super_class_id path`, then one picture a line. Label = class_id, uid =
 * image_id, so that query = gallery leaves out each picture itself.
 *
 * Source: Oh Song et al., "Deep Metric Learning via Lifted Structured Feature Embedding" (CVPR
 * 2016), the release's text files.
 *
 * @throws UserError `sop-header`, `sop-line` (names the line), and what `readLines` throws.
 */
export async function readSop(file: string): Promise<ListRow[]> {
  const all = await readLines(file, "list-encoding");
  if (!isSopHeader(all)) {
    throw new UserError({
      code: "sop-header",
      message: "not a Stanford Online Products list",
      file,
      path: "line 1",
      expected: columns,
      found: all[0]?.text.slice(0, 80) ?? "nothing",
      fix: "use Ebay_test.txt of the original release, or read it as a PaddleClas list",
    });
  }
  return all.slice(1).map(({ text, number }) => {
    const [uid, label, , path, ...more] = text.split(/\s+/);
    if (path === undefined || more.length > 0 || !/^\d+$/.test(uid!) || !/^\d+$/.test(label!)) {
      throw new UserError({
        code: "sop-line",
        message: "not a line of this list",
        file,
        path: `line ${number}`,
        expected: columns,
        found: text.slice(0, 80),
        fix: "restore the line from the release",
      });
    }
    return { path, label: label!, uid: uid!, line: number };
  });
}
