import type { Detection } from "../types.js";
import {
  OutputError,
  shown,
  type DecodeContext,
  type DetectorForm,
  type FormContext,
  type FormOutput,
  type FormRoles,
  type Output,
  type Recognised,
  type RunOutputs,
} from "./detector-form.js";
import { gridOfAnchors } from "./yolo-grid.js";

export interface QueriesRoles extends FormRoles {
  readonly form: "queries";
  /** Boxes and scores, or both side by side in one output. */
  readonly boxes: string;
  readonly scores: string;
  readonly classes: number;
  readonly width: number;
  readonly height: number;
}

/** More queries than any DETR has: beyond, rows are cells of a grid. */
const mostQueries = 1000;

/**
 * Queries of RT-DETR and its kin: boxes [B, Q, 4] (middle and size as shares of the input) beside
 * scores [B, Q, C], or both as [B, Q, 4 + C], and nothing to suppress: each query and class above
 * the threshold is a box, the best `keep` stay (`RTDETRPostProcessor`, `RTDETRPredictor` of
 * Ultralytics). Scores beyond 0 and 1 are logits.
 */
export const queries: DetectorForm<QueriesRoles> = {
  name: "queries",
  letter: "q",
  recognise,
  decode,
};

function recognise(outputs: readonly FormOutput[], context: FormContext): Recognised<QueriesRoles> {
  const list = outputs.map(shown).join(", ");
  const { width, height } = context;
  if (outputs.length > 2 || outputs.some((o) => o.shape?.length !== 3))
    return { refusal: `${list}: not one or two outputs of three dimensions` };
  const count = outputs[0]?.shape?.[1];
  if (typeof count !== "number" || count > mostQueries || isGrid(count, context))
    return { refusal: `${list}: not at most ${mostQueries} queries` };
  const boxes = outputs.length === 1 ? outputs[0]! : outputs.find((o) => o.shape![2] === 4);
  const scores = outputs.length === 1 ? boxes : outputs.find((o) => o !== boxes);
  const last = scores?.shape?.[2];
  const classes = typeof last === "number" ? last - (outputs.length === 1 ? 4 : 0) : 0;
  if (!boxes || !scores || classes < 1 || [boxes, scores].some((o) => o.shape![1] !== count))
    return { refusal: `${list}: not a box and C scores for each of ${count} queries` };
  if (width === undefined || height === undefined)
    return { refusal: `${list}: the input's size is open, and boxes are shares of it` };
  return {
    roles: { form: "queries", boxes: boxes.name, scores: scores.name, classes, width, height },
    why: [
      `${count} rows are no grid of the input: they are queries, as RT-DETR's`,
      `${shown(boxes)} holds boxes as shares of the input, ${scores.name} ${classes} classes`,
    ],
    warnings: [],
  };
}

/** Whether so many rows are the cells of YOLO's strides, or of PicoDet's. */
function isGrid(count: number, context: FormContext): boolean {
  const { width, height, strides = [] } = context;
  if (width === undefined || height === undefined) return true;
  const cells = strides.reduce((n, s) => n + Math.ceil(width / s) * Math.ceil(height / s), 0);
  return count === cells || gridOfAnchors(count, context) !== null;
}

function decode(roles: QueriesRoles, { output }: RunOutputs, context: DecodeContext): Detection[] {
  const { classes, width, height } = roles;
  const together = roles.boxes === roles.scores;
  const boxes = output(roles.boxes);
  const scores = output(roles.scores);
  const [boxWidth, scoreWidth] = together ? [4 + classes, 4 + classes] : [4, classes];
  const count = boxes.data.length / boxWidth;
  if (!Number.isInteger(count) || scores.data.length !== count * scoreWidth)
    throw new OutputError(`${shape(boxes)} and ${shape(scores)}, expected as many rows in both`);
  const score = likelihoods(scores.data, { count, classes, scoreWidth, from: together ? 4 : 0 });
  const { scaleX, scaleY, suppression } = context;
  const least = Math.fround(suppression.scoreThreshold);
  const found: Detection[] = [];
  for (let q = 0; q < count; q++) {
    const [x, y, w, h] = boxes.data.subarray(q * boxWidth, q * boxWidth + 4) as unknown as Four;
    for (let classId = 0; classId < classes; classId++) {
      const own = score(q, classId);
      if (Number.isNaN(own)) throw new OutputError("NaN in the scores");
      if (!(own > least)) continue;
      if (Number.isNaN(x + y + w + h)) throw new OutputError(`NaN in box ${q}`);
      const box = {
        x0: ((x - w / 2) * width) / scaleX,
        y0: ((y - h / 2) * height) / scaleY,
        x1: ((x + w / 2) * width) / scaleX,
        y1: ((y + h / 2) * height) / scaleY,
      };
      found.push({ box, score: own, classId });
    }
  }
  return found.sort((a, b) => b.score - a.score).slice(0, suppression.keep);
}

type Four = readonly [number, number, number, number];

/** Scores as they are where all lie within 0 and 1, else through the logistic function. */
function likelihoods(
  data: Float32Array,
  at: { count: number; classes: number; scoreWidth: number; from: number },
): (query: number, classId: number) => number {
  const { count, classes, scoreWidth, from } = at;
  const of = (q: number, c: number): number => data[q * scoreWidth + from + c]!;
  for (let q = 0; q < count; q++)
    for (let c = 0; c < classes; c++)
      if (of(q, c) < 0 || of(q, c) > 1) return (i, j) => 1 / (1 + Math.exp(-of(i, j)));
  return of;
}

function shape({ dims }: Output): string {
  return `[${dims.join(", ")}]`;
}
