import type { PassGraph } from "./graph.js";

/** Takes out what no output hangs on: nodes, then constants. Inputs stay, for they are the door. */
export function removeUnused(graph: PassGraph): void {
  const needed = new Set(graph.outputs.map((output) => output.name));
  const kept = [...graph.nodes].reverse().filter((node) => {
    if (!node.outputs.some((output) => needed.has(output))) return false;
    for (const input of node.inputs) needed.add(input);
    return true;
  });
  graph.nodes = kept.reverse();
  for (const name of graph.initializers.keys()) {
    if (!needed.has(name)) graph.initializers.delete(name);
  }
}
