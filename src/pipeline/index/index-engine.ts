import type { IndexMetric, VectorIndex } from "../types.js";
import type { IndexShape } from "./row-checks.js";

/** A parameter that an index takes after it was trained; a config may sweep it. */
export interface RunParameter {
  readonly name: string;
  /** For help and schemas. */
  readonly what: string;
  readonly least: number;
  readonly most: number;
}

/** A factory string that an engine takes, for the tests that every engine passes. */
export interface ExampleFactory {
  readonly factory: string;
  readonly kind: "real" | "binary";
  /** Parameters with which it compares with every vector; null where none make it so. */
  readonly exhaustive: Readonly<Record<string, number>> | null;
}

/**
 * An index engine: one file of this folder, and a line of `engines.ts`. Configs, help texts, sweeps
 * and the contract tests read it from there.
 */
export interface IndexEngine {
  readonly name: string;
  /** In a few words, for help. */
  readonly what: string;
  readonly kinds: readonly ("real" | "binary")[];
  readonly metrics: readonly IndexMetric[];
  readonly parameters: readonly RunParameter[];
  readonly examples: readonly ExampleFactory[];
  /** Whether vectors can be removed from an index of this factory string. */
  removes(factory: string): boolean;
  /** @throws UserError `index-factory`, `index-shape` for what it lacks. */
  open(shape: IndexShape, factory: string): VectorIndex;
  /** @param trusted where a hash was checked before. */
  load(bytes: Uint8Array, saved: { factory: string; trusted: boolean }): Promise<VectorIndex>;
  /** Reads a file without holding its bytes, where the engine can. */
  read?(file: string, saved: { factory: string; sha256?: string }): Promise<VectorIndex>;
}

const whole = { least: 1, most: 2 ** 31 - 1 };

export const nprobe: RunParameter = {
  name: "nprobe",
  what: "lists that an IVF search visits",
  ...whole,
};
export const efSearch: RunParameter = {
  name: "efSearch",
  what: "candidates that an HNSW search keeps",
  ...whole,
};
export const efConstruction: RunParameter = {
  name: "efConstruction",
  what: "candidates kept while an HNSW graph is built",
  ...whole,
};
