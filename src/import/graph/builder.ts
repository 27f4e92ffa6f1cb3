// graph/: shapes, constants and operators one by one in, a graph that can be written as ONNX out.
// It never sees the files or the operators of a foreign format.
import { dtypeNumber, type DType } from "../../pipeline/onnx/read-tensor.js";
import type {
  DraftAttribute,
  DraftGraph,
  DraftNode,
  DraftTensor,
  DraftValue,
} from "../../pipeline/onnx/write-model.js";
import { contentsOf } from "./contents.js";
import { inferTypes } from "./shapes.js";
import {
  elementsOf,
  fixed,
  mostElements,
  numbersOf,
  rawOfNumbers,
  type Contents,
  type Dim,
  type Shape,
  type ValueType,
  reshapedDims,
  squeezed,
  unsqueezed,
} from "./values.js";

export type Attributes = Readonly<Record<string, DraftAttribute>>;

/**
 * An ONNX graph as it grows, node by node. The type and shape of each value, and the contents of
 * small ones, are known as soon as the node is there, as far as they hang on nothing fed.
 */
export class GraphBuilder {
  readonly opset: number;
  readonly nodes: DraftNode[] = [];
  readonly initializers = new Map<string, DraftTensor>();
  readonly inputs: DraftValue[] = [];
  readonly outputs: DraftValue[] = [];
  readonly #types = new Map<string, ValueType>();
  readonly #contents = new Map<string, Contents>();
  readonly #taken = new Set<string>();

  constructor(opset: number) {
    this.opset = opset;
  }

  /** A name that no value has yet: this one, or this one with a number behind it. */
  fresh(wanted: string): string {
    let name = wanted;
    for (let n = 1; this.#taken.has(name); n++) name = `${wanted}.${n}`;
    this.#taken.add(name);
    return name;
  }

  /** Keeps a name for an output: no value gets it before. */
  reserve(name: string): void {
    this.#taken.add(name);
  }

  addInput(name: string, dtype: DType, shape: Shape): string {
    const value = this.fresh(name);
    this.inputs.push(namedDims({ name: value, dtype, shape }));
    this.#types.set(value, { dtype, shape });
    return value;
  }

  addOutput(name: string): void {
    const { dtype, shape } = this.typeOf(name);
    this.outputs.push(namedDims({ name, dtype, shape }));
  }

  addConstant(tensor: DraftTensor): string {
    const name = this.fresh(tensor.name);
    this.initializers.set(name, { ...tensor, name });
    this.#types.set(name, { dtype: tensor.dtype, shape: tensor.dims });
    return name;
  }

  /** A small constant; no dims: a scalar for a number, a vector for a list. */
  constant(dtype: DType, values: number | readonly number[], dims?: readonly number[]): string {
    const list = typeof values === "number" ? [values] : values;
    const shape = dims ?? (typeof values === "number" ? [] : [list.length]);
    return this.addConstant({
      name: "constant",
      dtype,
      dims: shape,
      raw: rawOfNumbers(dtype, list),
    });
  }

  /** Adds a node with one output and gives that output's name. */
  node(op: string, inputs: readonly string[], attributes: Attributes = {}, wanted = op): string {
    const view = this.#viewOfConstant(op, inputs, wanted);
    return view ?? this.nodeWithOutputs(op, inputs, attributes, [wanted])[0]!;
  }

  /** Adds a node with several outputs, named as wanted or nearly so. */
  nodeWithOutputs(
    op: string,
    inputs: readonly string[],
    attributes: Attributes,
    wanted: readonly string[],
  ): string[] {
    const outputs = wanted.map((name) => (name === "" ? "" : this.fresh(name)));
    const node: DraftNode = { op, inputs, outputs, attributes };
    this.nodes.push(node);
    const types = inferTypes(node, this, this.opset);
    for (const [place, name] of outputs.entries()) {
      if (name !== "") this.#types.set(name, types[place] ?? { dtype: "float32", shape: null });
    }
    this.#know(node, outputs[0] ?? "");
    return outputs;
  }

  /** Keeps the contents of a small value; where all of them are numbers the node is a constant. */
  #know(node: DraftNode, output: string): void {
    const contents = contentsOf(node, this);
    if (!contents || output === "") return;
    this.#contents.set(output, contents);
    const numbers = fixed(contents.values);
    if (!numbers) return;
    const { dtype } = this.typeOf(output);
    const raw = rawOfNumbers(dtype, numbers);
    this.nodes.pop();
    this.initializers.set(output, { name: output, dtype, dims: contents.dims, raw });
    this.#types.set(output, { dtype, shape: contents.dims });
  }

  /** @throws RangeError for a value that is not there. */
  typeOf(name: string): ValueType {
    const type = this.#types.get(name);
    if (!type) throw new RangeError(`the graph has no value ${JSON.stringify(name)}`);
    return type;
  }

  shapeOf(name: string): Shape | null {
    return this.typeOf(name).shape;
  }

  /** Contents of a small value that hangs on nothing fed, open sizes by name; else undefined. */
  contentsOf(name: string): Contents | undefined {
    const known = this.#contents.get(name);
    const tensor = this.initializers.get(name);
    if (known || !tensor || elementsOf(tensor.dims) > mostElements) return known;
    const values = numbersOf(tensor.dtype, tensor.raw);
    if (!values) return undefined;
    const contents = { dims: tensor.dims, values };
    this.#contents.set(name, contents);
    return contents;
  }

  /** The numbers of a value whose contents are all known; else null. */
  numbersIn(name: string): readonly number[] | null {
    return fixed(this.contentsOf(name)?.values ?? null);
  }

  /** A shape that a reader of the graph knows better than the rules. */
  state(name: string, type: ValueType): void {
    this.#types.set(name, type);
  }

  draft(name: string): DraftGraph {
    const { nodes, inputs, outputs } = this;
    return { name, nodes, inputs, outputs, initializers: [...this.initializers.values()] };
  }

  /** A constant with other dims is another view of the same bytes, no node. */
  #viewOfConstant(op: string, inputs: readonly string[], wanted: string): string | null {
    const [source = "", how = ""] = inputs;
    const tensor = this.initializers.get(source);
    if (!tensor || !(op in reshapings)) return null;
    const numbers = this.numbersIn(how);
    const dims = numbers && reshapings[op]!(tensor.dims, numbers);
    return dims && this.addConstant({ ...tensor, name: wanted, dims });
  }
}

type Reshaping = (dims: readonly number[], how: readonly number[]) => number[];

const reshapings: Readonly<Record<string, Reshaping>> = {
  Reshape: reshapedDims,
  Unsqueeze: unsqueezed,
  Squeeze: squeezed,
};

/** ONNX files state open sizes by name; one without gets its place's. */
function namedDims(value: { name: string; dtype: DType; shape: Shape | null }): DraftValue {
  dtypeNumber(value.dtype);
  const named = (dim: Dim, i: number): number | string => dim ?? `${value.name}_${i}`;
  return { ...value, shape: value.shape?.map(named) ?? null };
}
