import type { Call } from "./call.js";
import type { Family } from "./operator.js";
import { reduce } from "./pooling.js";

/**
 * Quantised models become QDQ: QuantizeLinear and DequantizeLinear around float operators. Paddle's
 * scale is the largest value, which stands at 127; its weights are integers kept as float32.
 */
export const quantization: Family = {
  quantize_linear: {
    pir: { quantize_linear: ["X Scale ZeroPoint InAccum InState", "Y"] },
    limits: "8 bits, zero point 0",
    emit: (call) => ({ Y: quantize(call, call.input("X"), call.input("Scale")) }),
  },
  dequantize_linear: {
    pir: { dequantize_linear: ["X Scale ZeroPoint InAccum InState", "Y"] },
    limits: "8 bits, zero point 0",
    emit: (call) => ({ Y: dequantize(call, call.input("X"), call.input("Scale")) }),
  },
  fake_quantize_dequantize_moving_average_abs_max: {
    pir: {
      fake_quantize_dequantize_moving_average_abs_max: ["X InScale InAccum InState", "Out"],
    },
    limits: "8 bits",
    emit: (call) => both(call, bounded(call), call.input("InScale")),
  },
  fake_quantize_dequantize_abs_max: {
    pir: { fake_quantize_dequantize_abs_max: ["X", "Out OutScale"] },
    limits: "8 bits, of weights",
    emit: (call) => both(call, call.input("X"), largest(call, call.input("X"), null)),
  },
  fake_channel_wise_quantize_dequantize_abs_max: {
    pir: { fake_channel_wise_quantize_dequantize_abs_max: ["X", "Out OutScale"] },
    limits: "8 bits, of weights",
    emit: (call) => {
      const x = call.input("X");
      return both(call, x, largest(call, x, call.number("quant_axis", 0)));
    },
  },
  fake_quantize_moving_average_abs_max: { pir: {}, limits: "8 bits", emit: quantizeAsFloat },
  fake_quantize_range_abs_max: { pir: {}, limits: "8 bits", emit: quantizeAsFloat },
  fake_dequantize_max_abs: {
    pir: {},
    emit: (call) => {
      const x = call.input("X");
      const range = call.scalarLike(x, call.number("max_range", 127));
      return call.node("Mul", [x, call.node("Div", [call.input("Scale"), range])]);
    },
  },
};

function stepOf(call: Call, scale: string): string {
  const bits = call.number("bit_length", 8);
  if (bits !== 8) throw call.refusal(`it is of ${bits} bits`, "quantise to 8 bits");
  return call.graph.node("Div", [scale, call.scalarLike(scale, 127)]);
}

/** One factor a tensor is a scalar; a factor a channel lies along `quant_axis`. */
function arranged(call: Call, scale: string): { step: string; attributes: Record<string, number> } {
  const axis = call.number("quant_axis", -1);
  const step = stepOf(call, scale);
  const single = axis < 0 || call.shape(scale)?.every((d) => d === 1) === true;
  if (!single) return { step, attributes: { axis } };
  return { step: call.graph.node("Reshape", [step, call.ints64([])]), attributes: {} };
}

function quantize(call: Call, x: string, scale: string): string {
  const { step, attributes } = arranged(call, scale);
  return call.node("QuantizeLinear", [x, step, zeroPoint(call, step)], attributes);
}

function dequantize(call: Call, x: string, scale: string): string {
  const { step, attributes } = arranged(call, scale);
  const integers = call.cast(x, "int8");
  return call.node("DequantizeLinear", [integers, step, zeroPoint(call, step)], attributes);
}

function both(call: Call, x: string, scale: string): string {
  return dequantize(call, quantize(call, x, scale), scale);
}

/** Paddle's zero points are all 0; ONNX wants one a factor. */
function zeroPoint(call: Call, step: string): string {
  const dims = call.sizes(step);
  const count = dims.reduce((product, d) => product * d, 1);
  return call.graph.constant("int8", Array<number>(count).fill(0), dims);
}

/** The largest absolute value of weights, of all or a channel. */
function largest(call: Call, x: string, axis: number | null): string {
  const magnitudes = call.graph.node("Abs", [x]);
  const all = Array.from({ length: call.rank(x) }, (_, i) => i);
  const axes = all.filter((i) => i !== axis);
  return reduce(call, "ReduceMax", magnitudes, { axes, keep: false });
}

/** Older programs hand the integers on as floats and divide after the next operator. */
function quantizeAsFloat(call: Call): string {
  return call.cast(quantize(call, bounded(call), call.input("InScale")), "float32");
}

/**
 * Activations beyond the scale: Paddle's older rounding (`round_type` 1) stops at -127, ONNX's
 * QuantizeLinear at -128.
 */
function bounded(call: Call): string {
  const x = call.input("X");
  if (call.number("round_type", 1) === 0) return x;
  return call.graph.node("Max", [x, call.graph.node("Neg", [call.input("InScale")])]);
}
