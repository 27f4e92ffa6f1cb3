import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { judge, ratioOf, type Ratio } from "../../../src/eval/latency/comparison.js";
import { interleave } from "../../../src/eval/latency/interleave.js";
import { certify, compareLatency, selfTest } from "../../../src/eval/latency/noise-certificate.js";
import { Random } from "../../../src/eval/stats/random.js";

const quiet = { passed: true, why: null };
const context = { durationMs: 1000, load: { before: 0.5, after: 0.6 } };

/**
 * Two lists of samples of the same rounds: what a round has in common, own noise, and spikes in one
 * of thirty.
 */
function rounds(
  random: Random,
  n: number,
  factor: number,
  noise = 0.05,
): [Float64Array, Float64Array] {
  const first = new Float64Array(n);
  const second = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const common = 20 * Math.exp(0.3 * Math.sin(i / 10));
    const own = (): number =>
      Math.exp(noise * random.normal()) * (random.next() < 1 / 30 ? 1 + 3 * random.next() : 1);
    first[i] = common * own();
    second[i] = common * factor * own();
  }
  return [first, second];
}

describe("ratioOf", () => {
  test("by hand: nine rounds, of which the median is 1.1", () => {
    // In an order in which neighbours are no more alike than by chance.
    const ratios = [1.1, 0.9, 1.3, 1, 1.2, 1.05, 9, 1.08, 1.12];
    const ratio = ratioOf(
      ratios.map((_, i) => 10 + i / 7),
      ratios.map((r, i) => (10 + i / 7) * r),
    ) as Ratio;
    expect(ratio.value).toBeCloseTo(1.1, 12);
    // Ranks 2 to 8 of 9 enclose the median with 96.1%.
    expect(ratio.interval!.low).toBeCloseTo(1, 12);
    expect(ratio.interval!.high).toBeCloseTo(1.3, 12);
    // Half of ln 1.3 is 1.96 standard errors; 2.80 of them are needed.
    expect(ratio.minimalDetectableEffect).toBeCloseTo(
      Math.exp((Math.log(1.3) / 2) * (2.801585 / 1.959964)) - 1,
      5,
    );
  });

  test("swapping the two inverts the ratio and its interval", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.double({ min: 0.1, max: 100, noNaN: true }),
            fc.double({ min: 0.1, max: 100, noNaN: true }),
          ),
          { minLength: 6, maxLength: 40 },
        ),
        (pairs) => {
          const a = pairs.map((p) => p[0]);
          const b = pairs.map((p) => p[1]);
          const one = ratioOf(a, b) as Ratio;
          const two = ratioOf(b, a) as Ratio;
          // An even number of ranks to give up leaves an odd one: the interval mirrors up to one
          // rank.
          return (
            Math.abs(one.value * two.value - 1) < 1e-9 &&
            (one.interval === null) === (two.interval === null) &&
            (one.interval === null ||
              (one.interval.low <= one.value && one.value <= one.interval.high))
          );
        },
      ),
    );
  });

  test("no rounds, no time, unequal rounds", () => {
    expect(ratioOf([], [])).toEqual({ value: null, why: "no rounds" });
    expect(ratioOf([1, 0], [1, 1])).toEqual({
      value: null,
      why: "a sample lasted no time at all: put more calls in a sample",
    });
    expect(() => ratioOf([1], [1, 2])).toThrow(RangeError);
    expect(ratioOf([1, 1], [1, 2])).toMatchObject({
      interval: null,
      minimalDetectableEffect: null,
    });
  });
});

