import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../../src/pipeline/root.js";

/** What SciPy gives; test/golden/statistics.py says how. */
export const golden = JSON.parse(
  readFileSync(join(projectRoot, "test", "golden", "statistics.json"), "utf8"),
) as {
  normalCdf: [number, number][];
  normalQuantile: [number, number][];
  binomialCdf: [number, number, number, number][];
  betaQuantile: [number, number, number, number][];
  proportion: {
    k: number;
    n: number;
    level: number;
    wilson: [number, number];
    exact: [number, number];
  }[];
  mcnemarExact: [number, number, number][];
  sample: number[];
  quantileCi: { q: number; value: number; ranks: [number, number] }[];
  bootstrapSample: number[];
  bootstrap: Record<string, [number, number, number]>;
};
