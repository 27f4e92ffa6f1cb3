import type { DraftNode } from "../../pipeline/onnx/write-model.js";
import type { Contents, Dim, Shape, ValueType } from "./values.js";

/** What the rules ask of the graph so far. */
export interface Known {
  typeOf(name: string): ValueType;
  contentsOf(name: string): Contents | undefined;
  numbersIn(name: string): readonly number[] | null;
}

/** One node seen by its rule. */
export class NodeView {
  constructor(
    readonly node: DraftNode,
    readonly known: Known,
    readonly opset: number,
  ) {}

  has(slot: number): boolean {
    return (this.node.inputs[slot] ?? "") !== "";
  }

  type(slot: number): ValueType {
    return this.known.typeOf(this.node.inputs[slot]!);
  }

  shape(slot: number): Shape | null {
    return this.type(slot).shape;
  }

  /** The numbers in an input; null where they are not all known. */
  numbers(slot: number): readonly number[] | null {
    return this.has(slot) ? this.known.numbersIn(this.node.inputs[slot]!) : null;
  }

  contents(slot: number): readonly Dim[] | null {
    if (!this.has(slot)) return null;
    return this.known.contentsOf(this.node.inputs[slot]!)?.values ?? null;
  }

  int(name: string, otherwise: number): number {
    const value = this.node.attributes?.[name];
    return typeof value === "number" ? value : otherwise;
  }

  ints(name: string): readonly number[] | null {
    const value = this.node.attributes?.[name];
    return Array.isArray(value) ? (value as readonly number[]) : null;
  }
}

export type Rule = (at: NodeView) => ValueType[];