describe("the noise certificate", () => {
  test(
    "A/A passes at its nominal rate: 93 to 97% of 2,000 honest runs, in each of which the " +
      "interval held 1",
    () => {
      const random = new Random("a/a");
      let passed = 0;
      for (let i = 0; i < 2000; i++) {
        const certificate = certify(...rounds(random, 100, 1), context);
        if (certificate.passed) passed++;
      }
      expect(passed / 2000).toBeGreaterThanOrEqual(0.93);
      expect(passed / 2000).toBeLessThanOrEqual(0.97);
    },
  );

  test("the minimal detectable effect is found in about 80% of runs, half of it seldom", () => {
    const random = new Random("power");
    const effects = Array.from(
      { length: 200 },
      () => certify(...rounds(random, 100, 1), context).minimalDetectableEffect!,
    );
    const effect = effects.reduce((s, e) => s + e, 0) / effects.length;
    const found = (factor: number): number => {
      let count = 0;
      for (let i = 0; i < 1000; i++)
        if (judge(ratioOf(...rounds(random, 100, factor)), 0.05, quiet).verdict === "slower")
          count++;
      return count / 1000;
    };
    expect(found(1 + effect)).toBeGreaterThan(0.72);
    expect(found(1 + effect)).toBeLessThan(0.88);
    expect(found(1 + effect / 2)).toBeLessThan(0.4);
  });

  test("states what it saw", () => {
    const certificate = certify(...rounds(new Random(1), 60, 1), { ...context, level: 0.9 });
    expect(certificate).toMatchObject({
      passed: true,
      why: null,
      n: 60,
      level: 0.9,
      power: 0.8,
      durationMs: 1000,
      load: { before: 0.5, after: 0.6 },
    });
    expect(certificate.minimalDetectableEffect).toBeGreaterThan(0);
  });

  test(
    "fails where the same thing differs from itself, where rounds are alike, and without " +
      "an interval",
    () => {
      const random = new Random("bad");
      expect(certify(...rounds(random, 200, 1.05), context)).toMatchObject({
        passed: false,
        why: expect.stringContaining("differ from itself"),
      });
      let state = 0;
      const alike = Float64Array.from(
        { length: 300 },
        () => 10 * Math.exp((state = 0.9 * state + 0.01 * random.normal())),
      );
      const why = certify(new Float64Array(300).fill(10), alike, context).why;
      expect(why).toMatch(/alike|differ from itself/);
      expect(certify([1, 1, 1], [1, 1, 1], context)).toMatchObject({
        passed: false,
        why: "3 samples are too few for an interval",
        minimalDetectableEffect: null,
      });
      expect(certify([0], [0], context)).toMatchObject({ passed: false, ratio: { value: null } });
    },
  );

  test("refuses where rounds are so alike that no interval can be had", () => {
    const random = new Random("correlated");
    let refused = 0;
    for (let i = 0; i < 100; i++) {
      const alike = noise(random, 200, 0.95).map((x) => 10 * Math.exp(0.03 * x));
      if (!certify(new Float64Array(200).fill(10), alike, context).passed) refused++;
    }
    expect(refused).toBeGreaterThan(90);
  });
});

/** x(i) = phi x(i - 1) + noise. */
function noise(random: Random, n: number, phi: number): Float64Array {
  let x = random.normal();
  return Float64Array.from({ length: n }, () => {
    x = phi * x + Math.sqrt(1 - phi * phi) * random.normal();
    return x;
  });
}

describe("noise that clings to a contender", () => {
  /** A, A again and B in the same rounds: what is A's own slows both of its runs. */
  function judged(random: Random, phi: number, factor: number): string {
    const [ofA, ofB] = [noise(random, 200, phi), noise(random, 200, phi)];
    const own = (): number => 0.02 * random.normal();
    const a = ofA.map((x) => 10 * Math.exp(0.05 * x + own()));
    const again = ofA.map((x) => 10 * Math.exp(0.05 * x + own()));
    const b = ofB.map((x) => 10 * factor * Math.exp(0.05 * x + own()));
    return judge(ratioOf(a, b), 0.05, certify(a, again, context)).verdict;
  }

  test.each([0, 0.3, 0.5, 0.8, 0.95])(
    "correlated by %f, makes equal systems differ in 5 of 100 runs at most",
    (phi) => {
      const random = new Random(`clings ${phi}`);
      let alarms = 0;
      for (let i = 0; i < 400; i++)
        if (["faster", "slower"].includes(judged(random, phi, 1))) alarms++;
      expect(alarms / 400).toBeLessThanOrEqual(0.05);
    },
  );

  test("leaves the power to find 5%, where it is not too strong", () => {
    const random = new Random("found");
    const found = (phi: number): number =>
      Array.from({ length: 200 }, () => judged(random, phi, 1.05)).filter((v) => v === "slower")
        .length / 200;
    expect(found(0)).toBeGreaterThan(0.9);
    expect(found(0.3)).toBeGreaterThan(0.8);
  });
});

