import type { Call } from "./call.js";
import type { Entry, Family } from "./operator.js";
import { reduce } from "./pooling.js";

/** Reductions along axes, and the places of the largest. */
export const reductions: Family = {
  reduce_mean: reduction("mean", "ReduceMean"),
  reduce_sum: reduction("sum", "ReduceSum"),
  reduce_max: reduction("max", "ReduceMax"),
  reduce_min: reduction("min", "ReduceMin"),
  reduce_prod: reduction("prod", "ReduceProd"),
  mean: {
    pir: { mean_all: ["X", "Out"] },
    emit: (call) => reduceAll(call, "ReduceMean", call.input("X")),
  },
  arg_max: { pir: { argmax: ["X axis=", "Out"] }, emit: (call) => argument(call, "ArgMax") },
  arg_min: { pir: { argmin: ["X axis=", "Out"] }, emit: (call) => argument(call, "ArgMin") },
  top_k_v2: { pir: { topk: ["X k=K", "Out Indices"] }, emit: topK },
  top_k: { pir: {}, emit: topK },
  cumsum: {
    pir: { cumsum: ["X axis=", "Out"] },
    limits: "along an axis, forward, inclusive",
    emit: (call) => {
      const x = call.input("X");
      const odd = ["exclusive", "reverse", "flatten"].some((name) => call.flag(name, false));
      if (odd) throw call.refusal("it is exclusive, reversed or flattened", "use a plain sum");
      const axis = call.axis(x, call.number("axis", -1));
      return call.node("CumSum", [x, call.graph.constant("int64", axis)]);
    },
  },
};

function reduction(pir: string, op: string): Entry {
  return {
    pir: { [pir]: ["X dim=", "Out", { keepdim: "keep_dim", axis: "dim" }] },
    emit: (call) => {
      const x = call.input("X");
      const axes = call.numbers("dim") ?? [];
      const keep = call.flag("keep_dim", false);
      if (axes.length === 0 || call.flag("reduce_all", false)) return reduceAll(call, op, x, keep);
      return reduce(call, op, x, { axes: axes.map((axis) => call.axis(x, axis)), keep });
    },
  };
}

function reduceAll(call: Call, op: string, x: string, keep = false): string {
  const axes = Array.from({ length: call.rank(x) }, (_, i) => i);
  const value = reduce(call, op, x, { axes, keep });
  // Before 2.5 Paddle had no tensors of rank 0: a single number was a vector of one.
  return !keep && call.statedRank("Out") === 1
    ? call.node("Reshape", [value, call.ints64([1])])
    : value;
}

function argument(call: Call, op: string): string {
  const x = call.input("X");
  const keepdims = call.flag("keepdims", false) ? 1 : 0;
  if (call.flag("flatten", false)) throw call.refusal("it flattens its input", "give an axis");
  const found = call.node(op, [x], { axis: call.axis(x, call.number("axis", -1)), keepdims });
  return call.cast(found, call.elementType("dtype", "int64"));
}

/** The k largest; ONNX wants k no larger than the axis. */
function topK(call: Call): Record<string, string> {
  const x = call.input("X");
  const axis = call.axis(x, call.number("axis", -1));
  const tensor = call.optional("K");
  const count = tensor === null ? call.ints64([call.number("k", 1)]) : asVector(call, tensor);
  const attributes = {
    axis,
    largest: call.flag("largest", true) ? 1 : 0,
    sorted: call.flag("sorted", true) ? 1 : 0,
  };
  const names = [call.output("Out"), call.output("Indices")];
  const [values = "", indices = ""] = call.graph.nodeWithOutputs(
    "TopK",
    [x, count],
    attributes,
    names,
  );
  return { Out: values, Indices: indices };
}

function asVector(call: Call, value: string): string {
  const vector = call.graph.node("Reshape", [value, call.ints64([1])]);
  return call.cast(vector, "int64");
}
