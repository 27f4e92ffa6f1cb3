import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { drift, lagOneCorrelation } from "../../../src/eval/latency/drift.js";
import { timingCautions, twoSpeeds } from "../../../src/eval/latency/timing-cautions.js";
import { normalCdf } from "../../../src/eval/stats/distributions.js";
import { Random } from "../../../src/eval/stats/random.js";

/** Latencies around 10 ms with spread and spikes, times a trend. */
function latencies(random: Random, n: number, trend: (share: number) => number): Float64Array {
  return Float64Array.from(
    { length: n },
    (_, i) =>
      10 * trend(i / (n - 1)) * Math.exp(0.05 * random.normal()) * (random.next() < 0.03 ? 3 : 1),
  );
}

describe("drift", () => {
  test("by hand: 20 samples that rise by 1 from 100", () => {
    // S = 190 of 190 pairs, variance 20 x 19 x 45 / 18 = 950, z = 189 / sqrt(950) = 6.13; slope 1
    // over 19 steps, median 109.5.
    const found = drift(Array.from({ length: 20 }, (_, i) => 100 + i))!;
    expect(found.relativeChange).toBeCloseTo(19 / 109.5, 12);
    expect(found.p).toBeCloseTo(8.7e-10, 11);
    expect(found.drifting).toBe(true);
  });

  test("by hand with ties: ten of 1, then ten of 2", () => {
    // S = 100 pairs; variance (20 x 19 x 45 - 2 x 10 x 9 x 25) / 18 = 700; z = 99 / sqrt(700) =
    // 3.742.
    const z = 99 / Math.sqrt(700);
    expect(drift(Array.from({ length: 20 }, (_, i) => (i < 10 ? 1 : 2)))!.p).toBeCloseTo(
      2 * (1 - normalCdf(z)),
      12,
    );
  });

  test("false alarms in at most 2% of 1,000 steady runs, with spikes", () => {
    const random = new Random("steady");
    let alarms = 0;
    for (let i = 0; i < 1000; i++) if (drift(latencies(random, 200, () => 1))!.drifting) alarms++;
    expect(alarms / 1000).toBeLessThan(0.02);
  });

  test("a machine that becomes 15% slower is found, and by how much", () => {
    const random = new Random("heating");
    let found = 0,
      change = 0;
    for (let i = 0; i < 200; i++) {
      const d = drift(latencies(random, 400, (share) => 1 + 0.15 * share))!;
      if (d.drifting) found++;
      change += d.relativeChange / 200;
    }
    expect(found).toBeGreaterThan(195);
    expect(change).toBeCloseTo(0.14, 1);
  });

  test("reversed samples drift the other way; equal ones not at all; too few give none", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 1, max: 100, noNaN: true }), { minLength: 20, maxLength: 40 }),
        (samples) => {
          const one = drift(samples)!;
          const two = drift([...samples].reverse())!;
          return (
            Math.abs(one.relativeChange + two.relativeChange) < 1e-9 &&
            Math.abs(one.p - two.p) < 1e-12
          );
        },
      ),
    );
    expect(drift(new Array(50).fill(3))).toEqual({ relativeChange: 0, p: 1, drifting: false });
    expect(drift(new Array(19).fill(3))).toBeNull();
  });
});

describe("lagOneCorrelation", () => {
  test("by hand: 1, 2, 3, 4 has products 1.5 x 0.5 - 0.5 x 0.5 + 0.5 x 1.5 over squares 5", () => {
    expect(lagOneCorrelation([1, 2, 3, 4])).toBeCloseTo(1.25 / 5, 15);
    expect(lagOneCorrelation([1, -1, 1, -1, 1, -1])).toBeLessThan(-0.8);
    expect(lagOneCorrelation([2, 2, 2])).toBeNull();
    expect(lagOneCorrelation([2, 3])).toBeNull();
  });
});

describe("timingCautions", () => {
  const random = new Random("cautions");
  const verdicts = (samples: ArrayLike<number>): string[] =>
    timingCautions(samples).map(({ verdict }) => verdict);

  test("is silent on independent times of one kind, spikes or not", () => {
    const alarms = Array.from({ length: 100 }, () =>
      verdicts(latencies(random, 200, () => (random.next() < 0.05 ? 20 : 1))),
    ).filter((v) => v.length > 0);
    expect(alarms.length).toBeLessThan(10);
  });

  test("names drift, neighbours that are alike, times that take turns and two speeds", () => {
    expect(verdicts(latencies(random, 300, (share) => 1 + share))).toContain("drifting");
    let state = 0;
    const alike = Array.from({ length: 300 }, () => 10 + (state = 0.5 * state + random.normal()));
    expect(verdicts(alike)).toContain("correlated");
    // One spike of a second neither makes nor hides it.
    expect(verdicts(alike.with(150, 1e6))).toContain("correlated");
    const turns = Array.from({ length: 100 }, (_, i) => (i % 2) + 10 + 0.5 * random.normal());
    expect(verdicts(turns)).toContain("alternating");
    const two = Array.from(
      { length: 100 },
      () => (random.next() < 0.3 ? 2 : 1) * Math.exp(0.02 * random.normal()),
    );
    expect(verdicts(two)).toEqual(["two speeds"]);
    expect(twoSpeeds(two)).toMatchObject({
      fast: expect.closeTo(1, 1) as number,
      slow: expect.closeTo(2, 1) as number,
    });
    expect(twoSpeeds(Array.from({ length: 100 }, () => random.next()))).toBeNull();
    expect(timingCautions([])).toEqual([]);
  });
});
