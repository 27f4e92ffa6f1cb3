import type { CocoDetections, CocoTruth } from "../../datasets/formats/coco-set.js";
import type { Case, CaseCorners } from "../../src/eval/record/case.js";
import { explainErrors } from "../../src/eval/metrics/coco/coco-errors.js";
import type { ErrorTypes } from "../analysis/record-view.js";

/**
 * What a detection cell loses by type of error, from the boxes of its cases. A record keeps the 20
 * surest boxes of a picture, so AP50 is a little below the cell's own; cases without labels count
 * as one class, as in an agnostic evaluation.
 *
 * @returns null where the cases hold no boxes to judge
 */
export function errorTypesOf(cases: readonly Case[]): ErrorTypes | null {
  const pictures = cases.flatMap(({ boxes }) => boxes ?? []);
  const truths = pictures.flatMap(({ truth }, image) => truth.map((box) => ({ image, box })));
  const found = pictures.flatMap(({ found: list }, image) => list.map((box) => ({ image, box })));
  if (truths.length === 0) return null;
  const label = ({ box }: { readonly box: { readonly label: string | null } }): string =>
    box.label ?? "";
  const labels = new Set(truths.map(label));
  const labelled =
    !labels.has("") &&
    found.every((f) => label(f) !== "") &&
    found.some((f) => labels.has(label(f)));
  const names = labelled ? [...new Set([...truths, ...found].map(label))] : ["object"];
  const place = new Map(names.map((name, i) => [name, i]));
  const category = (of: Parameters<typeof label>[0]): number =>
    labelled ? place.get(label(of))! : 0;
  const corners = (rows: readonly { readonly box: CaseCorners }[]): Float64Array =>
    Float64Array.from(rows.flatMap(({ box: { x0, y0, x1, y1 } }) => [x0, y0, x1 - x0, y1 - y0]));
  const box = corners(truths);
  const truth: CocoTruth = {
    images: pictures.map((_, id) => ({ id, width: 0, height: 0, fileName: null })),
    categories: names.map((name, id) => ({ id, name })),
    image: Int32Array.from(truths, (t) => t.image),
    category: Int32Array.from(truths, category),
    box,
    area: Float64Array.from(truths, (_, g) => box[4 * g + 2]! * box[4 * g + 3]!),
    crowd: new Uint8Array(truths.length),
    ignore: new Uint8Array(truths.length),
    id: Float64Array.from(truths, (_, g) => g + 1),
    notes: [],
  };
  const detections: CocoDetections = {
    image: Int32Array.from(found, (d) => d.image),
    category: Int32Array.from(found, category),
    box: corners(found),
    score: Float64Array.from(found, (d) => d.box.score),
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
