/**
 * Seeded randomness. Nothing in the evaluation draws from Math.random: the same seed gives the same
 * numbers on every machine.
 */

const two32 = 2 ** 32;

/**
 * xoshiro128** (Blackman and Vigna 2018, "Scrambled linear pseudorandom number generators"), period
 * 2^128 - 1. Streams are named: `split("bootstrap")` depends on the seed and the name only, never
 * on what was drawn before, so that adding a draw in one place does not move the numbers of
 * another.
 */
export class Random {
  readonly #key: string;
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: number | string) {
    this.#key = String(seed);
    [this.#a, this.#b, this.#c, this.#d] = stateOf(this.#key);
  }

  /**
   * A generator in a given state of four 32-bit words, not all zero; for comparing with published
   * sequences.
   */
  static fromState(words: readonly [number, number, number, number]): Random {
    const random = new Random("state");
    [random.#a, random.#b, random.#c, random.#d] = words.map((w) => w | 0) as [
      number,
      number,
      number,
      number,
    ];
    return random;
  }

  /** An independent stream for a named purpose. */
  split(name: string | number): Random {
    return new Random(`${this.#key}/${name}`);
  }

  /** The next 32 bits, as an integer in [0, 2^32). */
  uint32(): number {
    const product = Math.imul(this.#b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /** Uniform in [0, 1), 53 bits. */
  next(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /** Uniform integer in [0, n) without bias, for 1 <= n <= 2^32. */
  below(n: number): number {
    if (n <= 2 ** 21) {
      // Lemire 2019, "Fast random integer generation in an interval": x * n stays exact in a double
      // up to this n.
      for (;;) {
        const m = this.uint32() * n;
        const result = Math.floor(m / two32);
        const low = m - result * two32;
        // the second test is exact, the first spares it
        if (low >= n || low >= (two32 - n) % n) return result;
      }
    }
    const limit = two32 - (two32 % n);
    for (;;) {
      const x = this.uint32();
      if (x < limit) return x % n;
    }
  }

  /**
   * Multiplicities of a resample: draws `counts.length` items with replacement and counts each,
   * overwriting `counts`. The same draws as so many calls of `below`, with the state held in
   * locals: the bootstrap's inner loop.
   */
  resample(counts: Uint32Array): void {
    counts.fill(0);
    const n = counts.length;
    if (n > 2 ** 21) {
      for (let i = 0; i < n; i++) counts[this.below(n)]!++;
      return;
    }
    const biased = (two32 - n) % n;
    let a = this.#a;
    let b = this.#b;
    let c = this.#c;
    let d = this.#d;
    for (let drawn = 0; drawn < n;) {
      const product = Math.imul(b, 5);
      const word = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
      const t = b << 9;
      c ^= a;
      d ^= b;
      b ^= c;
      a ^= d;
      c ^= t;
      d = (d << 11) | (d >>> 21);
      const m = word * n;
      const item = (m * 2 ** -32) | 0;
      if (m - item * two32 >= biased) {
        counts[item]!++;
        drawn++;
      }
    }
    this.#a = a;
    this.#b = b;
    this.#c = c;
    this.#d = d;
  }

  /**
   * Standard normal (Box and Muller; the second value is not kept, so that a stream has no hidden
   * state).
   */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }

  /** Exponential with mean 1. */
  exponential(): number {
    return -Math.log(1 - this.next());
  }

  /** A shuffled copy (Fisher and Yates). */
  shuffled<T>(items: readonly T[]): T[] {
    const copy = [...items];
    for (let i = copy.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const swap = copy[i]!;
      copy[i] = copy[j]!;
      copy[j] = swap;
    }
    return copy;
  }
}

/**
 * Uniform in [0, 1) from a seed and a name: a stable place in a random order, whatever else the
 * list holds.
 */
export function hashFraction(seed: number | string, name: string): number {
  return new Random(`${seed}/${name}`).next();
}

/**
 * Four words from text: FNV-1a with four offsets, each finished by MurmurHash3's avalanche. Never
 * all zero.
 */
function stateOf(key: string): [number, number, number, number] {
  const words = [0x811c9dc5, 0x9e3779b9, 0x85ebca6b, 0xc2b2ae35].map((offset) => {
    let h = offset;
    for (let i = 0; i < key.length; i++) {
      const unit = key.charCodeAt(i);
      h = Math.imul(h ^ (unit & 0xff), 0x01000193);
      h = Math.imul(h ^ (unit >>> 8), 0x01000193);
    }
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return h ^ (h >>> 16);
  }) as [number, number, number, number];
  return words.every((w) => w === 0) ? [1, 2, 3, 4] : words;
}
