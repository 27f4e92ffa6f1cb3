import { createHash } from "node:crypto";
import { uniform } from "../../src/pipeline/seeded-random.js";

/**
 * Weights for networks that nobody trained. Each tensor is drawn from a stream of its own, named by
 * the seed and the tensor: the same everywhere, in whatever order a network is put together.
 */
export interface WeightSource {
  /** `count` numbers, uniform between low and high. */
  between(name: string, count: number, low: number, high: number): Float32Array;
}

export function drawnWeights(seed: number): WeightSource {
  return {
    between(name, count, low, high) {
      const next = uniform(streamOf(seed, name));
      const span = high - low;
      const values = new Float32Array(count);
      for (let i = 0; i < count; i++) values[i] = low + span * next();
      return values;
    },
  };
}

let zeros = new Float32Array(1 << 20);

/** Only zeros, in one place for all: enough to count a network's parameters and operations. */
export const blankWeights: WeightSource = {
  between(_, count) {
    if (count > zeros.length) zeros = new Float32Array(count);
    return zeros.subarray(0, count);
  },
};

function streamOf(seed: number, name: string): number {
  return createHash("sha256").update(`${seed}/${name}`).digest().readInt32LE(0);
}
