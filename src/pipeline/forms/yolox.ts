import type { Detection } from "../types.js";
import { candidates, Pool, suppressed, type ScoreLayout } from "./candidates.js";
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
} from "./detector-form.js";
import { gridOfAnchors, writeCorners, type GridLevel } from "./yolo-grid.js";

export interface YoloxRoles extends FormRoles {
  readonly form: "yolox";
  readonly rows: string;
  readonly classes: number;
  readonly levels: readonly GridLevel[];
}

/**
 * Rows [B, A, 5 + C] on a grid of strides 8, 16, 32, as YOLOX's `tools/export_onnx.py` writes them:
 * the middle as an offset from the cell in strides, the logarithm of the size in strides, then the
 * likelihood of an object and of each class. A box's score is the product of both
 * (`demo_postprocess`, `multiclass_nms` of yolox/utils/demo_utils.py).
 */
export const yolox: DetectorForm<YoloxRoles> = {
  name: "yolox",
  letter: "x",
  recognise,
  decode: ({ rows, classes, levels }, { output }, context) =>
    decode(output(rows), classes, levels, context),
};

function recognise(outputs: readonly FormOutput[], context: FormContext): Recognised<YoloxRoles> {
  const [rows] = outputs;
  const list = outputs.map(shown).join(", ");
  if (rows === undefined || outputs.length > 1 || rows.shape?.length !== 3)
    return { refusal: `${list}: not one output of three dimensions` };
  const [, anchors, width] = rows.shape;
  const levels = gridOfAnchors(anchors, context);
  if (levels === null || typeof width !== "number" || width < 6)
    return { refusal: `${list}: not 5 + C numbers for each cell of strides 8, 16 and 32` };
  return {
    roles: { form: "yolox", rows: rows.name, classes: width - 5, levels },
    why: [
      `${shown(rows)}: ${anchors} rows are the cells of strides 8, 16 and 32`,
      `${width} numbers a row are middle, size, object and ${width - 5} classes, as YOLOX has them`,
    ],
    warnings: [],
  };
}

function decode(
  { data, dims }: Output,
  classes: number,
  levels: readonly GridLevel[],
  context: DecodeContext,
): Detection[] {
  const width = 5 + classes;
  const anchors = levels.reduce((n, l) => n + l.columns * l.rows, 0);
  if (data.length !== anchors * width)
    throw new OutputError(`rows of shape [${dims.join(", ")}], expected [1, ${anchors}, ${width}]`);
  const products = new Float32Array(anchors * classes);
  for (let a = 0; a < anchors; a++)
    for (let c = 0; c < classes; c++)
      products[a * classes + c] = data[a * width + 4]! * data[a * width + 5 + c]!;
  const layout: ScoreLayout = {
    ...{ data: products, anchors, classes },
    ...{ perAnchor: classes, perClass: 1 },
  };
  const places = candidates(layout, context.suppression.scoreThreshold);
  const pool = new Pool(places.length, classes);
  places.forEach((anchor, at) => {
    const { stride, column, row } = cellOf(anchor, levels);
    const [dx, dy, w, h] = data.subarray(anchor * width, anchor * width + 4) as unknown as Four;
    const middle = [(dx + column) * stride, (dy + row) * stride] as const;
    writeCorners(pool.boxes, at * 4, [...middle, Math.exp(w) * stride, Math.exp(h) * stride]);
    pool.takeScores(layout, anchor, at);
  });
  return suppressed(pool, context);
}

type Four = readonly [number, number, number, number];

function cellOf(
  anchor: number,
  levels: readonly GridLevel[],
): { stride: number; column: number; row: number } {
  let rest = anchor;
  for (const { stride, columns, rows } of levels) {
    if (rest < columns * rows)
      return { stride, column: rest % columns, row: Math.floor(rest / columns) };
    rest -= columns * rows;
  }
  throw new RangeError(`no cell ${anchor}`);
}
