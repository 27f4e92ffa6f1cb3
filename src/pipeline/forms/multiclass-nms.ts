/** The constants of PicoDet's exports (`nms` of `PicoHead` in PaddleDetection). */
export interface MultiClassNmsSettings {
  /** Scores must be above this. */
  readonly scoreThreshold: number;
  /** A box goes where its IoU with a better one of its class is above this. */
  readonly iouThreshold: number;
  /** Best boxes of a class that are looked at; -1 for all. */
  readonly topK: number;
  /** Best boxes over all classes that stay; -1 for all. */
  readonly keepTopK: number;
  /** Coordinates are continuous; otherwise the corners count as pixels of the box (width + 1). */
  readonly normalized: boolean;
}

export const picodetNms: MultiClassNmsSettings = {
  scoreThreshold: 0.025,
  iouThreshold: 0.6,
  topK: 1000,
  keepTopK: 100,
  normalized: true,
};

/** One detection that stayed: `row` is its box's place. */
export interface NmsRow {
  readonly classId: number;
  readonly score: number;
  readonly row: number;
}

/**
 * Paddle's `multiclass_nms` (paddle/phi/kernels/cpu/multiclass_nms3_kernel.cc, with nms_eta = 1 and
 * no background class), in float32 as there: suppression within each class, then the best
 * `keepTopK` over all classes. Equal scores keep the order of their boxes.
 *
 * @param boxes A rows of x0, y0, x1, y1.
 * @param scores C rows of A scores.
 * @returns rows by class, each class's best first, as Paddle orders its output.
 * @throws RangeError where the sizes do not fit together.
 */
export function multiClassNms(
  boxes: Float32Array,
  scores: Float32Array,
  settings: MultiClassNmsSettings = picodetNms,
): NmsRow[] {
  const count = boxes.length / 4;
  if (!Number.isInteger(count) || (count === 0 ? scores.length > 0 : scores.length % count !== 0)) {
    throw new RangeError(`${scores.length} scores do not fit ${boxes.length} box coordinates`);
  }
  const classes = count === 0 ? 0 : scores.length / count;
  const kept: NmsRow[] = [];
  for (let classId = 0; classId < classes; classId++) {
    for (const row of nmsOfClass(boxes, scores, classId * count, count, settings)) {
      kept.push({ classId, score: scores[classId * count + row]!, row });
    }
  }
  if (settings.keepTopK < 0 || kept.length <= settings.keepTopK) return kept;
  // Array.prototype.sort is stable, as is Paddle's sort: ties stay in order of class, then of rank
  // within it.
  const best = [...kept].sort((a, b) => b.score - a.score).slice(0, settings.keepTopK);
  return best.sort((a, b) => a.classId - b.classId);
}

function nmsOfClass(
  boxes: Float32Array,
  scores: Float32Array,
  start: number,
  count: number,
  settings: MultiClassNmsSettings,
): number[] {
  const least = Math.fround(settings.scoreThreshold);
  const most = Math.fround(settings.iouThreshold);
  let queue: number[] = [];
  for (let i = 0; i < count; i++) if (scores[start + i]! > least) queue.push(i);
  queue.sort((i, j) => scores[start + j]! - scores[start + i]! || i - j);
  if (settings.topK >= 0) queue = queue.slice(0, settings.topK);
  const kept: number[] = [];
  for (const i of queue) {
    if (kept.every((k) => overlap(boxes, i, k, settings.normalized) <= most)) kept.push(i);
  }
  return kept;
}

/**
 * `JaccardOverlap` of Paddle: boxes apart share nothing, even where the +1 of unnormalised
 * coordinates would make them touch.
 */
function overlap(boxes: Float32Array, i: number, j: number, normalized: boolean): number {
  const f = Math.fround;
  const [a, b] = [i * 4, j * 4];
  if (
    boxes[b]! > boxes[a + 2]! ||
    boxes[b + 2]! < boxes[a]! ||
    boxes[b + 1]! > boxes[a + 3]! ||
    boxes[b + 3]! < boxes[a + 1]!
  )
    return 0;
  const more = normalized ? 0 : 1;
  const width = f(
    f(Math.min(boxes[a + 2]!, boxes[b + 2]!) - Math.max(boxes[a]!, boxes[b]!)) + more,
  );
  const height = f(
    f(Math.min(boxes[a + 3]!, boxes[b + 3]!) - Math.max(boxes[a + 1]!, boxes[b + 1]!)) + more,
  );
  const shared = f(width * height);
  return f(shared / f(f(boxArea(boxes, a, more) + boxArea(boxes, b, more)) - shared));
}

function boxArea(boxes: Float32Array, at: number, more: number): number {
  const f = Math.fround;
  const width = f(boxes[at + 2]! - boxes[at]!);
  const height = f(boxes[at + 3]! - boxes[at + 1]!);
  return width < 0 || height < 0 ? 0 : f(f(width + more) * f(height + more));
}
