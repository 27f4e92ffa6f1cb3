import { UserError } from "../errors.js";
import type { OnnxGraph, OnnxModel, OnnxNode } from "./read-model.js";

/**
 * Whether a graph can be what it says: every value that is read is fed, a constant, or computed by
 * an earlier node, and by one only (ONNX IR specification, "Graphs": nodes are in topological
 * order, and names are unique within a graph and the graphs around it). One bit that flipped in a
 * name passes every check of the file format and fails here.
 *
 * Linear in the number of names.
 *
 * @throws UserError `onnx-graph` with the node and the name.
 */
export function checkGraph({ graph, file }: Pick<OnnxModel, "graph" | "file">): void {
  checkScope(graph, new Set(), file);
}

function checkScope(graph: OnnxGraph, around: ReadonlySet<string>, file: string): void {
  const own = new Set<string>([...graph.inputs.map((i) => i.name), ...graph.initializers.keys()]);
  // Sparse constants are counted, not read: any of the names may be one.
  const lenient = graph.sparseInitializers > 0;
  const known = (name: string): boolean =>
    lenient || name === "" || own.has(name) || around.has(name);
  graph.nodes.forEach((node, place) => {
    const strange = node.inputs.find((name) => !known(name));
    if (strange !== undefined) throw missing(graph, node, place, strange, file);
    const bodies = [...node.attributes.values()].flatMap((a) => a.graphs);
    if (bodies.length > 0) {
      const inner = new Set([...around, ...own]);
      for (const body of bodies) checkScope(body, inner, file);
    }
    for (const name of node.outputs) {
      if (name !== "" && own.has(name)) throw twice(node, place, name, file);
      own.add(name);
    }
  });
  const open = graph.outputs.find((o) => !known(o.name));
  if (open) {
    throw new UserError({
      code: "onnx-graph",
      message: `nothing computes the output ${JSON.stringify(open.name)}`,
      file,
      expected: "an output that a node computes, or that is fed",
      fix: damaged,
    });
  }
}

const damaged = "copy or export the file again: it is damaged, or its exporter is at fault";

function missing(
  graph: OnnxGraph,
  node: OnnxNode,
  place: number,
  name: string,
  file: string,
): UserError {
  const later = graph.nodes.findIndex((n) => n.outputs.includes(name));
  const found = later < 0 ? "no such value" : `node ${later} (${graph.nodes[later]!.op}), after it`;
  return new UserError({
    code: "onnx-graph",
    message: `nothing computes ${JSON.stringify(name)} before it is read`,
    file,
    path: nameOf(node, place),
    expected: "an input, a constant, or a value that an earlier node computes",
    found,
    fix: damaged,
  });
}

function twice(node: OnnxNode, place: number, name: string, file: string): UserError {
  return new UserError({
    code: "onnx-graph",
    message: `a second value of the name ${JSON.stringify(name)}`,
    file,
    path: nameOf(node, place),
    expected: "names that are given once",
    fix: damaged,
  });
}

function nameOf({ name, op }: OnnxNode, place: number): string {
  return `node ${place} (${op}${name === "" ? "" : ` ${JSON.stringify(name)}`})`;
}
