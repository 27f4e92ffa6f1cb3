import type { OnnxGraph, OnnxModel, OnnxNode } from "./read-model.js";
import { bytesField, concatBytes, fields, sameField, text, type Field } from "./wire.js";

/**
 * New models out of an old one, without touching a weight: the same graph with more outputs, or its
 * front part. Values are named as the graph names them (node outputs); they must be tensors.
 */

/** Field numbers of `onnx.proto3`. */
const model = { graph: 7 } as const;
const graph = { node: 1, name: 2, initializer: 5, input: 11, output: 12 } as const;
const node = { input: 1, output: 2, op: 4 } as const;
const tensor = { name: 8 } as const;
const valueInfo = { name: 1 } as const;

/** Suffix of the outputs that `exposeShapes` adds. */
export const shapeSuffix = "/shape-of";

/**
 * The same model with, for each named value, one more output `NAME/shape-of` (int64 [rank]): shapes
 * without keeping the tensors. Protocol Buffers merges a message that occurs twice, repeated fields
 * by appending, so a second, tiny ModelProto at the file's end adds nodes and outputs to the first
 * one's graph; ONNX Runtime infers their types.
 */
export function exposeShapes(bytes: Uint8Array, names: readonly string[]): Uint8Array {
  const parts = names.flatMap((name) => {
    const shape = bytesField(graph.node, [
      bytesField(node.input, name),
      bytesField(node.output, name + shapeSuffix),
      bytesField(node.op, "Shape"),
    ]);
    return [shape, outputNamed(name + shapeSuffix)];
  });
  return concatBytes([bytes, bytesField(model.graph, parts)]);
}

/**
 * The front part of a model: only what the named values depend on, and they are its outputs.
 * Whatever follows (such as a suppression that fails on some pictures) is gone. A name that the
 * graph does not compute is refused.
 * @throws RangeError naming it.
 */
export function cutGraph(source: OnnxModel, outputs: readonly string[]): Uint8Array {
  const { nodes, values } = ancestors(source.graph, outputs);
  const kept = new Set(nodes.map(({ bytes }) => placeOf(bytes)));
  const keep = ({ number, bytes }: Field): boolean => {
    if (number === graph.node) return kept.has(placeOf(bytes));
    if (number === graph.initializer) return values.has(nameIn(bytes, tensor.name));
    // Also the inputs that only repeat an initializer, as files of IR version 3 must.
    if (number === graph.input) return values.has(nameIn(bytes, valueInfo.name));
    return number === graph.name;
  };
  const declared = new Map(source.graph.outputs.map((o) => [o.name, o.bytes]));
  const parts: Uint8Array[] = [];
  for (const field of fields(source.bytes)) {
    if (field.number !== model.graph) {
      parts.push(sameField(field));
      continue;
    }
    parts.push(bytesField(model.graph, [...fields(field.bytes)].filter(keep).map(sameField)));
  }
  parts.push(
    bytesField(
      model.graph,
      outputs.map((name) => {
        const bytes = declared.get(name);
        return bytes ? bytesField(graph.output, bytes) : outputNamed(name);
      }),
    ),
  );
  return concatBytes(parts);
}

/** The nodes that the named values depend on, in the graph's order, and every value on the way. */
export function ancestors(
  source: OnnxGraph,
  names: readonly string[],
): { nodes: OnnxNode[]; values: Set<string> } {
  const makers = new Map<string, OnnxNode>();
  for (const n of source.nodes) for (const output of n.outputs) makers.set(output, n);
  const given = new Set([...source.initializers.keys(), ...source.inputs.map((i) => i.name)]);
  const values = new Set<string>();
  const nodes = new Set<OnnxNode>();
  const open = [...names];
  while (open.length > 0) {
    const name = open.pop()!;
    if (name === "" || values.has(name)) continue;
    values.add(name);
    const maker = makers.get(name);
    if (maker) {
      nodes.add(maker);
      open.push(...maker.inputs, ...capturedBy(maker));
    } else if (!given.has(name))
      throw new RangeError(`the graph computes no value named ${JSON.stringify(name)}`);
  }
  return { nodes: source.nodes.filter((n) => nodes.has(n)), values };
}

/**
 * Values that a node's bodies (If, Loop, Scan) take from the graph around it, besides its inputs.
 */
function capturedBy(source: OnnxNode): string[] {
  return [...source.attributes.values()].flatMap((attribute) =>
    attribute.graphs.flatMap((body) => freeNames(body)),
  );
}

function freeNames(body: OnnxGraph): string[] {
  const bound = new Set([
    ...body.initializers.keys(),
    ...body.inputs.map((i) => i.name),
    ...body.nodes.flatMap((n) => n.outputs),
  ]);
  const used = [
    ...body.nodes.flatMap((n) => [...n.inputs, ...capturedBy(n)]),
    ...body.outputs.map((o) => o.name),
  ];
  return used.filter((name) => name !== "" && !bound.has(name));
}

function outputNamed(name: string): Uint8Array {
  return bytesField(graph.output, bytesField(valueInfo.name, name));
}

function nameIn(bytes: Uint8Array, number: number): string {
  for (const field of fields(bytes)) if (field.number === number) return text(field);
  return "";
}

/** Where in its file a part lies: two views of one place are the same part. */
function placeOf(view: Uint8Array): string {
  return `${view.byteOffset}+${view.length}`;
}
