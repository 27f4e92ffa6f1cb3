import type { CocoDetections, CocoTruth } from "../../../datasets/formats/coco-set.js";
import type { Case, CaseCorners } from "../record/case.js";

/** Boxes of a record's cases as a set to evaluate. */
export interface CaseDetections {
  readonly truth: CocoTruth;
  readonly detections: CocoDetections;
}

/**
 * The true and found boxes of pictures, a picture a case, in their order. A record keeps the 20
 * surest boxes of a picture, so AP is a little below the cell's own; cases without labels are of
 * one class, as in an agnostic evaluation.
 *
 * @returns null where no case holds a true box
 */
export function caseDetections(cases: readonly Pick<Case, "boxes">[]): CaseDetections | null {
  const truths = cases.flatMap(({ boxes }, image) =>
    (boxes?.truth ?? []).map((box) => ({ image, box })),
  );
  const found = cases.flatMap(({ boxes }, image) =>
    (boxes?.found ?? []).map((box) => ({ image, box })),
  );
  if (truths.length === 0) return null;
  const names = classNames(truths.map(label), found.map(label));
  const place = new Map(names?.map((name, i) => [name, i]));
  const category = (of: Boxed): number => place.get(label(of)) ?? 0;
  const box = corners(truths);
  return {
    truth: {
      images: cases.map((_, id) => ({ id, width: 0, height: 0, fileName: null })),
      categories: (names ?? ["object"]).map((name, id) => ({ id, name })),
      image: Int32Array.from(truths, (t) => t.image),
      category: Int32Array.from(truths, category),
      box,
      area: Float64Array.from(truths, (_, g) => box[4 * g + 2]! * box[4 * g + 3]!),
      crowd: new Uint8Array(truths.length),
      ignore: new Uint8Array(truths.length),
      id: Float64Array.from(truths, (_, g) => g + 1),
      notes: [],
    },
    detections: {
      image: Int32Array.from(found, (d) => d.image),
      category: Int32Array.from(found, category),
      box: corners(found),
      score: Float64Array.from(found, (d) => d.box.score),
      notes: [],
    },
  };
}

interface Boxed {
  readonly box: { readonly label: string | null };
}

function label({ box }: Boxed): string {
  return box.label ?? "";
}

/** Null where boxes lack labels, or found ones have none that is true anywhere. */
function classNames(truths: readonly string[], found: readonly string[]): string[] | null {
  const labels = new Set(truths);
  const labelled =
    !labels.has("") && found.every((f) => f !== "") && found.some((f) => labels.has(f));
  return labelled ? [...new Set([...truths, ...found])] : null;
}

function corners(rows: readonly { readonly box: CaseCorners }[]): Float64Array {
  return Float64Array.from(
    rows.flatMap(({ box: { x0, y0, x1, y1 } }) => [x0, y0, x1 - x0, y1 - y0]),
  );
}
