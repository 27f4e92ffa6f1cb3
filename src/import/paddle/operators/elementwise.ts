import type { Call } from "./call.js";
import { unary, type Entry, type Family } from "./operator.js";

/** Arithmetic, comparison and logic of two tensors, element by element. */
export const elementwise: Family = {
  elementwise_add: binary(["add", "add_"], "Add"),
  elementwise_sub: binary(["subtract"], "Sub"),
  elementwise_mul: binary(["multiply", "multiply_"], "Mul"),
  elementwise_div: binary(["divide"], "Div"),
  elementwise_max: binary(["maximum"], "Max"),
  elementwise_min: binary(["minimum"], "Min"),
  elementwise_pow: binary(["elementwise_pow"], "Pow"),
  elementwise_mod: binary(["remainder"], "Mod"),
  elementwise_floordiv: {
    pir: { floor_divide: ["X Y", "Out"] },
    emit: (call) => {
      const [x, y] = operands(call);
      const quotient = call.node("Div", [x, y]);
      return call.dtype(x).startsWith("float") ? call.node("Floor", [quotient]) : quotient;
    },
  },
  less_than: binary(["less_than"], "Less"),
  less_equal: binary(["less_equal"], "LessOrEqual"),
  greater_than: binary(["greater_than"], "Greater"),
  greater_equal: binary(["greater_equal"], "GreaterOrEqual"),
  equal: binary(["equal"], "Equal"),
  not_equal: {
    pir: { not_equal: ["X Y", "Out"] },
    emit: (call) => call.node("Not", [call.node("Equal", operands(call))]),
  },
  logical_and: binary(["logical_and"], "And"),
  logical_or: binary(["logical_or"], "Or"),
  logical_not: unary("logical_not", "Not"),
  pow: {
    pir: { pow: ["X", "Out", { y: "factor" }] },
    emit: (call) => {
      const x = call.input("X");
      const tensor = call.optional("FactorTensor");
      return call.node("Pow", [x, tensor ?? call.scalarLike(x, call.number("factor", 1))]);
    },
  },
  scale: {
    pir: { scale: ["X scale=ScaleTensor", "Out"], scale_: ["X scale=ScaleTensor", "Out"] },
    emit: scale,
  },
  increment: {
    pir: { increment_: ["X", "Out", { value: "step" }] },
    emit: (call) => {
      const x = call.input("X");
      return call.node("Add", [x, call.scalarLike(x, call.number("step", 1))]);
    },
  },
  where: {
    pir: { where: ["Condition X Y", "Out"] },
    emit: (call) => call.node("Where", [call.input("Condition"), call.input("X"), call.input("Y")]),
  },
};

function binary(pir: readonly string[], op: string): Entry {
  return {
    pir: Object.fromEntries(pir.map((name) => [name, ["X Y", "Out"] as const])),
    emit: (call) => call.node(op, operands(call)),
  };
}

/**
 * The two operands, ready for numpy's broadcasting. Paddle's `axis` is the place in X's shape where
 * Y's begins; -1 aligns them at the end, as numpy does.
 */
function operands(call: Call): [string, string] {
  const [x, y] = alike(call, call.input("X"), call.input("Y"));
  const axis = call.number("axis", -1);
  if (axis === -1) return [x, y];
  const missing = call.rank(x) - call.rank(y) - axis;
  if (missing <= 0) return [x, y];
  const places = Array.from({ length: missing }, (_, i) => call.rank(y) + i);
  return [x, call.graph.node("Unsqueeze", [y, call.ints64(places)])];
}

/** Two values of one element type, as ONNX wants them: floats before integers, wider ones first. */
function alike(call: Call, x: string, y: string): [string, string] {
  const [a, b] = [call.dtype(x), call.dtype(y)];
  if (a === b) return [x, y];
  const order = [
    "float64",
    "float32",
    "float16",
    "int64",
    "int32",
    "int16",
    "int8",
    "uint8",
    "bool",
  ];
  const wider = order.find((dtype) => dtype === a || dtype === b) ?? a;
  return [call.cast(x, wider), call.cast(y, wider)];
}

/** scale * x + bias, or scale * (x + bias). */
function scale(call: Call): string {
  const x = call.input("X");
  const tensor = call.optional("ScaleTensor");
  const factor = call.number("scale", 1);
  const bias = call.number("bias", 0);
  const after = call.flag("bias_after_scale", true);
  const times = (value: string): string => {
    if (tensor !== null) return call.node("Mul", [value, call.cast(tensor, call.dtype(x))]);
    return factor === 1 ? value : call.node("Mul", [value, call.scalarLike(x, factor)]);
  };
  const plus = (value: string): string =>
    bias === 0 ? value : call.node("Add", [value, call.scalarLike(x, bias)]);
  return after ? plus(times(x)) : times(plus(x));
}
