import type { OnnxModel, OnnxNode } from "./read-model.js";
import { bytesField, concatBytes, fields, sameField, text, type Field } from "./wire.js";

/**
 * A model with some of its nodes and constants replaced; all else stays byte for byte. Parts are
 * given as the protobuf messages that the file holds (NodeProto, TensorProto, ValueInfoProto).
 */
export interface GraphEdit {
  /** What stands in a node's place: nothing (null), other nodes, or itself (undefined). */
  readonly node?: (node: OnnxNode, index: number) => readonly Uint8Array[] | null | undefined;
  /** Constants by name: those that the graph has are replaced, others are added. */
  readonly initializers?: ReadonlyMap<string, Uint8Array>;
  /** Nodes before all others, and after them. */
  readonly before?: readonly Uint8Array[];
  readonly after?: readonly Uint8Array[];
  /** The graph's outputs, where they change. */
  readonly outputs?: readonly Uint8Array[];
}

/** Field numbers of `onnx.proto3`. */
const inModel = { graph: 7 } as const;
const inGraph = { node: 1, initializer: 5, output: 12 } as const;
const inNode = { input: 1, output: 2 } as const;
const inTensor = { name: 8 } as const;

/**
 * Rewrites the main graph. A name that an edit mentions and the graph lacks is added, not refused.
 */
export function editGraph(model: OnnxModel, edit: GraphEdit): Uint8Array {
  let first = true;
  const parts = [...fields(model.bytes)].map((field) => {
    if (field.number !== inModel.graph) return sameField(field);
    const graph = editedGraph(field, model, edit, first);
    first = false;
    return bytesField(inModel.graph, graph);
  });
  return concatBytes(parts);
}

function editedGraph(
  graph: Field,
  model: OnnxModel,
  edit: GraphEdit,
  first: boolean,
): Uint8Array[] {
  const places = new Map(model.graph.nodes.map((n, i) => [placeOf(n.bytes), i]));
  const replaced = new Set<string>();
  const parts = first ? (edit.before ?? []).map((n) => bytesField(inGraph.node, n)) : [];
  for (const field of fields(graph.bytes)) {
    if (field.number === inGraph.node) parts.push(...editedNode(field, places, model, edit));
    else if (field.number === inGraph.initializer) {
      const name = nameOf(field.bytes);
      const other = edit.initializers?.get(name);
      if (other) replaced.add(name);
      parts.push(other ? bytesField(inGraph.initializer, other) : sameField(field));
    } else if (field.number === inGraph.output && edit.outputs) continue;
    else parts.push(sameField(field));
  }
  if (!first) return parts;
  const added = [...(edit.initializers ?? [])].filter(
    ([name]) => !replaced.has(name) && !model.graph.initializers.has(name),
  );
  return [
    ...parts,
    ...(edit.after ?? []).map((n) => bytesField(inGraph.node, n)),
    ...added.map(([, tensor]) => bytesField(inGraph.initializer, tensor)),
    ...(edit.outputs ?? []).map((o) => bytesField(inGraph.output, o)),
  ];
}

function editedNode(
  field: Field,
  places: ReadonlyMap<string, number>,
  model: OnnxModel,
  edit: GraphEdit,
): Uint8Array[] {
  const index = places.get(placeOf(field.bytes))!;
  const other = edit.node?.(model.graph.nodes[index]!, index);
  if (other === undefined) return [sameField(field)];
  return (other ?? []).map((n) => bytesField(inGraph.node, n));
}

/** A node with other names for what it takes and gives; names that the maps lack stay. */
export function renamedNode(
  node: OnnxNode,
  inputs: ReadonlyMap<string, string>,
  outputs: ReadonlyMap<string, string> = new Map(),
): Uint8Array {
  const parts = [...fields(node.bytes)].map((field) => {
    if (field.number !== inNode.input && field.number !== inNode.output) return sameField(field);
    const name = text(field);
    const other = (field.number === inNode.input ? inputs : outputs).get(name);
    return other === undefined ? sameField(field) : bytesField(field.number, other);
  });
  return concatBytes(parts);
}

function nameOf(tensor: Uint8Array): string {
  for (const field of fields(tensor)) if (field.number === inTensor.name) return text(field);
  return "";
}

function placeOf(view: Uint8Array): string {
  return `${view.byteOffset}+${view.length}`;
}
