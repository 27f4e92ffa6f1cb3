import { describe, expect, test } from "vitest";
import { runOffline } from "../../../src/eval/latency/offline.js";
import { findMaxQps, runServer, type ServerRun } from "../../../src/eval/latency/server.js";
import { runSingleStream } from "../../../src/eval/latency/single-stream.js";
import { realTimer } from "../../../src/eval/latency/timer.js";
import { Random } from "../../../src/eval/stats/random.js";
import { VirtualTimer } from "./virtual-time.js";

describe("single stream", () => {
  test("sends one query after another, 64 at least, warm-up apart", async () => {
    let now = 0;
    const asked: number[] = [];
    const result = await runSingleStream(
      (query) => {
        asked.push(query);
        now += 10 + (query % 10);
      },
      { clock: () => now, warmupQueries: 3 },
    );
    expect(asked.slice(0, 5)).toEqual([0, 1, 2, 0, 1]);
    expect(result.samplesMs.length).toBe(64);
    expect(result.earlyStopping).toMatchObject({ value: 19, n: 64 }); // the highest
    expect(result.latency.value).toBeCloseTo(18, 9);
  });

  test("goes on for the duration asked for", async () => {
    let now = 0;
    const result = await runSingleStream(
      async () => {
        await Promise.resolve();
        now += 10;
      },
      { clock: () => now, durationMs: 2000 },
    );
    expect(result.samplesMs.length).toBe(200);
  });
});

test("offline: throughput of each round, its median with an interval", async () => {
  let now = 0;
  let round = 0;
  const result = await runOffline(
    (count) => {
      now += count * (10 + (round++ % 3));
    },
    { clock: () => now, samples: 50, rounds: 9, warmupRounds: 3 },
  );
  expect([...result.roundsMs]).toEqual([500, 550, 600, 500, 550, 600, 500, 550, 600]);
  expect(result.throughput).toMatchObject({
    value: 1000 / 11,
    n: 9,
    interval: { low: 1000 / 12, high: 100 },
  });
});

/** One worker, first come first served, service times exponential with the given mean. */
function queueOf(
  timer: VirtualTimer,
  meanMs: number,
  seed: string,
): (query: number) => Promise<void> {
  const random = new Random(seed);
  let free = 0;
  return (_query) => {
    free = Math.max(free, timer.now()) + meanMs * random.exponential();
    return timer.sleepUntil(free);
  };
}

