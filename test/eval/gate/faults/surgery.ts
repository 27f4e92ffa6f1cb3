import { Constants } from "../../../../src/eval/gate/layers/constants.js";
import {
  editGraph,
  renamedNode,
  type GraphEdit,
} from "../../../../src/pipeline/onnx/edit-graph.js";
import {
  parseOnnx,
  type OnnxModel,
  type OnnxNode,
} from "../../../../src/pipeline/onnx/read-model.js";
import {
  floatTensor,
  nodeMessage,
  tensorMessage,
  type DraftAttribute,
  type DraftNode,
} from "../../../../src/pipeline/onnx/write-model.js";
import { plainAttributes } from "../../../../src/pipeline/onnx/attributes.js";

/** Damage done to good graphs, one small cut each. */

export function edited(model: OnnxModel, edit: GraphEdit): OnnxModel {
  return parseOnnx(editGraph(model, edit), model.file);
}

/** The nth node of an operator, from 0; negative from the end. */
export function nth(model: OnnxModel, op: string, n: number): OnnxNode {
  const node = model.graph.nodes.filter((x) => x.op === op).at(n);
  if (!node) throw new RangeError(`no ${op} ${n}`);
  return node;
}

/** The floats behind a node's input. */
export function constant(model: OnnxModel, node: OnnxNode, input: number) {
  const value = new Constants(model.graph).value(node.inputs[input]);
  if (!value) throw new RangeError(`input ${input} of ${node.op} is no constant`);
  return value;
}

/** A node with another constant in place of one of its inputs. */
export function withConstant(
  model: OnnxModel,
  node: OnnxNode,
  input: number,
  change: (values: Float64Array, dims: readonly number[]) => ArrayLike<number>,
): OnnxModel {
  const { values, dims } = constant(model, node, input);
  const name = `${node.inputs[input]!}/changed`;
  const tensor = floatTensor(name, dims, Float32Array.from(change(values, dims)));
  return edited(model, {
    node: (n) =>
      n === node ? [renamedNode(n, new Map([[node.inputs[input]!, name]]))] : undefined,
    initializers: new Map([[name, tensorMessage(tensor)]]),
  });
}

/** A node with other attributes. */
export function withAttributes(
  model: OnnxModel,
  node: OnnxNode,
  changed: Readonly<Record<string, DraftAttribute>>,
): OnnxModel {
  const own = Object.entries(plainAttributes(node))
    .filter(([key]) => node.attributes.has(key))
    .map(([key, value]): [string, DraftAttribute] => {
      if (typeof value === "string") return [key, { text: value }];
      if (typeof value !== "number") return [key, value];
      return [key, node.attributes.get(key)?.f === undefined ? value : { float: value }];
    });
  return replaced(model, node, [
    { ...draft(node), attributes: { ...Object.fromEntries(own), ...changed } },
  ]);
}

/** Other nodes in a node's place. */
export function replaced(model: OnnxModel, node: OnnxNode, by: readonly DraftNode[]): OnnxModel {
  return edited(model, { node: (n) => (n === node ? by.map(nodeMessage) : undefined) });
}

export function draft({ op, inputs, outputs, name }: OnnxNode): DraftNode {
  return { op, inputs, outputs, name };
}

/** Nodes between the picture input and all that reads it. */
export function behindInput(
  model: OnnxModel,
  input: string,
  nodes: (from: string, to: string) => readonly DraftNode[],
  initializers: ReadonlyMap<string, Uint8Array> = new Map(),
): OnnxModel {
  const to = `${input}/taken`;
  return edited(model, {
    before: nodes(input, to).map(nodeMessage),
    node: (n) => (n.inputs.includes(input) ? [renamedNode(n, new Map([[input, to]]))] : undefined),
    initializers,
  });
}

/** Rows of a matrix or kernels of a convolution in another order. */
export function reorderRows(order: (row: number, rows: number) => number) {
  return (values: Float64Array, dims: readonly number[]): Float64Array => {
    const rows = dims[0]!;
    const width = values.length / rows;
    return values.map((_, i) => values[order(Math.floor(i / width), rows) * width + (i % width)]!);
  };
}

/** The same for the columns of a matrix [in, out]. */
export function reorderColumns(order: (column: number, columns: number) => number) {
  return (values: Float64Array, dims: readonly number[]): Float64Array => {
    const columns = dims.at(-1)!;
    return values.map((_, i) => values[i - (i % columns) + order(i % columns, columns)]!);
  };
}
