import { dtypeName, type DType } from "../../pipeline/onnx/read-tensor.js";
import type { DraftNode } from "../../pipeline/onnx/write-model.js";
import { NodeView, type Known, type Rule } from "./node-view.js";
import { convolution, pooling, transposedConvolution } from "./window-shapes.js";
import {
  elementsOf,
  fixed,
  fromFront,
  type Dim,
  type Shape,
  type ValueType,
  squeezed,
  unsqueezed,
} from "./values.js";

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

/** Results of one element type and shape. */
const shaped = (dtype: DType, shape: Shape | null): ValueType[] => [{ dtype, shape }];

const broadcasting =
  (dtype?: DType): Rule =>
  (at) => {
    const shapes = at.node.inputs.map((_, slot) => at.shape(slot));
    return shaped(dtype ?? at.type(0).dtype, broadcast(shapes));
  };

export function broadcast(shapes: readonly (Shape | null)[]): Shape | null {
  if (shapes.some((s) => s === null)) return null;
  const known = shapes as readonly Shape[];
  const rank = Math.max(...known.map((s) => s.length));
  return Array.from({ length: rank }, (_, place) => {
    const reaching = known.filter((s) => place - rank + s.length >= 0);
    const dims = reaching.map((s) => s[place - rank + s.length]!).filter((d) => d !== 1);
    const number = dims.find((d) => typeof d === "number");
    return number ?? (dims.length === 0 ? 1 : (dims.find((d) => d !== null) ?? null));
  });
}

const concat: Rule = (at) => {
  const shapes = at.node.inputs.map((_, slot) => at.shape(slot));
  const first = shapes[0] ?? null;
  const { dtype } = at.type(0);
  if (!first || shapes.some((s) => s === null)) return shaped(dtype, null);
  const axis = fromFront(at.int("axis", 0), first.length);
  const sizes = shapes.map((s) => s![axis] ?? null);
  const sum = sizes.every((d) => typeof d === "number")
    ? sizes.reduce<number>((total, d) => total + (d as number), 0)
    : null;
  return shaped(
    dtype,
    first.map((d, i) =>
      i === axis ? sum : (shapes.map((s) => s![i]).find(isNumber) ?? d ?? null),
    ),
  );
};

function isNumber(dim: Dim | undefined): dim is number {
  return typeof dim === "number";
}

const split: Rule = (at) => {
  const { dtype, shape } = at.type(0);
  const axis = shape ? fromFront(at.int("axis", 0), shape.length) : 0;
  const sizes = at.numbers(1);
  const whole = shape?.[axis];
  const count = at.node.outputs.length;
  return at.node.outputs.map((_, part) => {
    const even = isNumber(whole) ? Math.ceil(whole / count) : null;
    const size = sizes?.[part] ?? even;
    return { dtype, shape: shape?.map((d, i) => (i === axis ? size : d)) ?? null };
  });
};

const slice: Rule = (at) => {
  const { dtype, shape } = at.type(0);
  if (!shape) return shaped(dtype, null);
  const starts = at.contents(1);
  const ends = at.contents(2);
  const axes = at.numbers(3) ?? shape.map((_, i) => i);
  const steps = at.numbers(4);
  const out = [...shape];
  for (const [place, axis] of axes.entries()) {
    const i = fromFront(axis, shape.length);
    out[i] = sliced(shape[i]!, starts?.[place], ends?.[place], steps?.[place] ?? 1);
  }
  return shaped(dtype, out);
};

function sliced(size: Dim, start: Dim | undefined, end: Dim | undefined, step: number): Dim {
  if (!isNumber(start)) return null;
  if (start === 0 && step === 1 && end !== undefined && end === size) return size;
  if (!isNumber(size)) {
    if (start === 0 && isNumber(end) && end >= 2 ** 31 - 1) return size;
    return isNumber(end) && start >= 0 && end === start + 1 ? 1 : null;
  }
  if (!isNumber(end)) return null;
  return sliceLength(size, start, end, step);
}

/** How many elements a slice takes, as ONNX and numpy clamp its ends. */
export function sliceLength(size: number, start: number, end: number, step: number): number {
  const least = step > 0 ? 0 : -1;
  const most = step > 0 ? size : size - 1;
  const clamp = (n: number): number => Math.min(most, Math.max(least, n < 0 ? n + size : n));
  return Math.max(0, Math.ceil((clamp(end) - clamp(start)) / step));
}

const reshape: Rule = (at) => {
  const { dtype, shape } = at.type(0);
  const wanted = at.contents(1);
  if (!wanted) {
    const rank = at.shape(1)?.[0];
    return shaped(dtype, isNumber(rank) ? Array<Dim>(rank).fill(null) : null);
  }
  const kept = wanted.map((d, i) =>
    d === 0 && at.int("allowzero", 0) === 0 ? (shape?.[i] ?? null) : d,
  );
  const open = kept.filter((d) => !(isNumber(d) && d >= 0));
  if (open.length !== 1 || open[0] !== -1) {
    return shaped(
      dtype,
      kept.map((d) => (d === -1 ? null : d)),
    );
  }
  const sizes = kept.filter((d): d is number => isNumber(d) && d >= 0);
  const rest = remaining(shape, kept, elementsOf(sizes));
  return shaped(
    dtype,
    kept.map((d) => (d === -1 ? rest : d)),
  );
};

/** What -1 stands for, also where the only open size is kept in its place. */
function remaining(shape: Shape | null, kept: readonly Dim[], taken: number): Dim {
  const all = fixed(shape);
  if (all) return taken === 0 ? 0 : elementsOf(all) / taken;
  if (!shape) return null;
  const open = shape.filter((d) => !isNumber(d));
  const numbers = elementsOf(shape.filter(isNumber));
  if (open.length === 1 && kept.indexOf(-1) === shape.indexOf(open[0]!) && numbers === taken) {
    return open[0]!;
  }
  return null;
}

const transpose: Rule = (at) => {
  const { dtype, shape } = at.type(0);
  const order = at.ints("perm") ?? shape?.map((_, i) => shape.length - 1 - i) ?? [];
  return shaped(dtype, shape && order.map((i) => shape[i] ?? null));
};

const squeeze: Rule = (at) => {
  const { dtype, shape } = at.type(0);
  const axes = at.numbers(1);
  return shaped(dtype, shape && axes && squeezed(shape, axes));
};

const unsqueeze: Rule = (at) => {
  const { dtype, shape } = at.type(0);
  const axes = at.numbers(1);
  return shaped(dtype, shape && axes && unsqueezed<Dim>(shape, axes));
};

const gather: Rule = (at) => {
  const { dtype, shape } = at.type(0);
  const indices = at.shape(1);
  if (!shape || !indices) return shaped(dtype, null);
  const axis = fromFront(at.int("axis", 0), shape.length);
  return shaped(dtype, [...shape.slice(0, axis), ...indices, ...shape.slice(axis + 1)]);
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