describe("server", () => {
  test(
    "arrivals are Poisson: mean gap, spread equal to the mean, and the same for the same " + "seed",
    async () => {
      const arrivals = async (seed: number): Promise<number[]> => {
        const timer = new VirtualTimer();
        const times: number[] = [];
        await timer.run(
          runServer(
            () => {
              times.push(timer.now());
            },
            { timer, qps: 200, latencyBoundMs: 5, queries: 4000, seed },
          ),
        );
        return times;
      };
      const times = await arrivals(1);
      expect(times.length).toBe(4000);
      const gaps = times.map((t, i) => t - (times[i - 1] ?? 0));
      const mean = gaps.reduce((s, g) => s + g, 0) / 4000;
      const deviation = Math.sqrt(gaps.reduce((s, g) => s + (g - mean) ** 2, 0) / 4000);
      expect(mean).toBeGreaterThan(4.75);
      expect(mean).toBeLessThan(5.25);
      expect(deviation / mean).toBeCloseTo(1, 1);
      expect(await arrivals(1)).toEqual(times);
      expect(await arrivals(2)).not.toEqual(times);
    },
  );

  test("an idle service answers all: met; 459 queries at least", async () => {
    const timer = new VirtualTimer();
    const run = await timer.run(runServer(() => undefined, { timer, qps: 10, latencyBoundMs: 1 }));
    expect(run).toMatchObject({
      verdict: "met",
      queries: 459,
      over: 0,
      cutShort: false,
      sentLateMs: 0,
    });
  });

  test("a service that blocks the sender does not hide the wait", async () => {
    // 20 ms of blocking work at 40 arrivals a second: one worker at 80% load. Counted from when
    // they were sent, all would take 20 ms.
    const timer = new VirtualTimer();
    const run = await timer.run(
      runServer(() => timer.advance(20), { timer, qps: 40, latencyBoundMs: 1e6, queries: 2000 }),
    );
    expect(run.sentLateMs).toBeGreaterThan(40);
    expect(run.latency.value).toBeGreaterThan(60);
    expect(Math.min(...run.samplesMs)).toBeCloseTo(20, 9);
  });

  test("p99 of one exponential worker is ln 100 over (service rate - arrival rate)", async () => {
    const timer = new VirtualTimer();
    const run = await timer.run(
      runServer(queueOf(timer, 10, "m/m/1"), {
        timer,
        qps: 50,
        latencyBoundMs: 1e6,
        queries: 20_000,
        seed: 5,
      }),
    );
    const theory = (1000 * Math.log(100)) / (100 - 50); // 92.1 ms
    expect(run.latency.value).toBeGreaterThan(0.85 * theory);
    expect(run.latency.value).toBeLessThan(1.15 * theory);
  });

  test("an overloaded service is cut short and not met", async () => {
    const timer = new VirtualTimer();
    const run = await timer.run(
      runServer(queueOf(timer, 10, "overload"), {
        timer,
        qps: 300,
        latencyBoundMs: 50,
        queries: 5000,
      }),
    );
    expect(run).toMatchObject({ verdict: "missed", cutShort: true });
    expect(run.queries).toBeLessThan(500);
    expect(run.samplesMs.length).toBe(run.queries);
    expect(run.samplesMs.every((ms) => ms >= 0)).toBe(true);
  });

  test("a service that never answers is given up, not waited for without end", async () => {
    const timer = new VirtualTimer();
    let sent = 0;
    const work = runServer(
      () => {
        sent++;
        return timer.sleepUntil(1e9);
      },
      { timer, qps: 100, latencyBoundMs: 50, queries: 2000 },
    );
    const run = await timer.run(work);
    expect(sent).toBeLessThan(100);
    expect(run.verdict).toBe("missed");
  });

  test("an error of the service is the caller's, after what was under way has ended", async () => {
    const timer = new VirtualTimer();
    let underWay = 0;
    const serve = async (query: number): Promise<void> => {
      underWay++;
      await timer.sleepUntil(timer.now() + 30);
      underWay--;
      if (query === 7) throw new Error("session lost");
    };
    await expect(
      timer.run(runServer(serve, { timer, qps: 100, latencyBoundMs: 50 })),
    ).rejects.toThrow("session lost");
    expect(underWay).toBe(0);
    await expect(runServer(() => undefined, { timer, qps: 0, latencyBoundMs: 50 })).rejects.toThrow(
      RangeError,
    );
  });

  test(
    "the search ends near the theory's rate for one " + "exponential worker, on the safe side",
    async () => {
      // p99 within 100 ms needs 100/s - ln 100 / 0.1 s = 53.9 arrivals a second at most.
      const search = async (startQps: number): ReturnType<typeof findMaxQps> =>
        findMaxQps(
          async (qps) => {
            const timer = new VirtualTimer();
            return timer.run(
              runServer(queueOf(timer, 10, "search"), {
                timer,
                qps,
                latencyBoundMs: 100,
                queries: 6000,
                seed: 3,
              }),
            );
          },
          { startQps },
        );
      for (const start of [4, 300]) {
        const { qps, unmetQps, runs } = await search(start);
        expect(qps).toBeGreaterThan(40);
        expect(qps).toBeLessThan(54);
        expect(unmetQps! / qps!).toBeLessThanOrEqual(1.05);
        expect(runs.find((r) => r.qps === qps)!.verdict).toBe("met");
        expect(runs.find((r) => r.qps === unmetQps)!.verdict).not.toBe("met");
      }
    },
  );

  test("the search gives up where no rate is met, and says so", async () => {
    const never = (qps: number): Promise<ServerRun> =>
      Promise.resolve({
        scenario: "server",
        qps,
        samplesMs: new Float64Array(),
        arrivalsMs: new Float64Array(),
        late: null,
        queries: 1,
        over: 1,
        latency: { value: null, why: "" },
        verdict: "missed",
        cutShort: true,
        sentLateMs: 0,
      });
    const { qps, unmetQps, runs, outOfTime } = await findMaxQps(never, {
      startQps: 8,
      mostRuns: 4,
    });
    expect([qps, unmetQps, outOfTime]).toEqual([null, 1, false]);
    expect(runs.map((r) => r.qps)).toEqual([8, 4, 2, 1]);
  });

  test("the search begins no run that would end too late, but always the first", async () => {
    let now = 0;
    const slow = (qps: number): Promise<ServerRun> => {
      now += 1000;
      return Promise.resolve({
        scenario: "server",
        qps,
        samplesMs: new Float64Array(),
        arrivalsMs: new Float64Array(),
        late: null,
        queries: 1,
        over: 1,
        latency: { value: null, why: "" },
        verdict: "missed",
        cutShort: true,
        sentLateMs: 0,
      });
    };
    // 100 queries at 8, 4 and 2 a second: 12.5, 25 and 50 s.
    const at = async (mostMs: number): Promise<(number | boolean)[]> => {
      now = 0;
      const { runs, outOfTime } = await findMaxQps(slow, {
        startQps: 8,
        mostMs,
        queries: 100,
        clock: () => now,
      });
      return [runs.length, outOfTime];
    };
    expect(await at(100)).toEqual([1, true]);
    expect(await at(26_000)).toEqual([2, true]);
    expect(await at(25_999)).toEqual([1, true]);
    expect(await at(52_000)).toEqual([3, true]);
  });
});

test("the real timer does not wake early, and a time in the past is no wait", async () => {
  for (const ms of [0.3, 4, -5]) {
    const at = realTimer.now() + ms;
    await realTimer.sleepUntil(at);
    expect(realTimer.now()).toBeGreaterThanOrEqual(at);
  }
});
