import { randomInt } from "node:crypto";
import type { Codes, Neighbours, Vectors } from "../../../src/pipeline/types.js";

/** Seeded numbers in [0, 1): mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function randomVectors(n: number, dim: number, seed = randomInt(2 ** 31)): Vectors {
  const next = seeded(seed);
  return { data: Float32Array.from({ length: n * dim }, () => next() * 2 - 1), dim };
}

export function randomCodes(n: number, bits: number, seed = randomInt(2 ** 31)): Codes {
  const next = seeded(seed);
  return {
    data: Uint8Array.from({ length: (n * bits) / 8 }, () => Math.floor(next() * 256)),
    bits,
  };
}

/** Rows `from` to `to` (exclusive) of vectors or codes, without a copy. */
export function slice<T extends Vectors | Codes>(rows: T, from: number, to: number): T {
  const width = "bits" in rows ? rows.bits / 8 : rows.dim;
  return { ...rows, data: rows.data.subarray(from * width, to * width) };
}

/** Rows and scores of one query. */
export function ofQuery(
  { k, rows, scores }: Neighbours,
  q: number,
): { rows: number[]; scores: number[] } {
  return {
    rows: [...rows.subarray(q * k, (q + 1) * k)],
    scores: [...scores.subarray(q * k, (q + 1) * k)],
  };
}

/**
 * How two results differ, or null where they agree but for ties: the sorted scores must be within
 * `tolerance`, and every row that is strictly better than the last place must be in both.
 */
export function difference(a: Neighbours, b: Neighbours, tolerance: number): string | null {
  if (a.k !== b.k || a.rows.length !== b.rows.length) return "other shapes";
  for (let q = 0; q < a.rows.length / a.k; q++) {
    const left = ofQuery(a, q);
    const right = ofQuery(b, q);
    for (let i = 0; i < a.k; i++) {
      const same =
        left.scores[i] === right.scores[i] ||
        Math.abs(left.scores[i]! - right.scores[i]!) <= tolerance;
      if (!same)
        return `query ${q}, place ${i}: score ${left.scores[i]} against ${right.scores[i]}`;
      if ((left.rows[i] === -1) !== (right.rows[i] === -1))
        return `query ${q}, place ${i}: row ${left.rows[i]} against ${right.rows[i]}`;
    }
    const last = left.scores.at(-1)!;
    const others = new Set(right.rows);
    const lost = left.rows.findIndex(
      (row, i) =>
        row !== -1 && Math.abs(left.scores[i]! - last) > 2 * tolerance && !others.has(row),
    );
    if (lost >= 0)
      return `query ${q}: row ${left.rows[lost]} with score ${left.scores[lost]} is missing`;
  }
  return null;
}
