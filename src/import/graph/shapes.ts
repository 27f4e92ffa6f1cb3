import { dtypeName, type DType } from "../../pipeline/onnx/read-tensor.js";
import type { DraftNode } from "../../pipeline/onnx/write-model.js";
import { NodeView, type Known, type Rule } from "./node-view.js";
import { broadcast, shaped } from "./broadcast.js";
import {
  concat,
  gather,
  isNumber,
  reshape,
  slice,
  split,
  squeeze,
  transpose,
  unsqueeze,
} from "./layout-shapes.js";
import { convolution, pooling, transposedConvolution } from "./window-shapes.js";
import { elementsOf, fixed, fromFront, type Dim, type Shape, type ValueType } from "./values.js";

/** Types and shapes of what a node makes, one rule an ONNX operator, after ONNX's Operators.md. */

/** The type of each output; without a rule, the first input's element type and no shape. */
export function inferTypes(node: DraftNode, known: Known, opset: number): ValueType[] {
  const at = new NodeView(node, known, opset);
  const rule = rules[node.op];
  if (rule) return rule(at);
  const dtype = at.has(0) ? at.type(0).dtype : "float32";
  return node.outputs.map(() => ({ dtype, shape: null }));
}

const same: Rule = (at) => [at.type(0)];

const broadcasting =
  (dtype?: DType): Rule =>
  (at) => {
    const shapes = at.node.inputs.map((_, slot) => at.shape(slot));
    return shaped(dtype ?? at.type(0).dtype, broadcast(shapes));
  };

const matrixProduct: Rule = (at) => {
  const { dtype, shape: a } = at.type(0);
  const b = at.shape(1);
  if (!a || !b || a.length === 0 || b.length === 0) return shaped(dtype, null);
  const rows = a.length === 1 ? [] : [a[a.length - 2]!];
  const columns = b.length === 1 ? [] : [b[b.length - 1]!];
  const batch = broadcast([a.slice(0, -2), b.slice(0, -2)]) ?? [];
  return shaped(dtype, [...batch, ...rows, ...columns]);
};

const reduced: Rule = (at) => {
  const { dtype, shape } = at.type(0);
  if (!shape) return shaped(dtype, null);
  const axes = at.ints("axes") ?? at.numbers(1) ?? shape.map((_, i) => i);
  const gone = new Set(axes.map((axis) => fromFront(axis, shape.length)));
  const keep = at.int("keepdims", 1) === 1;
  const dims = shape.map((d, i) => (gone.has(i) ? 1 : d));
  return shaped(dtype, keep ? dims : dims.filter((_, i) => !gone.has(i)));
};

const argument: Rule = (at) => {
  const shape = at.shape(0);
  if (!shape) return shaped("int64", null);
  const axis = fromFront(at.int("axis", 0), shape.length);
  const keep = at.int("keepdims", 1) === 1;
  const dims = shape.map((d, i) => (i === axis ? 1 : d));
  return shaped("int64", keep ? dims : dims.filter((_, i) => i !== axis));
};

const resize: Rule = (at) => {
  const { dtype, shape } = at.type(0);
  const scales = at.numbers(2);
  const sizes = at.contents(3);
  if (sizes) return shaped(dtype, sizes);
  const scaled = (d: Dim, i: number): Dim =>
    isNumber(d) ? Math.floor(d * scales![i]!) : scales![i] === 1 ? d : null;
  return shaped(dtype, shape && (scales ? shape.map(scaled) : shape.map(() => null)));
};

const pad: Rule = (at) => {
  const { dtype, shape } = at.type(0);
  const pads = at.numbers(1);
  if (!shape || !pads) return shaped(dtype, shape && shape.map(() => null));
  const padded = (d: Dim, i: number): Dim => {
    const more = pads[i]! + pads[i + shape.length]!;
    return more === 0 ? d : isNumber(d) ? d + more : null;
  };
  return shaped(dtype, shape.map(padded));
};

const expand: Rule = (at) => {
  const { dtype, shape } = at.type(0);
  return shaped(dtype, broadcast([shape, at.contents(1)]));
};

const tile: Rule = (at) => {
  const { dtype, shape } = at.type(0);
  const repeats = at.numbers(1);
  const times = (d: Dim, i: number): Dim => {
    const n = repeats?.[i];
    return n === 1 ? d : isNumber(d) && n !== undefined ? d * n : null;
  };
  return shaped(dtype, shape?.map(times) ?? null);
};

