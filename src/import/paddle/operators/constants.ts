import { dtypeNumber } from "../../../pipeline/onnx/read-tensor.js";
import { elementsOf, rawOfNumbers } from "../../graph/values.js";
import type { Call } from "./call.js";
import type { Family, Made } from "./operator.js";
import { joined, sizesFrom } from "./shapes.js";

/** Operators that make values out of numbers, copy them, or turn their type. */
export const constants: Family = {
  fill_constant: {
    pir: { full: ["", "Out"], full_with_tensor: ["ValueTensor ShapeTensor", "Out"] },
    emit: fill,
  },
  full_int_array: {
    pir: { full_int_array: ["", "Out"] },
    emit: (call) =>
      call.graph.constant(call.elementType("dtype", "int64"), call.numbers("value") ?? []),
  },
  fill_any_like: {
    pir: { full_like: ["X value=ValueTensor", "Out"] },
    emit: (call) => {
      const x = call.input("X");
      const dtype = call.elementType("dtype", call.dtype(x));
      const one = call.graph.constant(dtype, call.number("value", 0));
      return call.node("Expand", [one, call.graph.node("Shape", [x])]);
    },
  },
  fill_constant_batch_size_like: {
    pir: { full_batch_size_like: ["Input", "Out"] },
    emit: fillBatchLike,
  },
  assign: { pir: { assign: ["X", "Out"] }, emit: (call) => call.input("X") },
  share_data: { pir: { share_data_: ["X", "Out"] }, emit: (call) => call.input("X") },
  assign_value: {
    pir: {
      assign_value: ["", "Out", { values: "values" }],
      assign_value_: ["Output", "Out", { values: "values" }],
    },
    emit: assignValue,
  },
  cast: {
    pir: { cast: ["X", "Out", { dtype: "out_dtype" }] },
    emit: (call) => {
      const x = call.input("X");
      const to = call.elementType("out_dtype", "float32");
      return call.dtype(x) === to ? x : call.node("Cast", [x], { to: dtypeNumber(to) });
    },
  },
  range: { pir: { arange: ["Start End Step", "Out"] }, emit: range },
  meshgrid: { pir: { meshgrid: ["X", "Out"] }, emit: meshgrid },
};

function fill(call: Call): string {
  const dtype = call.elementType("dtype", "float32");
  const text = call.text("str_value", "");
  const tensor = call.optional("ValueTensor");
  const number = text === "" ? call.number("value", 0) : Number(text);
  const dynamic = [...call.inputs("ShapeTensor"), ...call.inputs("ShapeTensorList")];
  const dims = call.numbers("shape") ?? [];
  if (dynamic.length === 0 && tensor === null && elementsOf(dims) <= 1) {
    return call.graph.constant(dtype, Array<number>(elementsOf(dims)).fill(number), dims);
  }
  const shape = sizesFrom(call, "shape", "ShapeTensor", "ShapeTensorList");
  const one = tensor === null ? call.graph.constant(dtype, number) : call.cast(tensor, dtype);
  return call.node("Expand", [one, shape]);
}

/** A constant whose one size is that of a given value. */
function fillBatchLike(call: Call): string {
  const like = call.input("Input");
  const dims = [...(call.numbers("shape") ?? [])];
  const from = call.number("input_dim_idx", 0);
  const to = call.number("output_dim_idx", 0);
  const sizes = call.graph.node("Shape", [like]);
  const size = call.graph.node("Gather", [sizes, call.ints64([from])]);
  const parts = dims.map((d, i) => (i === to ? size : call.ints64([d])));
  const text = call.text("str_value", "");
  const number = text === "" ? call.number("value", 0) : Number(text);
  const one = call.graph.constant(call.elementType("dtype", "float32"), number);
  return call.node("Expand", [one, joined(call, parts)]);
}

/** Values are in the list of their type; newer files have one list for all. */
function assignValue(call: Call): string {
  const dtype = call.elementType("dtype", "float32");
  const lists = ["values", "fp32_values", "int32_values", "int64_values", "bool_values"];
  const values =
    lists.map((name) => call.numbers(name) ?? []).find((list) => list.length > 0) ?? [];
  const dims = call.numbers("shape") ?? [values.length];
  const raw = rawOfNumbers(dtype, values.map(Number));
  return call.graph.addConstant({ name: call.wanted, dtype, dims, raw });
}

function range(call: Call): string {
  const start = call.input("Start");
  const dtype = call.has("dtype")
    ? call.elementType("dtype", call.dtype(start))
    : call.dtype(start);
  const scalar = (value: string): string =>
    call.cast(call.graph.node("Reshape", [value, call.ints64([])]), dtype);
  return call.node("Range", [start, call.input("End"), call.input("Step")].map(scalar));
}

/** Each vector along an axis of its own, spread over the others. */
function meshgrid(call: Call): Made {
  const vectors = call.inputs("X");
  const sizes = vectors.map((v) => call.graph.node("Shape", [v]));
  const shape = call.graph.node("Concat", sizes, { axis: 0 });
  const grids = vectors.map((vector, place) => {
    const dims = vectors.map((_, i) => (i === place ? -1 : 1));
    const line = call.graph.node("Reshape", [vector, call.ints64(dims)]);
    return call.node("Expand", [line, shape]);
  });
  return { Out: grids };
}
