import { dtypeName, type DType } from "../../pipeline/onnx/read-tensor.js";
import type { DraftNode } from "../../pipeline/onnx/write-model.js";
import type { Known } from "./node-view.js";
import {
  elementsOf,
  fixed,
  mostElements,
  type Contents,
  type Dim,
  reshapedDims,
  squeezed,
  unsqueezed,
} from "./values.js";

/**
 * Contents of small values while a graph is built: sizes, indices, conditions. One rule an ONNX
 * operator; what hangs on fed contents, or is large, is left alone.
 */

interface Evaluation {
  readonly node: DraftNode;
  readonly known: Known;
  /** Contents of the inputs, in order. */
  readonly given: readonly (Contents | undefined)[];
  readonly dtype: DType;
}

type Rule = (at: Evaluation) => Contents | undefined;

/** The contents of a node's first output where they can be told. */
export function contentsOf(node: DraftNode, known: Known): Contents | undefined {
  const rule = rules[node.op];
  if (!rule) return undefined;
  const given = node.inputs.map((name) => (name === "" ? undefined : known.contentsOf(name)));
  const first = node.inputs[0];
  const dtype = first === undefined ? "int64" : known.typeOf(first).dtype;
  const made = rule({ node, known, given, dtype });
  return made && made.values.length <= mostElements ? made : undefined;
}

const shapeOf: Rule = ({ node, known }) => {
  const { shape } = known.typeOf(node.inputs[0]!);
  return shape ? { dims: [shape.length], values: shape } : undefined;
};

/** Another arrangement of the same elements. */
const rearranged =
  (dims: (from: readonly number[], how: readonly number[]) => number[]): Rule =>
  ({ given }) => {
    const [from, how] = given;
    const numbers = fixed(how?.values ?? null);
    return from && numbers ? { dims: dims(from.dims, numbers), values: from.values } : undefined;
  };

const same: Rule = ({ given }) => given[0];

const cast: Rule = ({ node, given }) => {
  const [from] = given;
  if (!from) return undefined;
  const to = node.attributes?.["to"];
  const dtype = dtypeName(typeof to === "number" ? to : 1);
  const turn = (d: Dim): Dim => {
    if (typeof d !== "number") return d;
    if (dtype === "bool") return d === 0 ? 0 : 1;
    return dtype.startsWith("float") ? d : Math.trunc(d);
  };
  return { dims: from.dims, values: from.values.map(turn) };
};

/** One list joined from vectors. */
const concat: Rule = ({ given }) => {
  if (given.some((g) => g?.dims.length !== 1)) return undefined;
  const values = given.flatMap((g) => [...g!.values]);
  return { dims: [values.length], values };
};

const slice: Rule = ({ given }) => {
  const [from, start, end, axes, steps] = given;
  if (from?.dims.length !== 1 || !start || !end) return undefined;
  const [a] = start.values;
  const [b] = end.values;
  const axis = axes?.values[0] ?? 0;
  if (typeof a !== "number" || typeof b !== "number" || (axis !== 0 && axis !== -1))
    return undefined;
  if ((steps?.values[0] ?? 1) !== 1) return undefined;
  const values = from.values.slice(a, b);
  return { dims: [values.length], values };
};

const gather: Rule = ({ node, given }) => {
  const [from, index] = given;
  const indices = fixed(index?.values ?? null);
  if (from?.dims.length !== 1 || !index || !indices || node.attributes?.["axis"]) return undefined;
  const values = indices.map((i) => from.values.at(i) ?? null);
  return { dims: index.dims, values };
};

type Arithmetic = (a: number, b: number, whole: boolean) => number;

/** Element by element, a single one against many. Open sizes stay open. */
const elementwise =
  (compute: Arithmetic): Rule =>
  ({ given, dtype }) => {
    const [a, b] = given;
    if (!a || !b) return undefined;
    const longer = a.values.length >= b.values.length ? a : b;
    const [n, m] = [a.values.length, b.values.length];
    if (n !== m && n !== 1 && m !== 1) return undefined;
    const dims = a.dims.length > b.dims.length ? a.dims : longer.dims;
    if (elementsOf(dims) !== longer.values.length) return undefined;
    const whole = !dtype.startsWith("float");
    const values = longer.values.map((_, i) => {
      const x = a.values[n === 1 ? 0 : i]!;
      const y = b.values[m === 1 ? 0 : i]!;
      return typeof x === "number" && typeof y === "number" ? compute(x, y, whole) : null;
    });
    return { dims, values };
  };

const each =
  (compute: (x: number) => number): Rule =>
  ({ given }) => {
    const [from] = given;
    const numbers = fixed(from?.values ?? null);
    return from && numbers ? { dims: from.dims, values: numbers.map(compute) } : undefined;
  };

const bit = (condition: boolean): number => (condition ? 1 : 0);

const rules: Readonly<Record<string, Rule>> = {
  Shape: shapeOf,
  Identity: same,
  Cast: cast,
  Concat: concat,
  Slice: slice,
  Gather: gather,
  Reshape: rearranged(reshapedDims),
  Squeeze: rearranged((dims, axes) => squeezed(dims, axes)),
  Unsqueeze: rearranged((dims, axes) => unsqueezed<number>(dims, axes)),
  Add: elementwise((a, b) => a + b),
  Sub: elementwise((a, b) => a - b),
  Mul: elementwise((a, b) => a * b),
  Div: elementwise((a, b, whole) => (whole ? Math.trunc(a / b) : a / b)),
  Mod: elementwise((a, b) => a - b * Math.floor(a / b)),
  Min: elementwise((a, b) => Math.min(a, b)),
  Max: elementwise((a, b) => Math.max(a, b)),
  Less: elementwise((a, b) => bit(a < b)),
  LessOrEqual: elementwise((a, b) => bit(a <= b)),
  Greater: elementwise((a, b) => bit(a > b)),
  GreaterOrEqual: elementwise((a, b) => bit(a >= b)),
  Equal: elementwise((a, b) => bit(a === b)),
  And: elementwise((a, b) => bit(a !== 0 && b !== 0)),
  Or: elementwise((a, b) => bit(a !== 0 || b !== 0)),
  Not: each((a) => bit(a === 0)),
  Floor: each(Math.floor),
  Ceil: each(Math.ceil),
};
