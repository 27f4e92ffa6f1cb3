import type { Call } from "./call.js";
import type { Family } from "./operator.js";
import { reduce } from "./pooling.js";

/** Normalisation, with statistics that training left behind or of the value itself. */
export const normalization: Family = {
  batch_norm: {
    pir: {
      batch_norm: ["X Mean Variance Scale Bias", "Y"],
      batch_norm_: ["X Mean Variance Scale Bias", "Y"],
    },
    limits: "NCHW",
    emit: (call) => {
      if (call.text(call.has("data_format") ? "data_format" : "data_layout", "NCHW") === "NHWC") {
        throw call.refusal("it is NHWC", "export the model in NCHW");
      }
      const slots = ["X", "Scale", "Bias", "Mean", "Variance"];
      const inputs = slots.map((slot) => call.input(slot));
      const epsilon = { float: call.number("epsilon", 1e-5) };
      return { Y: call.node("BatchNormalization", inputs, { epsilon }) };
    },
  },
  layer_norm: { pir: { layer_norm: ["X Scale Bias", "Y"] }, emit: layerNorm },
  instance_norm: {
    pir: { instance_norm: ["X Scale Bias", "Y"] },
    emit: (call) => {
      const inputs = ["X", "Scale", "Bias"].map((slot) => call.input(slot));
      const epsilon = { float: call.number("epsilon", 1e-5) };
      return { Y: call.node("InstanceNormalization", inputs, { epsilon }) };
    },
  },
  p_norm: {
    pir: { p_norm: ["X", "Out", { porder: "porder" }] },
    limits: "the 2-norm",
    emit: (call) => {
      if (call.number("porder", 2) !== 2) throw call.refusal("it is no 2-norm", "use the 2-norm");
      const x = call.input("X");
      const axes = [call.axis(x, call.number("axis", -1))];
      return reduce(call, "ReduceL2", x, { axes, keep: call.flag("keepdim", false) });
    },
  },
};

function layerNorm(call: Call): Record<string, string> {
  const x = call.input("X");
  const axis = call.number("begin_norm_axis", 1);
  const epsilon = call.number("epsilon", 1e-5);
  const [scale, bias] = [call.optional("Scale"), call.optional("Bias")];
  if (call.graph.opset >= 17 && scale !== null) {
    const inputs = [x, shaped(call, x, scale, axis)];
    if (bias !== null) inputs.push(shaped(call, x, bias, axis));
    return { Y: call.node("LayerNormalization", inputs, { axis, epsilon: { float: epsilon } }) };
  }
  const axes = Array.from({ length: call.rank(x) - axis }, (_, i) => axis + i);
  const centred = call.node("Sub", [x, reduce(call, "ReduceMean", x, { axes, keep: true })]);
  const squares = call.node("Mul", [centred, centred]);
  const variance = reduce(call, "ReduceMean", squares, { axes, keep: true });
  const safe = call.node("Add", [variance, call.scalarLike(x, epsilon)]);
  const unit = call.node("Div", [centred, call.node("Sqrt", [safe])]);
  const scaled = scale === null ? unit : call.node("Mul", [unit, shaped(call, x, scale, axis)]);
  return { Y: bias === null ? scaled : call.node("Add", [scaled, shaped(call, x, bias, axis)]) };
}

/** Paddle keeps the factors flat; they have the shape of what is normalised. */
function shaped(call: Call, x: string, flat: string, axis: number): string {
  const sizes = call.shape(x)?.slice(axis) ?? [];
  if (sizes.length === 1) return flat;
  const fixed = sizes.map((d) => (typeof d === "number" ? d : -1));
  return call.graph.node("Reshape", [flat, call.ints64(fixed)]);
}
