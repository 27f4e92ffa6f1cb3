import type { Detection } from "../types.js";
import { OutputError, type DecodeContext } from "./detector-form.js";
import { multiClassNms } from "./multiclass-nms.js";

/** Where the score of an anchor and a class stands: `anchor * perAnchor + class * perClass`. */
export interface ScoreLayout {
  readonly data: Float32Array;
  readonly anchors: number;
  readonly classes: number;
  readonly perAnchor: number;
  readonly perClass: number;
}

/**
 * Anchors that have a class above the threshold: few of the thousands that there are, so that only
 * those are decoded.
 * @throws OutputError where a score is NaN.
 */
export function candidates(
  { data, anchors, classes, perAnchor, perClass }: ScoreLayout,
  threshold: number,
): number[] {
  const least = Math.fround(threshold);
  const wanted = new Uint8Array(anchors);
  // In the order of memory, whichever that is.
  const byAnchor = perClass === 1;
  const [outer, inner] = byAnchor ? [anchors, classes] : [classes, anchors];
  const step = byAnchor ? perAnchor : perClass;
  for (let i = 0; i < outer; i++) {
    for (let j = 0, at = i * step; j < inner; j++, at++) {
      const score = data[at]!;
      if (score <= least) continue;
      if (score !== score) throw new OutputError("NaN in the scores");
      wanted[byAnchor ? i : j] = 1;
    }
  }
  const places: number[] = [];
  for (let anchor = 0; anchor < anchors; anchor++) if (wanted[anchor]) places.push(anchor);
  return places;
}

/**
 * The candidates of a picture, as `multiClassNms` takes them: boxes [n, 4], scores [classes, n].
 */
export class Pool {
  readonly boxes: Float32Array;
  readonly scores: Float32Array;
  readonly #size: number;

  constructor(size: number, classes: number) {
    this.boxes = new Float32Array(size * 4);
    this.scores = new Float32Array(size * classes);
    this.#size = size;
  }

  takeScores(
    { data, classes, perAnchor, perClass }: ScoreLayout,
    anchor: number,
    to: number,
  ): void {
    for (let classId = 0; classId < classes; classId++)
      this.scores[classId * this.#size + to] = data[anchor * perAnchor + classId * perClass]!;
  }
}

/**
 * Scales boxes to the picture, in place and before suppression as PaddleDetection does, and
 * suppresses.
 */
export function suppressed(
  { boxes, scores }: Pool,
  { scaleX, scaleY, suppression }: DecodeContext,
): Detection[] {
  for (let i = 0; i < boxes.length; i++) boxes[i] = boxes[i]! / (i % 2 === 0 ? scaleX : scaleY);
  const rows = multiClassNms(boxes, scores, {
    scoreThreshold: suppression.scoreThreshold,
    iouThreshold: suppression.iou,
    topK: suppression.candidates,
    keepTopK: suppression.keep,
    normalized: true,
  });
  return rows
    .sort((a, b) => b.score - a.score)
    .map(({ classId, score, row }) => {
      const [x0, y0, x1, y1] = boxes.subarray(row * 4, row * 4 + 4) as unknown as [
        number,
        number,
        number,
        number,
      ];
      if (Number.isNaN(x0 + y0 + x1 + y1)) throw new OutputError(`NaN in box ${row}`);
      return { box: { x0, y0, x1, y1 }, score, classId };
    });
}
