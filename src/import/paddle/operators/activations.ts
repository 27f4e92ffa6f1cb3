import type { Call } from "./call.js";
import { unary, type Family } from "./operator.js";

/** Activations. Defaults are those of Paddle's operators (paddle/phi/ops/yaml/ops.yaml). */
export const activations: Family = {
  relu: unary("relu", "Relu"),
  sigmoid: unary("sigmoid", "Sigmoid"),
  tanh: unary("tanh", "Tanh"),
  exp: unary("exp", "Exp"),
  log: unary("log", "Log"),
  sqrt: unary("sqrt", "Sqrt"),
  abs: unary("abs", "Abs"),
  floor: unary("floor", "Floor"),
  ceil: unary("ceil", "Ceil"),
  round: unary("round", "Round"),
  erf: unary("erf", "Erf"),
  sin: unary("sin", "Sin"),
  cos: unary("cos", "Cos"),
  silu: { pir: { silu: ["X", "Out"] }, emit: (call) => timesSigmoid(call, call.input("X")) },
  swish: {
    pir: { swish: ["X", "Out"] },
    emit: (call) => {
      const x = call.input("X");
      const beta = call.number("beta", 1);
      return beta === 1
        ? timesSigmoid(call, x)
        : timesSigmoid(call, x, call.node("Mul", [x, call.scalarLike(x, beta)]));
    },
  },
  rsqrt: {
    pir: { rsqrt: ["X", "Out"] },
    emit: (call) => call.node("Reciprocal", [call.node("Sqrt", [call.input("X")])]),
  },
  square: {
    pir: { square: ["X", "Out"] },
    emit: (call) => call.node("Mul", [call.input("X"), call.input("X")]),
  },
  relu6: {
    pir: { relu6: ["X", "Out"] },
    emit: (call) => clipped(call, call.input("X"), 0, call.number("threshold", 6)),
  },
  leaky_relu: {
    pir: { leaky_relu: ["X", "Out", { negative_slope: "alpha" }] },
    emit: (call) =>
      call.node("LeakyRelu", [call.input("X")], { alpha: { float: call.number("alpha", 0.02) } }),
  },
  elu: {
    pir: { elu: ["X", "Out"] },
    emit: (call) =>
      call.node("Elu", [call.input("X")], { alpha: { float: call.number("alpha", 1) } }),
  },
  hard_sigmoid: {
    pir: { hardsigmoid: ["X", "Out"] },
    emit: (call) =>
      call.node("HardSigmoid", [call.input("X")], {
        alpha: { float: call.number("slope", 0.2) },
        beta: { float: call.number("offset", 0.5) },
      }),
  },
  hard_swish: { pir: { hardswish: ["X", "Out"] }, emit: hardSwish },
  mish: {
    pir: { mish: ["X", "Out", { lambda: "threshold" }] },
    emit: mish,
  },
  gelu: { pir: { gelu: ["X", "Out"] }, emit: gelu },
  softplus: {
    pir: { softplus: ["X", "Out"] },
    limits: "beta 1",
    emit: (call) => {
      if (call.number("beta", 1) !== 1) throw call.refusal("beta is not 1", "use beta 1");
      return call.node("Softplus", [call.input("X")]);
    },
  },
  softmax: {
    pir: { softmax: ["X", "Out"] },
    emit: (call) => {
      const x = call.input("X");
      return call.node("Softmax", [x], { axis: call.axis(x, call.number("axis", -1)) });
    },
  },
  prelu: { pir: { prelu: ["X Alpha", "Out"] }, limits: "NCHW", emit: prelu },
  clip: {
    pir: { clip: ["X min=Min max=Max", "Out"] },
    emit: (call) => {
      const x = call.input("X");
      const [min, max] = [call.optional("Min"), call.optional("Max")];
      return call.node("Clip", [x, bound(call, x, min, "min"), bound(call, x, max, "max")]);
    },
  },
  dropout: { pir: { dropout: ["X SeedTensor p=P", "Out Mask"] }, emit: dropout },
};

