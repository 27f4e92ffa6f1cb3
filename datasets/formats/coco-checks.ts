/** What both builders of a detection set check or count, box by box. */
import { UserError } from "../../src/pipeline/errors.js";
import type { CocoImage, Leniency, Note } from "./coco-set.js";

/** Counts what is let pass, by code, with the first place. */
export class Notes {
  readonly #notes = new Map<Note["code"], { message: string; count: number; first: string }>();

  add(code: Note["code"], message: string, record: string): void {
    const note = this.#notes.get(code);
    if (note) note.count++;
    else this.#notes.set(code, { message, count: 1, first: record });
  }

  list(): Note[] {
    return [...this.#notes].map(([code, note]) => ({ code, ...note }));
  }
}

/** The complaint about a `bbox` that is not four finite numbers. */
export function notABox(file: string, path: string, found: string): UserError {
  return new UserError({
    code: "coco-box",
    message: "not a box",
    file,
    path,
    expected: "[left, top, width, height], four finite numbers in px",
    found,
    fix: "write each box as four numbers",
  });
}

/** Refuses or counts a box of negative size. */
export function refuseNegative(
  file: string,
  record: string,
  width: number,
  height: number,
  leniency: Leniency,
  notes: Notes,
): void {
  if (!leniency.allowNegative) {
    throw new UserError({
      code: "coco-box",
      message: "a box of negative size",
      file,
      path: `${record}.bbox`,
      expected: "[left, top, width, height] with width and height of at least 0",
      found: `${width} x ${height}`,
      fix:
        "if the boxes are [x0, y0, x1, y1], subtract; or evaluate them as overlapping " +
        "nothing with --allow-negative",
    });
  }
  notes.add("negative-size", "boxes of negative size, which overlap nothing", record);
}

/**
 * Whether a box lies wholly outside its image, where the image's size is known: commonly a sign of
 * another scale or order.
 */
export function isOutside(
  image: CocoImage,
  x: number,
  y: number,
  width: number,
  height: number,
): boolean {
  return (
    (x >= image.width || y >= image.height || x + width <= 0 || y + height <= 0) &&
    image.width > 0 &&
    image.height > 0
  );
}
