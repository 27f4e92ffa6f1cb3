import type { Clock } from "../../pipeline/types.js";

/** A time that must not be exceeded, watched by an injected clock. */
export class Budget {
  readonly totalMs: number;
  readonly #clock: Clock;
  readonly #start: number;

  /** @param startedMs by the clock, where it began before now. */
  constructor(totalMs: number, clock: Clock, startedMs = clock()) {
    this.totalMs = totalMs;
    this.#clock = clock;
    this.#start = startedMs;
  }

  get spentMs(): number {
    return this.#clock() - this.#start;
  }

  get leftMs(): number {
    return this.totalMs - this.spentMs;
  }
}

/** Sizes at which indexes are measured: a quarter of the next each, none under this. */
const smallest = 2000;
const step = 4;

/** The ladder of sizes up to n, ascending; n itself comes last. */
export function ladder(n: number): number[] {
  const sizes = [n];
  while (sizes[0]! / step >= smallest) sizes.unshift(Math.round(sizes[0]! / step));
  return sizes;
}

/** What building and sweeping a setting took at one size. */
export interface Cost {
  readonly size: number;
  readonly ms: number;
}

const leastExponent = 0.5;
const mostExponent = 2;

/**
 * How fast a cost is thought to grow before it is measured: k-means over lists whose number follows
 * the size, graphs that grow a little faster than their size.
 */
export function usualExponent(factory: string): number {
  if (factory.includes("{paddleclas}")) return 2;
  if (factory.includes("IVF")) return 1.5;
  return factory.includes("HNSW") ? 1.2 : 1.1;
}

/**
 * What a setting will take at another size, from what it took so far; null without any. The
 * exponent is halfway between the usual and that of the last two sizes: one of them may have been
 * disturbed.
 */
export function predictCost(costs: readonly Cost[], size: number, usual: number): number | null {
  const sorted = [...costs].sort((a, b) => a.size - b.size);
  const last = sorted.at(-1);
  if (last === undefined) return null;
  const before = sorted.at(-2);
  const measured =
    before === undefined
      ? usual
      : Math.log(last.ms / before.ms) / Math.log(last.size / before.size);
  const exponent = Math.min(mostExponent, Math.max(leastExponent, (measured + usual) / 2));
  return last.ms * (size / last.size) ** exponent;
}

/** Faiss trains a product quantiser on 256 points a centroid at most, in 25 rounds of k-means. */
const pointsPerCentroid = 256;
const rounds = 25;
/** Short sums do not reach what the processor can do: a careful guess. */
const operationsPerMs = 2e6;

/**
 * What training a product quantiser will take at least, where none was trained yet: samples too
 * small for it teach nothing of its cost. 0 for other indexes.
 */
export function unseenCost(factory: string, size: number, dim: number): number {
  const [, , bits = "8"] = /PQ(\d+)(?:x(\d+))?/.exec(factory) ?? [];
  if (!factory.includes("PQ")) return 0;
  const centroids = 2 ** Number(bits);
  const points = Math.min(size, centroids * pointsPerCentroid);
  return (2 * points * dim * centroids * rounds) / operationsPerMs;
}

/** A setting in a rung of the ladder, as it stands there. */
export interface Candidate<T> {
  readonly item: T;
  readonly family: string;
  /** Time of a query where it comes near enough to the limits; Infinity where it does not. */
  readonly costMs: number;
  /** Where it does not: by how much it misses them. */
  readonly excess: number;
  /** Kept whatever the others do: the yardstick. */
  readonly fixed: boolean;
}

/** A family's best is kept as long as it is no more than so many times slower than the best. */
const familyFactor = 4;

/**
 * One round of successive halving (Jamieson and Talwalkar 2016): the better half goes on to the
 * next size, and with it the best of each family that is within reach of the best of all.
 */
export function promote<T>(candidates: readonly Candidate<T>[]): T[] {
  const order = [...candidates].sort((a, b) => before(a, b));
  const half = new Set(order.slice(0, Math.ceil(order.length / 2)));
  const best = order[0]?.costMs ?? Infinity;
  const seen = new Set<string>();
  for (const candidate of order) {
    const first = !seen.has(candidate.family);
    seen.add(candidate.family);
    const near = candidate.costMs <= familyFactor * best && candidate.costMs < Infinity;
    if (candidate.fixed || (first && near)) half.add(candidate);
  }
  return order.filter((c) => half.has(c)).map((c) => c.item);
}

function before<T>(a: Candidate<T>, b: Candidate<T>): number {
  if (a.costMs !== b.costMs) return a.costMs < b.costMs ? -1 : 1;
  if (a.excess === b.excess) return 0;
  return a.excess < b.excess ? -1 : 1;
}
