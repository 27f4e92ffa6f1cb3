import type { Case } from "../../src/eval/record/case.js";
import { explainErrors } from "../../src/eval/metrics/coco/coco-errors.js";
import { caseDetections } from "../../src/eval/paper/case-detections.js";
import type { ErrorTypes } from "../analysis/record-view.js";

/**
 * What a detection cell loses by type of error, from the boxes of its cases.
 *
 * @returns null where the cases hold no boxes to judge
 */
export function errorTypesOf(cases: readonly Case[]): ErrorTypes | null {
  const pictures = cases.filter(({ boxes }) => boxes !== null);
  const boxes = caseDetections(pictures);
  if (boxes === null) return null;
  const { ap, errors } = explainErrors(boxes.truth, boxes.detections);
  return {
    pictures: pictures.length,
    objects: boxes.truth.image.length,
    ap50: ap.value,
    classes: boxes.truth.categories.length,
    types: errors.map(({ type, count, deltaAp }) => ({ type, count, loss: deltaAp.value })),
  };
}
