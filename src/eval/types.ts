/** Where the truth lies, with what confidence, and what says so. */
export interface Interval {
  readonly low: number;
  readonly high: number;
  /** Confidence, such as 0.95. */
  readonly level: number;
  /** What made it, by the name that its code gives it: `wilson`, `bootstrap-bca`. */
  readonly method: string;
  /** Independent units that it rests on: items, images, clusters, rounds. */
  readonly units: number;
  /** Variance over that of as many independent items, where items come in clusters. */
  readonly designEffect?: number | undefined;
}

/** A number that was measured on n items. */
export interface Measured {
  readonly value: number;
  readonly n: number;
  readonly interval: Interval | null;
  readonly whyNoInterval?: string | undefined;
}

/** No value, and why. */
export interface Undefined {
  readonly value: null;
  readonly why: string;
}

/** A measured number, or the reason why there is none. Never -1, never NaN. */
export type Score = Measured | Undefined;

export type Unit = "ratio" | "ms" | "bytes" | "count" | "per-second";
export type Direction = "higher" | "lower" | "neither";

/** What a score is called. */
export interface ScoreName {
  readonly metric: string;
  readonly unit: Unit;
  readonly better: Direction;
  /** What the score is of, beyond its cell: { stage: "detect" }, { percentile: "90" }. */
  readonly of?: Readonly<Record<string, string>> | undefined;
}

/** A score with its name, unit and direction. */
export type NamedScore = ScoreName & Score;
