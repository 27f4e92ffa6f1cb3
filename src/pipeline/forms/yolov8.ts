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
import { gridOfAnchors, writeCorners } from "./yolo-grid.js";

export interface Yolov8Roles extends FormRoles {
  readonly form: "yolov8";
  readonly columns: string;
  readonly classes: number;
}

/**
 * Columns [B, 4 + C, A] on a grid of strides 8, 16, 32, as Ultralytics exports YOLOv8 to YOLO11:
 * middle and size in pixels of the input, then a likelihood a class (`non_max_suppression` of
 * ultralytics/utils/ops.py).
 */
export const yolov8: DetectorForm<Yolov8Roles> = {
  name: "yolov8",
  letter: "8",
  recognise,
  decode: ({ columns, classes }, { output }, context) => decode(output(columns), classes, context),
};

function recognise(outputs: readonly FormOutput[], context: FormContext): Recognised<Yolov8Roles> {
  const [columns] = outputs;
  const list = outputs.map(shown).join(", ");
  if (columns === undefined || outputs.length > 1 || columns.shape?.length !== 3)
    return { refusal: `${list}: not one output of three dimensions` };
  const [, height, anchors] = columns.shape;
  if (gridOfAnchors(anchors, context) === null || typeof height !== "number" || height < 5)
    return { refusal: `${list}: not 4 + C rows of a number a cell of strides 8, 16 and 32` };
  return {
    roles: { form: "yolov8", columns: columns.name, classes: height - 4 },
    why: [
      `${shown(columns)}: ${anchors} columns are the cells of strides 8, 16 and 32`,
      `${height} rows are middle, size and ${height - 4} classes, as YOLOv8 has them`,
    ],
    warnings: [],
  };
}

function decode({ data, dims }: Output, classes: number, context: DecodeContext): Detection[] {
  const anchors = data.length / (4 + classes);
  if (!Number.isInteger(anchors))
    throw new OutputError(`columns of shape [${dims.join(", ")}], expected [1, ${4 + classes}, A]`);
  const layout: ScoreLayout = {
    data: data.subarray(4 * anchors),
    ...{ anchors, classes, perAnchor: 1, perClass: anchors },
  };
  const places = candidates(layout, context.suppression.scoreThreshold);
  const pool = new Pool(places.length, classes);
  places.forEach((anchor, at) => {
    const of = (row: number): number => data[row * anchors + anchor]!;
    writeCorners(pool.boxes, at * 4, [of(0), of(1), of(2), of(3)]);
    pool.takeScores(layout, anchor, at);
  });
  return suppressed(pool, context);
}
