import { createHash } from "node:crypto";
import type { DraftTensor } from "../../../pipeline/onnx/write-model.js";
import type { PassGraph } from "./graph.js";

/** Larger constants are weights: equal ones are not looked for. */
const mostBytes = 4096;

/** Small constants that are equal become one: sizes, axes, thresholds. */
export function mergeConstants(graph: PassGraph): void {
  const first = new Map<string, string>();
  const renamed = new Map<string, string>();
  const named = new Set(graph.outputs.map((output) => output.name));
  for (const [name, tensor] of graph.initializers) {
    if (tensor.raw.length > mostBytes || named.has(name)) continue;
    const key = keyOf(tensor);
    const known = first.get(key);
    if (known === undefined) first.set(key, name);
    else renamed.set(name, known);
  }
  for (const name of renamed.keys()) graph.initializers.delete(name);
  graph.nodes = graph.nodes.map((node) => {
    if (!node.inputs.some((name) => renamed.has(name))) return node;
    return { ...node, inputs: node.inputs.map((name) => renamed.get(name) ?? name) };
  });
}

function keyOf({ dtype, dims, raw }: DraftTensor): string {
  return `${dtype} [${dims.join()}] ${createHash("sha256").update(raw).digest("base64")}`;
}