describe("the total beside the median", () => {
  test("faster in the median round, but longer in all: not told", () => {
    const random = new Random("spikes");
    const first = Float64Array.from({ length: 200 }, () => 10 * Math.exp(0.02 * random.normal()));
    const second = Float64Array.from(
      { length: 200 },
      () => 9 * Math.exp(0.02 * random.normal()) * (random.next() < 0.1 ? 4 : 1),
    );
    const ratio = ratioOf(first, second) as Ratio;
    expect(ratio.value).toBeLessThan(0.92);
    expect(ratio.total.value).toBeGreaterThan(1.05);
    expect(judge(ratio, 0.05, quiet)).toEqual({
      verdict: "cannot tell",
      why: expect.stringMatching(
        /disagree: -9\.\d%.* in the median round; \+\d+\.\d% .*in all/,
      ) as string,
    });
  });
});

describe("a coarse clock", () => {
  test("no verdict is finer than its step", () => {
    const random = new Random("coarse");
    // 1.0 and 1.4 ms on a clock of whole milliseconds, mostly read as 1.
    const read = (ms: number): Float64Array =>
      Float64Array.from({ length: 200 }, () =>
        Math.max(1, Math.floor(ms * Math.exp(0.1 * random.normal()))),
      );
    const judgement = judge(ratioOf(read(1), read(1.4)), 0.05, quiet);
    expect(judgement.verdict).toBe("cannot tell");
    expect((ratioOf(read(1), read(1.4)) as Ratio).minimalDetectableEffect).toBeGreaterThan(0.9);
  });
});

describe("a ratio that drifts", () => {
  test("is not judged", () => {
    const random = new Random("drifting");
    const first = Float64Array.from({ length: 200 }, () => 10 * Math.exp(0.05 * random.normal()));
    const second = first.map((_, i) => 10 * (1 + i / 1000) * Math.exp(0.05 * random.normal()));
    expect(judge(ratioOf(first, second), 0.05, quiet)).toMatchObject({
      verdict: "cannot tell",
      why: expect.stringMatching(/drifts|alike/) as string,
    });
  });
});

describe("the verdict", () => {
  const verdicts = (
    random: Random,
    n: number,
    factor: number,
    noise: number,
  ): Record<string, number> => {
    const counts: Record<string, number> = { faster: 0, slower: 0, same: 0, "cannot tell": 0 };
    for (let i = 0; i < 500; i++)
      counts[
        judge(
          ratioOf(...rounds(random, n, factor, noise)),
          0.05,
          certify(...rounds(random, n, 1, noise), context),
        ).verdict
      ]!++;
    return counts;
  };

  test("a true 5% is found where the run has the power", () => {
    const random = new Random("powered");
    // With the certificate of the same session, which fails in some honest ones.
    expect(verdicts(random, 300, 1.05, 0.08).slower).toBeGreaterThan(450);
    expect(verdicts(random, 300, 1 / 1.05, 0.08).faster).toBeGreaterThan(450);
  });

  test("where it has not, it says that it cannot tell, and how many rounds it would take", () => {
    const random = new Random("underpowered");
    const counts = verdicts(random, 15, 1.05, 0.3);
    expect(counts["cannot tell"]).toBeGreaterThan(420);
    expect(counts.same).toBe(0);
    expect(counts.faster).toBeLessThan(30);
    const judgement = judge(ratioOf(...rounds(random, 15, 1, 0.3)), 0.05, quiet);
    expect(judgement.why).toMatch(
      /underpowered: .* holds 0, and only changes from \+\d+\.\d% would be found; for \+5\.0%/,
    );
    expect(judgement.why).toMatch(/would be found; for \+5\.0% about \d+ rounds are needed/);
  });

  test("no difference: same in most powered runs, a false find in at most 5%", () => {
    const counts = verdicts(new Random("same"), 300, 1, 0.08);
    expect(counts.same).toBeGreaterThan(410);
    expect(counts.faster! + counts.slower!).toBeLessThanOrEqual(25);
  });

  test("nothing is said on a machine that failed its self-test, or without a ratio", () => {
    const [a, b] = rounds(new Random(2), 100, 2);
    expect(judge(ratioOf(a, b), 0.05, { passed: false, why: "it shook" })).toEqual({
      verdict: "cannot tell",
      why: "the machine failed its self-test: it shook",
    });
    expect(judge({ value: null, why: "no rounds" }, 0.05, quiet)).toEqual({
      verdict: "cannot tell",
      why: "no rounds",
    });
    expect(judge(ratioOf([1, 1], [2, 2]), 0.05, quiet)).toEqual({
      verdict: "cannot tell",
      why: "2 samples are too few for an interval",
    });
  });
});

