import { rawOfNumbers } from "../../graph/values.js";
import type { Call } from "./call.js";
import type { Family } from "./operator.js";

/** Boxes out of a detector's maps. After YoloBoxKernel of paddle/phi/kernels/cpu. */
export const boxes: Family = {
  yolo_box: {
    pir: { yolo_box: ["X ImgSize", "Boxes Scores"] },
    limits: "fixed size",
    emit: yoloBox,
  },
};

interface Yolo {
  readonly anchors: readonly number[];
  readonly classes: number;
  readonly height: number;
  readonly width: number;
  /** Anchors a cell. */
  readonly count: number;
}

function yoloBox(call: Call): Record<string, string> {
  const x = call.input("X");
  const [height, width] = call.spatial(x) as [number, number];
  const anchors = call.numbers("anchors") ?? [];
  const yolo: Yolo = {
    anchors,
    classes: call.number("class_num", 1),
    height,
    width,
    count: anchors.length / 2,
  };
  const { cells, confidence } = cellsOf(call, x, yolo);
  // Cells below the threshold are all zero, boxes and scores.
  const threshold = call.scalarLike(x, call.number("conf_thresh", 0.01));
  const under = call.graph.node("Less", [confidence, threshold]);
  const zero = call.scalarLike(x, 0);
  const sure = call.graph.node("Where", [under, zero, confidence]);
  const classes = sigmoid(call, part(call, cells, 5, 5 + yolo.classes));
  const scores = call.graph.node("Mul", [classes, sure]);
  const corners = cornersOf(call, cells, yolo);
  const shown = call.graph.node("Where", [under, zero, corners]);
  return { Boxes: flat(call, shown, yolo, 4), Scores: flat(call, scores, yolo, yolo.classes) };
}

/** [N, anchors, 5 + classes, cells], and the confidence [N, anchors, 1, cells]. */
function cellsOf(call: Call, x: string, yolo: Yolo): { cells: string; confidence: string } {
  const { count, classes, height, width } = yolo;
  const aware = call.flag("iou_aware", false);
  const plane = height * width;
  const maps = aware ? sliceChannels(call, x, count, count * (6 + classes)) : x;
  const shape = call.ints64([-1, count, 5 + classes, plane]);
  const cells = call.graph.node("Reshape", [maps, shape]);
  const object = sigmoid(call, part(call, cells, 4, 5));
  if (!aware) return { cells, confidence: object };
  const factor = call.number("iou_aware_factor", 0.5);
  const ious = call.graph.node("Reshape", [
    sliceChannels(call, x, 0, count),
    call.ints64([-1, count, 1, plane]),
  ]);
  const power = (value: string, exponent: number): string =>
    call.graph.node("Pow", [value, call.scalarLike(x, exponent)]);
  const confidence = call.graph.node("Mul", [
    power(object, 1 - factor),
    power(sigmoid(call, ious), factor),
  ]);
  return { cells, confidence };
}

function sliceChannels(call: Call, x: string, from: number, to: number): string {
  return call.graph.node("Slice", [x, call.ints64([from]), call.ints64([to]), call.ints64([1])]);
}

function part(call: Call, cells: string, from: number, to: number): string {
  return call.graph.node("Slice", [
    cells,
    call.ints64([from]),
    call.ints64([to]),
    call.ints64([2]),
  ]);
}

function sigmoid(call: Call, value: string): string {
  return call.graph.node("Sigmoid", [value]);
}

/** [N, anchors, 4, cells]: x1, y1, x2, y2 in pixels of the picture. */
function cornersOf(call: Call, cells: string, yolo: Yolo): string {
  const { graph } = call;
  const [pictureHeight, pictureWidth] = pictureSides(call);
  const scale = call.number("scale_x_y", 1);
  const bias = -0.5 * (scale - 1);
  const ratio = call.number("downsample_ratio", 32);
  const axis = (place: number, cellsAlong: number, picture: string): [string, string] => {
    const offset = sigmoid(call, part(call, cells, place, place + 1));
    const bent = graph.node("Mul", [offset, call.scalarLike(cells, scale)]);
    const moved = graph.node("Add", [bent, gridOf(call, yolo, place, bias)]);
    const perCell = graph.node("Div", [picture, call.scalarLike(cells, cellsAlong)]);
    const centre = graph.node("Mul", [moved, perCell]);
    const stretch = graph.node("Exp", [part(call, cells, place + 2, place + 3)]);
    const sized = graph.node("Mul", [stretch, anchorSides(call, yolo, place)]);
    const perPixel = graph.node("Div", [picture, call.scalarLike(cells, ratio * cellsAlong)]);
    const side = graph.node("Mul", [sized, perPixel]);
    const half = graph.node("Mul", [side, call.scalarLike(cells, 0.5)]);
    return [graph.node("Sub", [centre, half]), graph.node("Add", [centre, half])];
  };
  const [left, right] = axis(0, yolo.width, pictureWidth);
  const [top, bottom] = axis(1, yolo.height, pictureHeight);
  const sides = call.flag("clip_bbox", true)
    ? [
        least(call, left),
        least(call, top),
        most(call, right, pictureWidth),
        most(call, bottom, pictureHeight),
      ]
    : [left, top, right, bottom];
  return graph.node("Concat", sides, { axis: 2 });
}

function least(call: Call, value: string): string {
  return call.graph.node("Max", [value, call.scalarLike(value, 0)]);
}

function most(call: Call, value: string, side: string): string {
  const last = call.graph.node("Sub", [side, call.scalarLike(value, 1)]);
  return call.graph.node("Min", [value, last]);
}

/** `ImgSize` [N, 2] (height, width) as two [N, 1, 1, 1] of float. */
function pictureSides(call: Call): [string, string] {
  const size = call.cast(call.input("ImgSize"), "float32");
  const side = (place: number): string => {
    const column = call.graph.node("Gather", [size, call.ints64([place])], { axis: 1 });
    return call.graph.node("Reshape", [column, call.ints64([-1, 1, 1, 1])]);
  };
  return [side(0), side(1)];
}

/** The column (0) or row (1) of each cell plus what the scaling adds, [1, 1, 1, cells]. */
function gridOf(call: Call, { height, width }: Yolo, place: number, bias: number): string {
  const values = Array.from({ length: height * width }, (_, cell) => {
    const at = place === 0 ? cell % width : Math.floor(cell / width);
    return at + bias;
  });
  return floatConstant(call, values, [1, 1, 1, height * width]);
}

function anchorSides(call: Call, { anchors, count }: Yolo, place: number): string {
  const values = Array.from({ length: count }, (_, anchor) => anchors[2 * anchor + place]!);
  return floatConstant(call, values, [1, count, 1, 1]);
}

function floatConstant(call: Call, values: readonly number[], dims: readonly number[]): string {
  const raw = rawOfNumbers("float32", values);
  return call.graph.addConstant({ name: "grid", dtype: "float32", dims, raw });
}

/** [N, anchors, last, cells] to [N, anchors * cells, last]. */
function flat(call: Call, value: string, { count, height, width }: Yolo, last: number): string {
  const turned = call.graph.node("Transpose", [value], { perm: [0, 1, 3, 2] });
  return call.node("Reshape", [turned, call.ints64([-1, count * height * width, last])]);
}
