import type { Suppression } from "../model/card.js";
import { multiClassNms } from "./multiclass-nms.js";
import type { Level, Roles } from "../model/picodet-form.js";
import type { Detection } from "../types.js";

/** One output of a run: float32 contents and dimensions. */
export interface Output {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

export interface DecodeContext {
  /**
   * Network pixels per picture pixel, across and down, as float32: the `scale_factor` that
   * PaddleDetection feeds.
   */
  readonly scaleX: number;
  readonly scaleY: number;
  readonly suppression: Suppression;
}

/** The model computed something that is no detection. The message says what. */
export class OutputError extends Error {
  override readonly name = "OutputError";
}

/**
 * Boxes in pixels of the picture, not clipped, the best score first, from the outputs of any export
 * form.
 * @throws OutputError where an output has the wrong dimensions or holds NaN.
 */
export function decodeOutputs(
  roles: Roles,
  output: (name: string) => Output,
  count: (name: string) => number | null,
  context: DecodeContext,
): Detection[] {
  switch (roles.form) {
    case "nms-inside":
      return fromRows(output(roles.boxes), roles.count === null ? null : count(roles.count));
    case "decoded":
      return fromDecoded(output(roles.boxes), output(roles.scores), roles.classFirst, context);
    case "raw":
      return fromRaw(roles.levels, roles.classes, output, context);
  }
}

/**
 * Form a: [class, score, x0, y0, x1, y1] rows. A class of -1 is Paddle's way to say that there is
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

/** Form b: boxes [1, A, 4] in network pixels with scores [1, C, A] (or [1, A, C]). */
function fromDecoded(
  boxes: Output,
  scores: Output,
  classFirst: boolean,
  context: DecodeContext,
): Detection[] {
  const anchors = boxes.data.length / 4;
  const classes = scores.data.length / anchors;
  if (!Number.isInteger(anchors) || !Number.isInteger(classes)) {
    throw new OutputError(
      `boxes of shape [${boxes.dims.join(", ")}] with scores of shape ` +
        `[${scores.dims.join(", ")}], expected [1, A, 4] and [1, C, A]`,
    );
  }
  const layout: ScoreLayout = classFirst
    ? { data: scores.data, anchors, classes, perAnchor: 1, perClass: anchors }
    : { data: scores.data, anchors, classes, perAnchor: classes, perClass: 1 };
  const places = candidates(layout, context.suppression.scoreThreshold);
  const found = new Pool(places.length, classes);
  places.forEach((anchor, at) => {
    found.boxes.set(boxes.data.subarray(anchor * 4, anchor * 4 + 4), at * 4);
    found.takeScores(layout, anchor, at);
  });
  return suppressed(found, context);
}

/**
 * Form c: a cell's four distances to the sides of its box are the expected bin of a softmax over
 * the bins, times the stride (Generalized Focal Loss, Li et al. 2020, equation 3), from the cell's
 * centre (i + 0.5) x stride.
 */
function fromRaw(
  levels: readonly Level[],
  classes: number,
  output: (name: string) => Output,
  context: DecodeContext,
): Detection[] {
  const found = levels.map((level) => {
    const scores = output(level.scores);
    const distances = output(level.distances);
    const cells = level.columns * level.rows;
    if (
      scores.data.length !== cells * classes ||
      distances.data.length !== cells * 4 * level.bins
    ) {
      throw new OutputError(
        `stride ${level.stride}: scores of shape [${scores.dims.join(", ")}], distances of ` +
          `shape [${distances.dims.join(", ")}], expected ${cells} cells`,
      );
    }
    const layout: ScoreLayout = {
      data: scores.data,
      anchors: cells,
      classes,
      perAnchor: classes,
      perClass: 1,
    };
    return {
      level,
      layout,
      distances: distances.data,
      places: candidates(layout, context.suppression.scoreThreshold),
    };
  });
  const pool = new Pool(
    found.reduce((sum, { places }) => sum + places.length, 0),
    classes,
  );
  let at = 0;
  for (const { level, layout, distances, places } of found) {
    for (const cell of places) {
      decodeCell(distances, cell, level, pool.boxes, at * 4);
      pool.takeScores(layout, cell, at++);
    }
  }
  return suppressed(pool, context);
}

/** Where the score of an anchor and a class stands: `anchor * perAnchor + class * perClass`. */
interface ScoreLayout {
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
function candidates(
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
class Pool {
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

/** Corners of one cell's box in network pixels. */
function decodeCell(
  logits: Float32Array,
  cell: number,
  { stride, columns, bins }: Level,
  boxes: Float32Array,
  to: number,
): void {
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

/**
 * Scales boxes to the picture, in place and before suppression as PaddleDetection does, and
 * suppresses.
 */
function suppressed(
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
