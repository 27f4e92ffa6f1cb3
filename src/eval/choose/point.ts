import { isExhaustive } from "../../pipeline/index/factory.js";
import type { Score, Unit } from "../types.js";

/** Kinds of index that are told apart in an answer; `binary` ones compare sign codes. */
export const families = [
  "Flat",
  "IVF",
  "HNSW",
  "SQ8",
  "PQ",
  "IVF-PQ",
  "IVF-SQ8",
  "HNSW-SQ8",
  "RaBitQ",
  "binary Flat",
  "binary IVF",
  "binary HNSW",
  "two-stage",
] as const;
export type Family = (typeof families)[number];

export type Parameters = Readonly<Record<string, number>>;

/** How an index is built: all that does not change at run time. */
export interface Setting {
  readonly family: Family;
  readonly engine: string;
  /** A factory string of Faiss; `{lists}` stands for a number of lists that follows the size. */
  readonly factory: string;
  /** Whether it holds the vectors, or their signs. */
  readonly codes: "real" | "sign";
  /** Parameters set before rows are added, such as efConstruction. */
  readonly build: Parameters;
  /** The run-time parameter that trades recall for time; null where there is none. */
  readonly knob: Knob | null;
  /** Fewer vectors than this cannot train it. */
  readonly leastSize: number;
}

/** A run-time parameter: more of it never lowers recall, and never saves time. */
export interface Knob {
  readonly name: string;
  /** Values of the first, coarse sweep, ascending. */
  readonly values: readonly number[];
  readonly largest: number;
}

/** What is measured of a point, raw. */
export const figureUnits = {
  neighbourRecall: "ratio",
  labelRecall: "ratio",
  p50Ms: "ms",
  p90Ms: "ms",
  p99Ms: "ms",
  queriesPerSecond: "per-second",
  diskBytes: "bytes",
  memoryBytes: "bytes",
  trainMs: "ms",
  buildMs: "ms",
  addsPerSecond: "per-second",
  removesPerSecond: "per-second",
  coldLoadMs: "ms",
  churnRecall: "ratio",
} as const satisfies Record<string, Unit>;
export type FigureName = keyof typeof figureUnits;
export type Figures = Readonly<Partial<Record<FigureName, Score>>>;

/** One index with one value of each run-time parameter, measured on `size` vectors. */
export interface Point {
  readonly setting: Setting;
  /** The factory string as it was built. */
  readonly factory: string;
  readonly parameters: Parameters;
  readonly size: number;
  readonly figures: Figures;
  /** Rate of batches by the number of threads, of the points that may be the pick. */
  readonly throughput: readonly { readonly threads: number; readonly perSecond: Score }[];
  /** Whether vectors can be taken out. */
  readonly removable: boolean;
  readonly warnings: readonly string[];
}

/** A figure's value; null where it is not known. */
export function valueOf({ figures }: Pick<Point, "figures">, name: FigureName): number | null {
  return figures[name]?.value ?? null;
}

/** What tells a setting from others, for maps and caches. */
export function settingKey({ engine, factory, codes, build }: Setting): string {
  return JSON.stringify([engine, factory, codes, Object.entries(build).sort()]);
}

/** `HNSW32 efSearch 64`, `usearch HNSW16`: what people call a point. */
export function pointName({ setting, factory, parameters }: Omit<Point, "figures">): string {
  const engine = setting.engine === "faiss" ? "" : `${setting.engine} `;
  const named = { ...setting.build, ...parameters };
  const set = Object.entries(named).map(([name, value]) => ` ${name} ${value}`);
  return `${engine}${factory}${set.join("")}`;
}

/** What every other index is compared with, and what always keeps the limits of recall. */
export function isYardstick({ engine, factory }: Setting): boolean {
  return engine === "faiss" && isExhaustive(factory);
}
