import { floatTensor } from "../../src/pipeline/onnx/write-model.js";
import { mapOf, type NetworkBuilder, type Value } from "./network-builder.js";

/**
 * YOLO's head as PP-YOLO has it: boxes around anchors, `scale_x_y` (grid sensitivity), optionally a
 * predicted IoU that tempers the score. The graph ends in decoded boxes in pixels of its input.
 */
export interface YoloHeadSpec {
  /** Anchors of each map, coarsest first: [width, height] in pixels. */
  readonly anchors: readonly (readonly (readonly [number, number])[])[];
  readonly classes: number;
  /** Weight of the predicted IoU in the score, as an exponent; null where none is predicted. */
  readonly iouFactor: number | null;
}

const gridScale = 1.05;
/** Logit of the share of places that hold an object, with a deviation of about 1 around it. */
const priorLogit = { plain: -5, tempered: -7.5 } as const;

/** Boxes [A, 4] and scores [classes, A] over all maps, and what the maps' convolutions gave. */
export function yoloHead(
  b: NetworkBuilder,
  maps: readonly Value[],
  spec: YoloHeadSpec,
): Record<string, Value> {
  const levels = maps.map((map, level) => decodeLevel(b, map, level, spec));
  return {
    boxes: joinRows(
      b,
      levels.map((l) => l.boxes),
      1,
    ),
    scores: joinRows(
      b,
      levels.map((l) => l.scores),
      2,
    ),
  };
}

/**
 * The last convolution of a map: for each anchor the IoU first (all anchors'), then x, y, w, h,
 * object, classes.
 */
export function yoloOutput(
  b: NetworkBuilder,
  map: Value,
  level: number,
  spec: YoloHeadSpec,
): Value {
  const { classes, iouFactor } = spec;
  const anchors = spec.anchors[level]!.length;
  const before = iouFactor === null ? 0 : anchors;
  const out = before + anchors * (classes + 5);
  const prior = iouFactor === null ? priorLogit.plain : priorLogit.tempered;
  const bias = (channel: number): number =>
    channel >= before && (channel - before) % (classes + 5) === 4 ? prior : 0;
  return b.conv(map, { name: `yolo_head.yolo_output.${level}`, out, bias, gain: 1 });
}

function decodeLevel(
  b: NetworkBuilder,
  map: Value,
  level: number,
  spec: YoloHeadSpec,
): { boxes: Value; scores: Value } {
  const anchors = spec.anchors[level]!;
  const [, rows, columns] = mapOf(map);
  const y = yoloOutput(b, map, level, spec);
  const cells = rows * columns;
  const fields = 5 + spec.classes;
  let rest = y;
  let iou: Value | null = null;
  if (spec.iouFactor !== null) {
    const depths = [anchors.length, anchors.length * fields];
    const parts = splitChannels(b, y, depths);
    iou = b.reshape(parts[0]!, [anchors.length * cells, 1]);
    rest = parts[1]!;
  }
  const byAnchor = b.transpose(b.reshape(rest, [anchors.length, fields, cells]), [0, 2, 1]);
  const list = b.reshape(byAnchor, [anchors.length * cells, fields]);
  const [xy, wh, object, classes] = splitColumns(b, list, [2, 2, 1, spec.classes]);
  const boxes = boxesOf(b, xy!, wh!, { level, anchors, rows, columns });
  const certain = confidence(b, object!, iou, spec.iouFactor);
  const each = b.sigmoid(classes!);
  const scores = b.node("Mul", [each, certain], { dims: each.dims, power: 0.1 });
  return { boxes, scores: b.transpose(scores, [1, 0]) };
}

/** sigmoid(object), tempered by the predicted IoU: object^(1 - f) x IoU^f. */
function confidence(
  b: NetworkBuilder,
  object: Value,
  iou: Value | null,
  factor: number | null,
): Value {
  const plain = b.sigmoid(object);
  if (iou === null || factor === null) return plain;
  const spec = { dims: plain.dims, power: 0.3 };
  const tempered = b.node("Pow", [plain, b.scalar(1 - factor)], spec);
  return b.node("Mul", [tempered, b.node("Pow", [b.sigmoid(iou), b.scalar(factor)], spec)], spec);
}

interface Grid {
  readonly level: number;
  readonly anchors: readonly (readonly [number, number])[];
  readonly rows: number;
  readonly columns: number;
}

/** Corners [A, 4] in pixels: centre (cell + scaled sigmoid) x stride, size anchor x exp. */
function boxesOf(b: NetworkBuilder, xy: Value, wh: Value, grid: Grid): Value {
  const stride = 32 / 2 ** grid.level;
  const { cells, sizes } = gridConstants(b, grid);
  const spec = { dims: xy.dims, power: 1 };
  const scaled = b.node("Mul", [b.sigmoid(xy), b.scalar(gridScale)], spec);
  const placed = b.node("Add", [scaled, cells], spec);
  const centre = b.node("Mul", [placed, b.scalar(stride)], spec);
  // Half of the size: from the centre to a side.
  const half = b.node("Mul", [b.node("Exp", [wh], spec), sizes], spec);
  const low = b.node("Sub", [centre, half], spec);
  const high = b.node("Add", [centre, half], spec);
  const dims = [xy.dims[0]!, 4];
  return b.node("Concat", [low, high], { attributes: { axis: 2 }, dims, power: 1 });
}

/**
 * Column and row of each anchor's cell, less what `scale_x_y` shifts; half its width and height.
 */
function gridConstants(b: NetworkBuilder, grid: Grid): { cells: string; sizes: string } {
  const { level, anchors, rows, columns } = grid;
  const count = anchors.length * rows * columns;
  const cells = new Float32Array(2 * count);
  const sizes = new Float32Array(2 * count);
  let at = 0;
  for (const [width, height] of anchors) {
    for (let cell = 0; cell < rows * columns; cell++, at += 2) {
      cells[at] = (cell % columns) - (gridScale - 1) / 2;
      cells[at + 1] = Math.floor(cell / columns) - (gridScale - 1) / 2;
      sizes[at] = width / 2;
      sizes[at + 1] = height / 2;
    }
  }
  const constant = (name: string, data: Float32Array): string =>
    b.constant(floatTensor(`${name} ${level}`, [1, count, 2], data));
  return { cells: constant("cells", cells), sizes: constant("sizes", sizes) };
}

function splitChannels(b: NetworkBuilder, x: Value, depths: readonly number[]): Value[] {
  const [, rows, columns] = mapOf(x);
  const dims = depths.map((depth) => [depth, rows, columns]);
  const spec = { attributes: { axis: 1 }, power: x.power };
  return b.nodeWithOutputs("Split", [x, b.shape(depths)], dims, spec);
}

function splitColumns(b: NetworkBuilder, x: Value, widths: readonly number[]): Value[] {
  const dims = widths.map((width) => [x.dims[0]!, width]);
  const spec = { attributes: { axis: 2 }, power: x.power };
  return b.nodeWithOutputs("Split", [x, b.shape(widths)], dims, spec);
}

/** Joins the levels along their anchors: the second axis of boxes, the third of scores. */
function joinRows(b: NetworkBuilder, parts: readonly Value[], axis: 1 | 2): Value {
  const anchors = parts.reduce((sum, p) => sum + p.dims[axis - 1]!, 0);
  const dims = axis === 1 ? [anchors, parts[0]!.dims[1]!] : [parts[0]!.dims[0]!, anchors];
  return b.node("Concat", parts, { attributes: { axis }, dims, power: 1 });
}
