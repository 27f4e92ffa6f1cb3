import { peopleOf } from "./heads.js";
import { sources } from "./sources.js";

/** Part of every seed: another number is another benchmark. */
export const seed = "mini/1";

/**
 * People by part: numbers of `heads.ts`, each with so many expressions. No person is in two parts.
 */
export const crowd = { test: 450, dev: 100, train: 900 } as const;
export const expressions = { test: 5, dev: 5, train: 8 } as const;

export type Part = keyof typeof crowd;

/** The person numbers of each part. Deterministic, and distinct in their traits. */
export function people(): Record<Part, number[]> {
  const all = peopleOf(seed, 0, crowd.test + crowd.dev + crowd.train);
  return {
    test: all.slice(0, crowd.test),
    dev: all.slice(crowd.test, crowd.test + crowd.dev),
    train: all.slice(crowd.test + crowd.dev),
  };
}

export const packageStores: readonly string[] = sources.map((s) => s.name);