const range: Rule = (at) => {
  const [start, end, step] = [0, 1, 2].map((slot) => at.numbers(slot)?.[0]);
  const known = start !== undefined && end !== undefined && step !== undefined;
  const length = known ? Math.max(0, Math.ceil((end - start) / step)) : null;
  return shaped(at.type(0).dtype, [length]);
};

const topK: Rule = (at) => {
  const { dtype, shape } = at.type(0);
  const axis = shape ? fromFront(at.int("axis", -1), shape.length) : 0;
  const k = at.numbers(1)?.[0] ?? null;
  const out = shape?.map((d, i) => (i === axis ? k : d)) ?? null;
  return [
    { dtype, shape: out },
    { dtype: "int64", shape: out },
  ];
};

const cast: Rule = (at) => shaped(dtypeName(at.int("to", 1)), at.shape(0));

const shapeOf: Rule = (at) => shaped("int64", [at.shape(0)?.length ?? null]);

const globalPool: Rule = (at) => {
  const { dtype, shape } = at.type(0);
  return shaped(dtype, shape?.map((d, i) => (i < 2 ? d : 1)) ?? null);
};

const flatten: Rule = (at) => {
  const { dtype, shape } = at.type(0);
  if (!shape) return shaped(dtype, [null, null]);
  const axis = fromFront(at.int("axis", 1), shape.length);
  const product = (dims: Shape): Dim =>
    dims.length === 1 ? dims[0]! : fixed(dims) ? elementsOf(fixed(dims)!) : null;
  return shaped(dtype, [product(shape.slice(0, axis)), product(shape.slice(axis))]);
};

const filled: Rule = (at) => {
  const value = at.node.attributes?.["value"];
  const tensor = typeof value === "object" && "tensor" in value ? value.tensor : null;
  return shaped(tensor?.dtype ?? "float32", at.contents(0));
};

const quantised: Rule = (at) => shaped(at.has(2) ? at.type(2).dtype : "uint8", at.shape(0));

const dequantised: Rule = (at) => shaped(at.type(1).dtype, at.shape(0));

const chosen: Rule = (at) => [
  { dtype: at.type(1).dtype, shape: broadcast([0, 1, 2].map((slot) => at.shape(slot))) },
];

const suppression: Rule = () => shaped("int64", [null, 3]);

const comparison = broadcasting("bool");
const arithmetic = broadcasting();

const rules: Readonly<Record<string, Rule>> = {
  ...table(same, "Relu Sigmoid Tanh LeakyRelu HardSigmoid HardSwish Clip Exp Log Sqrt Abs Neg"),
  ...table(same, "Floor Ceil Round Reciprocal Softplus Elu Selu Erf Sin Cos Softmax LogSoftmax"),
  ...table(same, "Identity BatchNormalization InstanceNormalization LayerNormalization Mish"),
  ...table(same, "Not CumSum PRelu ScatterND ScatterElements Sign Gelu"),
  ...table(arithmetic, "Add Sub Mul Div Pow Mod Min Max And Or Xor"),
  ...table(comparison, "Less LessOrEqual Greater GreaterOrEqual Equal"),
  ...table(reduced, "ReduceMean ReduceMax ReduceMin ReduceSum ReduceProd ReduceL2"),
  ...table(convolution, "Conv DeformConv"),
  ...table(pooling, "MaxPool AveragePool"),
  ...table(globalPool, "GlobalAveragePool GlobalMaxPool"),
  ...table(argument, "ArgMax ArgMin"),
  ConvTranspose: transposedConvolution,
  Concat: concat,
  Split: split,
  Slice: slice,
  Reshape: reshape,
  Transpose: transpose,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Gather: gather,
  MatMul: matrixProduct,
  Resize: resize,
  Pad: pad,
  Expand: expand,
  Tile: tile,
  Range: range,
  TopK: topK,
  Cast: cast,
  Shape: shapeOf,
  Flatten: flatten,
  ConstantOfShape: filled,
  QuantizeLinear: quantised,
  DequantizeLinear: dequantised,
  Where: chosen,
  NonMaxSuppression: suppression,
};

function table(rule: Rule, names: string): Record<string, Rule> {
  return Object.fromEntries(names.split(" ").map((name) => [name, rule]));
}
