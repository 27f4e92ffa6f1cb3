import type { Attributes } from "../../graph/builder.js";
import type { Call } from "./call.js";
import { joined } from "./shapes.js";
import type { Entry, Family } from "./operator.js";

/** Interpolation: nearest and bilinear, by scale or to a size. */

const slots = "X OutSize SizeTensor Scale";

const nearest: Entry = {
  pir: { nearest_interp: [slots, "Out"] },
  limits: "NCHW",
  emit: (call) => resize(call, nearestMode(call)),
};

const bilinear: Entry = {
  pir: { bilinear_interp: [slots, "Out"] },
  limits: "NCHW",
  emit: (call) => resize(call, bilinearMode(call)),
};

export const resizing: Family = {
  nearest_interp_v2: nearest,
  nearest_interp: { ...nearest, pir: {} },
  bilinear_interp_v2: bilinear,
  bilinear_interp: { ...bilinear, pir: {} },
};

/** Paddle floors the place in the source, or with aligned corners rounds halves up. */
function nearestMode(call: Call): Attributes {
  const aligned = call.flag("align_corners", true);
  return {
    mode: { text: "nearest" },
    coordinate_transformation_mode: { text: aligned ? "align_corners" : "asymmetric" },
    nearest_mode: { text: aligned ? "round_prefer_ceil" : "floor" },
  };
}

function bilinearMode(call: Call): Attributes {
  const aligned = call.flag("align_corners", true);
  const halves = call.number("align_mode", 1) === 0 ? "half_pixel" : "asymmetric";
  return {
    mode: { text: "linear" },
    coordinate_transformation_mode: { text: aligned ? "align_corners" : halves },
  };
}

function resize(call: Call, attributes: Attributes): string {
  const x = call.input("X");
  const layout = call.has("data_format") ? "data_format" : "data_layout";
  if (call.text(layout, "NCHW") === "NHWC") throw call.refusal("it is NHWC", "use NCHW");
  const sizes = wantedSizes(call, x);
  if (sizes !== null) return call.node("Resize", [x, "", "", sizes], attributes);
  const scales = wantedScales(call);
  const constant = call.graph.constant("float32", [1, 1, ...scales]);
  return call.node("Resize", [x, "", constant], attributes);
}

/** Sizes given as tensors or attributes; they count before scales. */
function wantedSizes(call: Call, x: string): string | null {
  const list = call.inputs("SizeTensor");
  const tensor = call.optional("OutSize");
  if (list.length > 0) return withLeading(call, x, joined(call, list));
  if (tensor !== null) return withLeading(call, x, call.cast(tensor, "int64"));
  const [height, width] = [call.number("out_h", -1), call.number("out_w", -1)];
  const scaled = call.inputs("Scale").length > 0 || scaleAttribute(call).some((s) => s > 0);
  if (height <= 0 || width <= 0 || scaled) return null;
  return withLeading(call, x, call.ints64([height, width]));
}

function withLeading(call: Call, x: string, sizes: string): string {
  const shape = call.graph.node("Shape", [x]);
  const range = [call.ints64([0]), call.ints64([2]), call.ints64([0])];
  const leading = call.graph.node("Slice", [shape, ...range]);
  return call.graph.node("Concat", [leading, sizes], { axis: 0 });
}

function scaleAttribute(call: Call): readonly number[] {
  return call.numbers("scale") ?? [];
}

function wantedScales(call: Call): [number, number] {
  const tensor = call.inputs("Scale")[0];
  const given = tensor === undefined ? scaleAttribute(call) : call.contents(tensor);
  const [height, width = height] = given;
  if (height === undefined || width === undefined || height <= 0) {
    throw call.refusal("neither size nor scale is given", "export the model again");
  }
  return [height, width];
}