describe("interleaved runs on a clock of our own", () => {
  /**
   * A machine whose speed changes in the course of time, on which work takes a given time with
   * noise.
   */
  function machine(
    seed: string,
    speed: (now: number) => number,
  ): { clock: () => number; work: (ms: number) => () => void } {
    const random = new Random(seed);
    let now = 0;
    return {
      clock: () => now,
      work: (ms) => () => {
        now += ms * speed(now) * Math.exp(0.03 * random.normal());
      },
    };
  }

  test("each contender runs once a round, in orders that change", async () => {
    const order: string[] = [];
    let now = 0;
    const contender = (name: string): { name: string; run: () => void } => ({
      name,
      run: () => {
        order.push(name);
        now += 1;
      },
    });
    const { samplesMs, durationMs } = await interleave([contender("a"), contender("b")], {
      clock: () => now,
      rounds: 40,
      warmupRounds: 2,
    });
    expect(samplesMs.map((s) => s.length)).toEqual([40, 40]);
    expect(durationMs).toBe(80);
    const pairs = Array.from({ length: 42 }, (_, i) => order.slice(2 * i, 2 * i + 2).join(""));
    expect(new Set(pairs)).toEqual(new Set(["ab", "ba"]));
    expect(pairs.filter((p) => p === "ab").length).toBeGreaterThan(10);
    expect(pairs.filter((p) => p === "ba").length).toBeGreaterThan(10);
  });

  test("several calls a sample, what comes before untimed, promises awaited", async () => {
    let now = 0;
    let calls = 0;
    const { samplesMs } = await interleave(
      [
        {
          name: "a",
          before: () => {
            now += 100;
          },
          run: async () => {
            await Promise.resolve();
            calls++;
            now += 3;
          },
        },
      ],
      { clock: () => now, rounds: 4, warmupRounds: 1, callsPerSample: 5 },
    );
    expect([...samplesMs[0]!]).toEqual([3, 3, 3, 3]);
    expect(calls).toBe(25);
  });

  test(
    "a machine that slows to half its speed does not fool the comparison; one after the " +
      "other would be fooled",
    async () => {
      const { clock, work } = machine("slowing", (now) => 1 + now / 10_000);
      const result = await compareLatency(
        { name: "old", run: work(10) },
        { name: "new", run: work(10.5) },
        { clock, rounds: 300, seed: 1, load: () => null },
      );
      expect(result.certificate).toMatchObject({
        passed: true,
        n: 300,
        load: { before: null, after: null },
      });
      expect(result.verdict).toBe("slower");
      const { interval } = result.ratio as Ratio;
      expect(interval!.low).toBeLessThan(1.05);
      expect(interval!.high).toBeGreaterThan(1.05);
      expect(result.samplesMs.first[299]! / result.samplesMs.first[0]!).toBeGreaterThan(1.5);
      expect(result).toMatchObject({ first: "old", second: "new" });
    },
  );

  test(
    "a thing that is slower in its second call of a round fails the self-test only if the " +
      "order were fixed: here it passes",
    async () => {
      // Whoever runs right after another contender finds a warm cache.
      let now = 0;
      let last = -1;
      const random = new Random("warm");
      const run = (round: number): void => {
        now += (round === last ? 8 : 10) * Math.exp(0.02 * random.normal());
        last = round;
      };
      const certificate = await selfTest(
        { name: "x", run },
        { clock: () => now, rounds: 200, seed: 2 },
      );
      expect(certificate.passed).toBe(true);
      expect(typeof certificate.load.before).toBe("number");
    },
  );

  test("contenders may be instances of a class", async () => {
    let now = 0;
    class Work {
      readonly name = "work";
      #calls = 0;
      before(): void {
        this.#calls++;
      }
      run(): void {
        now += 5 + (this.#calls % 2) / 100;
      }
    }
    const certificate = await selfTest(new Work(), { clock: () => now, rounds: 40 });
    expect(certificate.ratio.value).toBeCloseTo(1, 2);
  });
});
