/** A measured number, or the reason why there is none. Never -1, never NaN. */
export type Score =
  | { readonly value: number; readonly n: number; readonly ci: readonly [number, number] | null }
  | { readonly value: null; readonly why: string };

export type Unit = "ratio" | "ms" | "bytes" | "count" | "per-second";
export type Direction = "higher" | "lower" | "neither";

/** A score with its name, unit and direction, as records hold it. */
export type NamedScore = {
  readonly name: string;
  readonly unit: Unit;
  readonly better: Direction;
} & Score;
