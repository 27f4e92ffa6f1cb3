import type { CocoDetections, CocoTruth } from "../../datasets/formats/coco-set.js";
import type { Case } from "../../src/eval/record/cases.js";
import { explainErrors } from "../../src/eval/metrics/coco/coco-errors.js";
import type { ErrorTypes } from "../analysis/record-view.js";

type Box = readonly unknown[];

/**
 * What a detection cell loses by type of error, from the boxes of its cases. A record keeps the 20
 * surest boxes of a picture, so AP50 is a little below the cell's own; cases without labels count
 * as one class, as in an agnostic evaluation.
 *
 * @returns null where the cases hold no boxes to judge
 */
export function errorTypesOf(cases: readonly Case[]): ErrorTypes | null {
  const pictures = cases.flatMap((row) => {
    const boxes = parsed(row.boxes);
    return boxes === null ? [] : [boxes];
  });
  const truths = pictures.flatMap(({ truth }, image) => truth.map((box) => ({ image, box })));
  const found = pictures.flatMap(({ found: list }, image) => list.map((box) => ({ image, box })));
  if (truths.length === 0) return null;
  const label = (box: Box, at: number): string => (typeof box[at] === "string" ? box[at] : "");
  const labelled =
    truths.every(({ box }) => label(box, 4) !== "") &&
    found.every(({ box }) => label(box, 5) !== "") &&
    found.some(({ box }) => truths.some((t) => label(t.box, 4) === label(box, 5)));
  const names = labelled
    ? [
        ...new Set([
          ...truths.map(({ box }) => label(box, 4)),
          ...found.map(({ box }) => label(box, 5)),
        ]),
      ]
    : ["object"];
  const place = new Map(names.map((name, i) => [name, i]));
  const category = (box: Box, at: number): number => (labelled ? place.get(label(box, at))! : 0);
  const corners = (rows: readonly { readonly box: Box }[]): Float64Array =>
    Float64Array.from(
      rows.flatMap(({ box }) => {
        const [x0, y0, x1, y1] = box as readonly number[];
        return [x0!, y0!, x1! - x0!, y1! - y0!];
      }),
    );
  const box = corners(truths);
  const truth: CocoTruth = {
    images: pictures.map((_, id) => ({ id, width: 0, height: 0, fileName: null })),
    categories: names.map((name, id) => ({ id, name })),
    image: Int32Array.from(truths, (t) => t.image),
    category: Int32Array.from(truths, (t) => category(t.box, 4)),
    box,
    area: Float64Array.from(truths, (_, g) => box[4 * g + 2]! * box[4 * g + 3]!),
    crowd: new Uint8Array(truths.length),
    ignore: new Uint8Array(truths.length),
    id: Float64Array.from(truths, (_, g) => g + 1),
    notes: [],
  };
  const detections: CocoDetections = {
    image: Int32Array.from(found, (d) => d.image),
    category: Int32Array.from(found, (d) => category(d.box, 5)),
    box: corners(found),
    score: Float64Array.from(found, (d) => d.box[4] as number),
    notes: [],
  };
  const { ap, errors } = explainErrors(truth, detections);
  return {
    pictures: pictures.length,
    objects: truths.length,
    ap50: ap.value,
    classes: names.length,
    types: errors.map(({ type, count, deltaAp }) => ({ type, count, loss: deltaAp.value })),
  };
}

function parsed(json: string | null): { truth: Box[]; found: Box[] } | null {
  if (json === null) return null;
  try {
    const value = JSON.parse(json) as { truth?: unknown; found?: unknown };
    const boxes = (list: unknown, numbers: number): Box[] =>
      Array.isArray(list)
        ? list.filter(
            (row): row is Box =>
              Array.isArray(row) &&
              row.slice(0, numbers).every((x) => typeof x === "number" && Number.isFinite(x)),
          )
        : [];
    return { truth: boxes(value.truth, 4), found: boxes(value.found, 5) };
  } catch {
    return null;
  }
}
