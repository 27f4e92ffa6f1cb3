import type { DraftNode, DraftValue } from "../../../pipeline/onnx/write-model.js";
import type { PassGraph } from "./graph.js";

/**
 * Gives outputs the names that are wanted: their values are renamed where a node makes them, else
 * copied.
 */
export function nameOutputs(
  graph: PassGraph,
  wanted: readonly { readonly name: string; readonly type: DraftValue }[],
): DraftValue[] {
  const makers = graph.producers();
  const renamed = new Map<string, string>();
  const copies: DraftNode[] = [];
  for (const { name, type } of wanted) {
    const value = type.name;
    if (makers.has(value) && !renamed.has(value)) renamed.set(value, name);
    else copies.push({ op: "Identity", inputs: [renamed.get(value) ?? value], outputs: [name] });
  }
  const rename = (name: string): string => renamed.get(name) ?? name;
  const nodes = graph.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map(rename),
    outputs: node.outputs.map(rename),
  }));
  graph.nodes = [...nodes, ...copies];
  return wanted.map(({ name, type }) => ({ ...type, name }));
}