/** ONNX's Clip takes scalars; Paddle gives vectors of one. */
function bound(call: Call, x: string, tensor: string | null, attribute: string): string {
  if (tensor === null) return call.scalarLike(x, call.number(attribute, 0));
  const scalar = call.graph.node("Reshape", [tensor, call.ints64([])]);
  return call.cast(scalar, call.dtype(x));
}

export function clipped(call: Call, x: string, min: number, max: number): string {
  return call.node("Clip", [x, call.scalarLike(x, min), call.scalarLike(x, max)]);
}

function timesSigmoid(call: Call, x: string, inside = x): string {
  return call.node("Mul", [x, call.node("Sigmoid", [inside])]);
}

/** x * min(max(x + offset, 0), threshold) / scale. */
function hardSwish(call: Call): string {
  const x = call.input("X");
  const threshold = call.number("threshold", 6);
  const scale = call.number("scale", 6);
  const offset = call.number("offset", 3);
  const usual = threshold === 6 && scale === 6 && offset === 3;
  if (usual && call.graph.opset >= 14) return call.node("HardSwish", [x]);
  if (threshold === scale) {
    const attributes = { alpha: { float: 1 / scale }, beta: { float: offset / scale } };
    return call.node("Mul", [x, call.node("HardSigmoid", [x], attributes)]);
  }
  const shifted = call.node("Add", [x, call.scalarLike(x, offset)]);
  const product = call.node("Mul", [x, clipped(call, shifted, 0, threshold)]);
  return call.node("Div", [product, call.scalarLike(x, scale)]);
}

/** x * tanh(softplus(x)); the threshold only guards Paddle's own exponential. */
function mish(call: Call): string {
  const x = call.input("X");
  if (call.graph.opset >= 18) return call.node("Mish", [x]);
  return call.node("Mul", [x, call.node("Tanh", [call.node("Softplus", [x])])]);
}

function gelu(call: Call): string {
  const x = call.input("X");
  const half = call.node("Mul", [x, call.scalarLike(x, 0.5)]);
  if (call.flag("approximate", false)) {
    const cube = call.node("Mul", [x, call.node("Mul", [x, x])]);
    const bent = call.node("Mul", [cube, call.scalarLike(x, 0.044715)]);
    const inside = call.node("Add", [x, bent]);
    const scaled = call.node("Mul", [inside, call.scalarLike(x, Math.sqrt(2 / Math.PI))]);
    return onePlus(call, half, call.node("Tanh", [scaled]));
  }
  const scaled = call.node("Mul", [x, call.scalarLike(x, Math.SQRT1_2)]);
  return onePlus(call, half, call.node("Erf", [scaled]));
}

function onePlus(call: Call, half: string, inner: string): string {
  return call.node("Mul", [half, call.node("Add", [inner, call.scalarLike(inner, 1)])]);
}

function prelu(call: Call): string {
  const x = call.input("X");
  const alpha = call.input("Alpha");
  if (call.text("data_format", "NCHW") === "NHWC") throw call.refusal("it is NHWC", "use NCHW");
  if (call.text("mode", "all") !== "channel") return call.node("PRelu", [x, alpha]);
  const ones = Array<number>(call.rank(x) - 2).fill(1);
  const slope = call.graph.node("Reshape", [alpha, call.ints64([-1, ...ones])]);
  return call.node("PRelu", [x, slope]);
}

/** In inference: nothing, or for the older `downgrade_in_infer` a factor. */
function dropout(call: Call): string {
  const x = call.input("X");
  const probability = call.number(call.has("dropout_prob") ? "dropout_prob" : "p", 0.5);
  const mode = call.text(
    call.has("mode") ? "mode" : "dropout_implementation",
    "downgrade_in_infer",
  );
  if (mode !== "downgrade_in_infer" || probability === 0) return x;
  return call.node("Mul", [x, call.scalarLike(x, 1 - probability)]);
}
