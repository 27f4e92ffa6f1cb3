import { describe, expect, test } from "vitest";
import { beyondThroughput } from "../../../src/eval/experiments/latency-scenarios.js";
import { foreseenQps, judgeQueue, serviceTimes } from "../../../src/eval/latency/queue-replay.js";
import { measured } from "../../../src/eval/stats/score.js";
import { Random } from "../../../src/eval/stats/random.js";

const exponential = (seed: string, n: number): Float64Array => {
  const random = new Random(seed);
  return Float64Array.from({ length: n }, () => 10 * random.exponential());
};

describe("service times", () => {
  test("are what holds the queue: by hand", () => {
    // Arrives at 0 and holds 5; at 2, waits 3 and holds 4; at 20, holds 1; at 21 and answered at
    // once.
    const held = serviceTimes({ arrivalsMs: [0, 2, 20, 21], latenciesMs: [5, 7, 1, 0] });
    expect([...held]).toEqual([5, 4, 1, 0]);
  });

  test("are never negative where answers overtake each other", () => {
    expect([...serviceTimes({ arrivalsMs: [0, 1], latenciesMs: [10, 2] })]).toEqual([10, 0]);
  });
});

describe("the verdict on a queue", () => {
  // p90 of one exponential worker of 10 ms at 50 a second is ln 10 / (100/s - 50/s) = 46 ms.
  const services = exponential("judge", 2000);
  const at = (boundMs: number, qps = 50): string =>
    judgeQueue(services, { qps, boundMs, percentile: 0.9 }).verdict;

  test("is met with room, missed far beyond, and open near the bound", () => {
    expect([at(70), at(30), at(46)]).toEqual(["met", "missed", "cannot tell"]);
  });

  test("is never met beyond what the worker can do, however long the bound", () => {
    expect(at(1000, 110)).not.toBe("met");
    expect(at(5000, 130)).toBe("missed");
  });

  test("is open where few service times are independent", () => {
    const few = judgeQueue(exponential("few", 150), { qps: 1, boundMs: 1e6, percentile: 0.9 });
    expect(few).toEqual({ verdict: "cannot tell", late: null });
    let speed = 0;
    const random = new Random("slow");
    const phases = Float64Array.from({ length: 1000 }, () => {
      speed = 0.98 * speed + 0.2 * random.normal();
      return 10 * Math.exp(0.2 * speed);
    });
    const { verdict } = judgeQueue(phases, { qps: 1, boundMs: 1e6, percentile: 0.9 });
    expect(verdict).toBe("cannot tell");
  });

  test("is false in fewer than one run in fifty at the bound", () => {
    const boundMs = Math.log(10) / 0.05;
    let met = 0;
    for (let d = 0; d < 50; d++) {
      const own = exponential(`at ${d}`, 500);
      if (judgeQueue(own, { qps: 50, boundMs, percentile: 0.9 }, d).verdict === "met") met++;
    }
    expect(met).toBeLessThanOrEqual(1);
  });

  test("is foreseen near the theory's rate", () => {
    // p90 within 46 ms.
    const qps = foreseenQps(services, { boundMs: 46, percentile: 0.9 })!;
    expect(qps).toBeGreaterThan(44);
    expect(qps).toBeLessThan(56);
    expect(foreseenQps(services, { boundMs: 0.1, percentile: 0.9 })).toBeNull();
  });
});

test("a rate above the throughput has a word, and one below has none", () => {
  const interval = { low: 90, high: 110, level: 0.95, method: "order-statistics", units: 8 };
  const throughput = measured(100, 8, interval);
  expect(beyondThroughput(109, throughput, { percentile: "90" })).toEqual([]);
  expect(beyondThroughput(111, throughput, { percentile: "90" })).toEqual([
    {
      about: "server",
      of: { percentile: "90", rate: "111.0" },
      verdict: "cannot tell",
      why: expect.stringContaining("more than the 100.0 a second") as string,
    },
  ]);
  expect(beyondThroughput(null, throughput, {})).toEqual([]);
});
