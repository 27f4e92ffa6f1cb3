// Populations whose truth is known, and what this project's own functions say of samples of them:
// how often an interval that promises 95% holds the truth, how often it is given at all, how often
// a verdict at 5% is a false alarm. Shared by the coverage programs of this folder.
import { Random } from "../src/eval/stats/random.js";

/** What one draw says: whether the interval held the truth; null where none was given. */
export type Held = boolean | null;

export interface Coverage {
  /** Of the intervals that were given. */
  readonly held: number | null;
  /** Share of draws with an interval. */
  readonly given: number;
}

/** Repeats a draw, seeded by its name. */
export function coverage(name: string, draws: number, draw: (random: Random) => Held): Coverage {
  const random = new Random(name);
  let [held, given] = [0, 0];
  for (let d = 0; d < draws; d++) {
    const result = draw(random);
    if (result === null) continue;
    given++;
    if (result) held++;
  }
  return { held: given === 0 ? null : held / given, given: given / draws };
}

/** Share of draws for which something is true. */
export function share(name: string, draws: number, draw: (random: Random) => boolean): number {
  return coverage(name, draws, draw).held!;
}

/** x(i) = phi x(i - 1) + noise, standard normal each. */
export function correlatedNoise(random: Random, n: number, phi: number): Float64Array {
  let x = random.normal();
  return Float64Array.from({ length: n }, () => {
    x = phi * x + Math.sqrt(1 - phi * phi) * random.normal();
    return x;
  });
}

/** Hits of probability p; each is its cluster's own with probability root(alike). */
export function alikeHits(
  random: Random,
  { n, size, p, alike }: { n: number; size: number; p: number; alike: number },
): Float64Array {
  let shared = 0;
  return Float64Array.from({ length: n }, (_, i) => {
    if (i % size === 0) shared = random.next() < p ? 1 : 0;
    const own = random.next() < p ? 1 : 0;
    return random.next() < Math.sqrt(alike) ? shared : own;
  });
}

export function clustersOf(n: number, size: number): Int32Array {
  return Int32Array.from({ length: n }, (_, i) => Math.floor(i / size));
}
