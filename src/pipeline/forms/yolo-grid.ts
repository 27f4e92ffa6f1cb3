import type { Dimension } from "../onnx/read-model.js";
import type { FormContext } from "./detector-form.js";

/** One level of the grid that YOLO's anchor-free heads answer on. */
export interface GridLevel {
  readonly stride: number;
  readonly columns: number;
  readonly rows: number;
}

const strides = [8, 16, 32];
/** Of 128 px: fewer rows are something else, as the 84 numbers of a query of COCO's. */
const fewestAnchors = 336;

/**
 * The levels whose cells are so many rows, from the fine to the coarse: of the input's size where
 * it is known, else of a square one, whose cells are 21 times a square (4, 2 and 1 squared). Null
 * where no such grid has as many.
 */
export function gridOfAnchors(
  anchors: Dimension | undefined,
  { width, height }: FormContext,
): readonly GridLevel[] | null {
  if (typeof anchors !== "number" || anchors === 0) return null;
  const side = anchors < fewestAnchors ? NaN : 32 * Math.sqrt(anchors / 21);
  const [w, h] = [width ?? side, height ?? side];
  if (!Number.isInteger(w) || !Number.isInteger(h)) return null;
  const levels = strides.map((stride) => ({
    stride,
    columns: Math.ceil(w / stride),
    rows: Math.ceil(h / stride),
  }));
  return levels.reduce((n, { columns, rows }) => n + columns * rows, 0) === anchors ? levels : null;
}

/** Middle and size as corners, written to `boxes` from `to` on. */
export function writeCorners(
  boxes: Float32Array,
  to: number,
  [x, y, w, h]: readonly [number, number, number, number],
): void {
  boxes[to] = x - w / 2;
  boxes[to + 1] = y - h / 2;
  boxes[to + 2] = x + w / 2;
  boxes[to + 3] = y + h / 2;
}
