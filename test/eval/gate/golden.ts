import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../../src/pipeline/root.js";

const folder = join(projectRoot, "test", "golden", "gate");
const read = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), "utf8"));

export interface GoldenPair {
  readonly n: number;
  readonly lost: number;
  readonly gained: number;
  readonly limit: number;
  readonly difference: number;
  readonly bounds: readonly [number, number];
  readonly p: number;
  readonly verdict: string;
  readonly deviation: number;
  readonly itemsToTell: number | null;
}

/** What SciPy and NumPy give; test/golden/gate/make.py says how. */
export const golden = read("expected.json") as {
  readonly paired: readonly GoldenPair[];
  readonly chances: readonly {
    readonly difference: number;
    readonly deviation: number;
    readonly n: number;
    readonly limit: number;
    readonly pass: number;
    readonly fail: number;
  }[];
  readonly vectors: {
    readonly first: number[];
    readonly second: number[];
    readonly dim: number;
    readonly cosines: number[];
    readonly snrDb: number;
  };
  readonly codes: {
    readonly first: number[];
    readonly second: number[];
    readonly bits: number;
    readonly distances: number[];
    readonly flips: number[];
  };
  readonly models: Readonly<Record<string, readonly GoldenPair[]>>;
};

/** Rights and wrongs of pairs of models, a character a query. */
export const outcomes = (): Record<string, { baseline: string; candidate: string }> =>
  read("outcomes.json") as Record<string, { baseline: string; candidate: string }>;
