// passes/: a graph in; the same function with fewer nodes and constants out. It never sees what the
// graph was imported from.
import type {
  DraftAttribute,
  DraftGraph,
  DraftNode,
  DraftTensor,
} from "../../../pipeline/onnx/write-model.js";

/** A graph that passes rewrite: the same parts as a draft, by name where passes look them up. */
export class PassGraph {
  readonly name: string;
  readonly inputs: DraftGraph["inputs"];
  readonly outputs: DraftGraph["outputs"];
  nodes: DraftNode[];
  readonly initializers: Map<string, DraftTensor>;

  constructor({ name, nodes, inputs, outputs, initializers }: DraftGraph) {
    this.name = name;
    this.inputs = inputs;
    this.outputs = outputs;
    this.nodes = [...nodes];
    this.initializers = new Map(initializers.map((tensor) => [tensor.name, tensor]));
  }

  draft(): DraftGraph {
    const { name, nodes, inputs, outputs } = this;
    return { name, nodes, inputs, outputs, initializers: [...this.initializers.values()] };
  }

  /** The node that makes each value. */
  producers(): Map<string, DraftNode> {
    const made = new Map<string, DraftNode>();
    for (const node of this.nodes) for (const output of node.outputs) made.set(output, node);
    return made;
  }

  /** How often each value is read, by nodes and as an output. */
  readers(): Map<string, number> {
    const count = new Map<string, number>();
    const add = (name: string): void => void count.set(name, (count.get(name) ?? 0) + 1);
    for (const node of this.nodes) node.inputs.forEach(add);
    for (const output of this.outputs) add(output.name);
    return count;
  }
}

/** An attribute that is a list of whole numbers, or one of them; null where it is not there. */
export function wholeNumber(node: DraftNode, name: string): number | null {
  const value: DraftAttribute | undefined = node.attributes?.[name];
  return typeof value === "number" ? value : null;
}

export function floatAttribute(node: DraftNode, name: string, otherwise: number): number {
  const value = node.attributes?.[name];
  return typeof value === "object" && "float" in value ? value.float : otherwise;
}
