import { join } from "node:path";
import { UserError } from "../../src/pipeline/errors.js";
import { readLines } from "../formats/text-lines.js";
import type { Cut, CutLists } from "./crops.js";

/** Where the release lies below the data folder; crops and lists go beside it. */
export const cartoonFolder = "iCartoonFace";
const faces = "icartoonface_rectest_info.txt";
export const cartoonImages = "personai_icartoonface_rectest/icartoonface_rectest";

/** The class of faces of nobody, which only distract. */
const nobody = "-1";

/**
 * iCartoonFace's recognition test as released: `picture x1 y1 x2 y2 class` a line. The first face
 * of each character is in the gallery, all further ones ask; faces of nobody are in the gallery.
 *
 * @throws UserError `face-line` where a line is not that.
 */
export async function cartoonCuts(data: string): Promise<CutLists> {
  const file = join(data, cartoonFolder, faces);
  const seen = new Set<string>();
  const gallery: Cut[] = [];
  const query: Cut[] = [];
  for (const { text, number } of await readLines(file, "list-encoding")) {
    const [picture = "", ...rest] = text.split(/\s+/);
    const [x0, y0, x1, y1] = rest.slice(0, 4).map(Number);
    const label = rest[4];
    const ordered = x1! > x0! && y1! > y0!;
    if (label === undefined || rest.length > 5 || !ordered) throw faceLine(file, number, text);
    const part = label === nobody || !seen.has(label) ? gallery : query;
    if (label !== nobody) seen.add(label);
    const crop = `rectest-crop/${picture.replace(/\.[^./]+$/, "")}-${number}.jpg`;
    const box = { x0: x0!, y0: y0!, x1: x1!, y1: y1! };
    part.push({ picture, box, label: label === nobody ? `nobody ${number}` : label, crop });
  }
  return { "gallery.txt": gallery, "query.txt": query };
}

function faceLine(file: string, line: number, text: string): UserError {
  return new UserError({
    code: "face-line",
    message: "not a face of the recognition test",
    file,
    path: `line ${line}`,
    expected: "picture x1 y1 x2 y2 class, with x1 < x2 and y1 < y2",
    found: text.slice(0, 80),
    fix: "restore the line from the release",
  });
}
