import type { Detection } from "../types.js";
import {
  OutputError,
  shown,
  type DetectorForm,
  type FormOutput,
  type FormRoles,
  type Output,
  type Recognised,
} from "./detector-form.js";

export interface NmsInsideRoles extends FormRoles {
  readonly form: "nms-inside";
  readonly boxes: string;
  readonly count: string | null;
  readonly classes: null;
}

/** Boxes [N, 6] in pixels of the picture, and maybe a count: nothing is left to do. */
export const nmsInside: DetectorForm<NmsInsideRoles> = {
  name: "nms-inside",
  letter: "a",
  recognise,
  decode: ({ boxes, count }, outputs) =>
    fromRows(outputs.output(boxes), count === null ? null : outputs.count(count)),
};

function recognise(outputs: readonly FormOutput[]): Recognised<NmsInsideRoles> {
  const rows = outputs.filter((o) => o.shape?.length === 2 && o.shape[1] === 6);
  const [boxes] = rows;
  if (boxes === undefined || rows.length > 1)
    return { refusal: `${outputs.map(shown).join(", ")}: not one output [N, 6]` };
  const others = outputs.filter((o) => o !== boxes);
  const counts = others.filter((o) => o.shape === null || o.shape.length <= 1);
  if (others.length > counts.length || counts.length > 1)
    return {
      refusal:
        `${shown(boxes)} looks like suppressed boxes, but ${others.map(shown).join(", ")} has no ` +
        "place beside it",
    };
  const [count] = counts;
  const declared = boxes.shape![0];
  return {
    roles: { form: "nms-inside", boxes: boxes.name, count: count?.name ?? null, classes: null },
    why: [
      `${shown(boxes)}: rows of 6 numbers are [class, score, x0, y0, x1, y1], so suppression ` +
        "is inside the graph",
      count
        ? `${shown(count)} is the number of boxes`
        : "there is no count beside it: every row is taken",
    ],
    warnings:
      typeof declared === "number" && declared > 1
        ? [
            `${boxes.name} is declared with ${declared} rows, but suppression decides how ` +
              "many there are",
          ]
        : [],
  };
}

/**
 * [class, score, x0, y0, x1, y1] rows. A class of -1 is Paddle's way to say that there is
 * none.
 */
function fromRows({ data, dims }: Output, count: number | null): Detection[] {
  if (data.length % 6 !== 0)
    throw new OutputError(`boxes of shape [${dims.join(", ")}], expected [N, 6]`);
  const rows = Math.min(data.length / 6, count ?? Infinity);
  const found: Detection[] = [];
  for (let i = 0, at = 0; i < rows; i++, at += 6) {
    const classId = data[at]!;
    const score = data[at + 1]!;
    const x0 = data[at + 2]!;
    const y0 = data[at + 3]!;
    const x1 = data[at + 4]!;
    const y1 = data[at + 5]!;
    if (Number.isNaN(score + x0 + y0 + x1 + y1)) throw new OutputError(`NaN in box ${i}`);
    if (classId >= 0) found.push({ box: { x0, y0, x1, y1 }, score, classId });
  }
  return bestFirst(found);
}

/**
 * Sorted in place, where it is not as exports give it: a comparison by a callback costs more than
 * reading a row.
 */
function bestFirst(found: Detection[]): Detection[] {
  for (let i = 1; i < found.length; i++)
    if (found[i]!.score > found[i - 1]!.score) return found.sort((a, b) => b.score - a.score);
  return found;
}
