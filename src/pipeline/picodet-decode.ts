import type { Suppression } from "./card.js";
import { multiClassNms } from "./multiclass-nms.js";
import type { Level, Roles } from "./picodet-form.js";
import type { Detection } from "./types.js";

/** One output of a run: float32 contents and dimensions. */
export interface Output {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

export interface DecodeContext {
  /** Network pixels per picture pixel, across and down, as float32: the `scale_factor` that PaddleDetection feeds. */
  readonly scaleX: number;
  readonly scaleY: number;
  readonly suppression: Suppression;
}

/** The model computed something that is no detection. The message says what. */
export class OutputError extends Error {
  override readonly name = "OutputError";
}

/**
 * Boxes in pixels of the picture, not clipped, the best score first, from the outputs of any export form.
 * @throws OutputError where an output has the wrong dimensions or holds NaN.
 */
export function decodeOutputs(roles: Roles, output: (name: string) => Output, count: (name: string) => number | null, context: DecodeContext): Detection[] {
  switch (roles.form) {
    case "nms-inside":
      return fromRows(output(roles.boxes), roles.count === null ? null : count(roles.count));
    case "decoded":
      return fromDecoded(output(roles.boxes), output(roles.scores), roles.classFirst, context);
    case "raw":
      return fromRaw(roles.levels, roles.classes, output, context);
  }
}

/** Form a: [class, score, x0, y0, x1, y1] rows. A class of -1 is Paddle's way to say that there is none. */
function fromRows({ data, dims }: Output, count: number | null): Detection[] {
  if (data.length % 6 !== 0) throw new OutputError(`boxes of shape [${dims.join(", ")}], expected [N, 6]`);
  const rows = Math.min(data.length / 6, count ?? Infinity);
  const found: Detection[] = [];
  for (let i = 0; i < rows; i++) {
    const [classId, score, x0, y0, x1, y1] = data.subarray(i * 6, i * 6 + 6) as unknown as [number, number, number, number, number, number];
    if (Number.isNaN(score + x0 + y0 + x1 + y1)) throw new OutputError(`NaN in box ${i}`);
    if (classId >= 0) found.push({ box: { x0, y0, x1, y1 }, score, classId });
  }
  return found.sort((a, b) => b.score - a.score);
}

/** Form b: boxes [1, A, 4] in network pixels with scores [1, C, A] (or [1, A, C]). */
function fromDecoded(boxes: Output, scores: Output, classFirst: boolean, context: DecodeContext): Detection[] {
  const anchors = boxes.data.length / 4;
  const classes = scores.data.length / anchors;
  if (!Number.isInteger(anchors) || !Number.isInteger(classes)) {
    throw new OutputError(`boxes of shape [${boxes.dims.join(", ")}] with scores of shape [${scores.dims.join(", ")}], expected [1, A, 4] and [1, C, A]`);
  }
  const byClass = new Float32Array(scores.data.length);
  if (classFirst) byClass.set(scores.data);
  else transpose(scores.data, anchors, classes, byClass, 0, anchors);
  return suppressed(boxes.data.slice(), byClass, context);
}

/**
 * Form c: a cell's four distances to the sides of its box are the expected bin of a softmax over the bins, times the stride
 * (Generalized Focal Loss, Li et al. 2020, equation 3), from the cell's centre (i + 0.5) x stride.
 */
function fromRaw(levels: readonly Level[], classes: number, output: (name: string) => Output, context: DecodeContext): Detection[] {
  const anchors = levels.reduce((sum, { columns, rows }) => sum + columns * rows, 0);
  const boxes = new Float32Array(anchors * 4);
  const byClass = new Float32Array(anchors * classes);
  let first = 0;
  for (const level of levels) {
    const scores = output(level.scores);
    const distances = output(level.distances);
    const cells = level.columns * level.rows;
    if (scores.data.length !== cells * classes || distances.data.length !== cells * 4 * level.bins) {
      throw new OutputError(`stride ${level.stride}: scores of shape [${scores.dims.join(", ")}], distances of shape [${distances.dims.join(", ")}], expected ${cells} cells`);
    }
    transpose(scores.data, cells, classes, byClass, first, anchors);
    for (let cell = 0; cell < cells; cell++) {
      // Most cells are background in all classes: their boxes stay zero, as nobody will look at them.
      if (isCandidate(scores.data, cell * classes, classes, context.suppression.scoreThreshold)) decodeCell(distances.data, cell, level, boxes, (first + cell) * 4);
    }
    first += cells;
  }
  return suppressed(boxes, byClass, context);
}

function isCandidate(scores: Float32Array, from: number, classes: number, threshold: number): boolean {
  const least = Math.fround(threshold);
  for (let i = from; i < from + classes; i++) if (scores[i]! > least) return true;
  return false;
}

/** Corners of one cell's box in network pixels. */
function decodeCell(logits: Float32Array, cell: number, { stride, columns, bins }: Level, boxes: Float32Array, to: number): void {
  const x = ((cell % columns) + 0.5) * stride;
  const y = (Math.floor(cell / columns) + 0.5) * stride;
  const from = cell * 4 * bins;
  boxes[to] = x - expectedBin(logits, from, bins) * stride;
  boxes[to + 1] = y - expectedBin(logits, from + bins, bins) * stride;
  boxes[to + 2] = x + expectedBin(logits, from + 2 * bins, bins) * stride;
  boxes[to + 3] = y + expectedBin(logits, from + 3 * bins, bins) * stride;
}

/** The mean bin under a softmax of the logits. */
function expectedBin(logits: Float32Array, from: number, bins: number): number {
  let highest = -Infinity;
  for (let bin = 0; bin < bins; bin++) highest = Math.max(highest, logits[from + bin]!);
  let sum = 0;
  let weighted = 0;
  for (let bin = 0; bin < bins; bin++) {
    const weight = Math.exp(logits[from + bin]! - highest);
    sum += weight;
    weighted += weight * bin;
  }
  return weighted / sum;
}

/** [cells, classes] into columns `first` and on of [classes, anchors]. */
function transpose(from: Float32Array, cells: number, classes: number, into: Float32Array, first: number, anchors: number): void {
  for (let classId = 0; classId < classes; classId++) {
    for (let cell = 0; cell < cells; cell++) into[classId * anchors + first + cell] = from[cell * classes + classId]!;
  }
}

/** Scales boxes to the picture, in place and before suppression as PaddleDetection does, and suppresses. */
function suppressed(boxes: Float32Array, scores: Float32Array, { scaleX, scaleY, suppression }: DecodeContext): Detection[] {
  for (let i = 0; i < boxes.length; i++) boxes[i] = boxes[i]! / (i % 2 === 0 ? scaleX : scaleY);
  if (scores.some(Number.isNaN)) throw new OutputError("NaN in the scores");
  const { scoreThreshold, iou, candidates, keep } = suppression;
  const rows = multiClassNms(boxes, scores, { scoreThreshold, iouThreshold: iou, topK: candidates, keepTopK: keep, normalized: true });
  return rows.sort((a, b) => b.score - a.score).map(({ classId, score, row }) => {
    const [x0, y0, x1, y1] = boxes.subarray(row * 4, row * 4 + 4) as unknown as [number, number, number, number];
    if (Number.isNaN(x0 + y0 + x1 + y1)) throw new OutputError(`NaN in box ${row}`);
    return { box: { x0, y0, x1, y1 }, score, classId };
  });
}
