import { describe, expect, test } from "vitest";
import { measurePasses, measureStages } from "../../../src/eval/latency/stages.js";

/** A clock that work moves forward. */
function handClock(): { clock: () => number; pass: (ms: number) => void } {
  let now = 0;
  return {
    clock: () => now,
    pass: (ms) => {
      now += ms;
    },
  };
}

describe("measureStages", () => {
  test(
    "keeps every sample in time order, drops the warm-up, and does not time what comes " +
      "before or after",
    async () => {
      const { clock, pass } = handClock();
      const calls: string[] = [];
      const [stage] = await measureStages(
        [
          {
            name: "detect",
            before: (i) => {
              pass(1000);
              calls.push(`before ${i}`);
            },
            run: (i) => {
              pass(5 + (i % 3));
              return i;
            },
            check: (result, i) => {
              pass(500);
              calls.push(`check ${String(result)} ${i}`);
            },
          },
        ],
        { clock, warmupIterations: 2, warmupMs: 0, iterations: 6, timeMs: 0 },
      );
      expect(stage!.stage).toBe("detect");
      expect([...stage!.samplesMs]).toEqual([5, 6, 7, 5, 6, 7]);
      expect(calls.length).toBe(2 * (2 + 6));
      expect(calls[4]).toBe("before 0"); // counted anew after the warm-up
    },
  );

  test("goes on until both the time and the number of iterations are reached", async () => {
    const { clock, pass } = handClock();
    const run = (): void => pass(10);
    const lengths = async (iterations: number, timeMs: number): Promise<number> =>
      (
        await measureStages([{ name: "x", run }], {
          clock,
          warmupIterations: 0,
          warmupMs: 0,
          iterations,
          timeMs,
        })
      )[0]!.samplesMs.length;
    expect(await lengths(4, 1000)).toBe(100);
    expect(await lengths(300, 1000)).toBe(300);
  });

  test("awaits promises; stages come one after the other", async () => {
    const { clock, pass } = handClock();
    const stages = await measureStages(
      [
        {
          name: "slow",
          run: async () => {
            await Promise.resolve();
            pass(20);
          },
        },
        { name: "fast", run: () => pass(2) },
      ],
      { clock, warmupIterations: 1, warmupMs: 0, iterations: 3, timeMs: 0 },
    );
    expect(stages.map((s) => [s.stage, [...s.samplesMs]])).toEqual([
      ["slow", [20, 20, 20]],
      ["fast", [2, 2, 2]],
    ]);
  });

  test(
    "a failing task, and a result that is not the " + "first one's, end the measurement",
    async () => {
      const { clock, pass } = handClock();
      const options = { clock, warmupIterations: 0, warmupMs: 0, iterations: 5, timeMs: 0 };
      await expect(
        measureStages(
          [
            {
              name: "x",
              run: () => {
                pass(1);
                throw new Error("out of memory");
              },
            },
          ],
          options,
        ),
      ).rejects.toThrow("out of memory");
      await expect(
        measureStages(
          [
            {
              name: "x",
              run: (i) => {
                pass(1);
                return i < 3 ? "cola" : "tea";
              },
              check: (result) => {
                if (result !== "cola") throw new Error("other hits than in the first round");
              },
            },
          ],
          options,
        ),
      ).rejects.toThrow("other hits");
    },
  );

  test("can be given up", async () => {
    const { clock, pass } = handClock();
    const controller = new AbortController();
    const run = (i: number): void => {
      pass(1);
      if (i === 3) controller.abort(new Error("enough"));
    };
    await expect(
      measureStages([{ name: "x", run }], {
        clock,
        warmupIterations: 0,
        warmupMs: 0,
        iterations: 1e9,
        timeMs: 0,
        signal: controller.signal,
      }),
    ).rejects.toThrow("enough");
  });
});

test(
  "measurePasses takes the stages that a pipeline clocks itself, equal in length, with " +
    "the whole",
  async () => {
    const { clock } = handClock();
    const stages = await measurePasses(
      (i) =>
        Promise.resolve(
          i === 1
            ? { stageMs: { detect: 4 }, overallMs: 5 }
            : { stageMs: { detect: 3, search: 1 }, overallMs: 4.5 },
        ),
      { clock, warmupIterations: 1, warmupMs: 0, iterations: 3, timeMs: 0 },
    );
    expect(Object.fromEntries(stages.map((s) => [s.stage, [...s.samplesMs]]))).toEqual({
      detect: [3, 4, 3],
      search: [1, 0, 1],
      overall: [4.5, 5, 4.5],
    });
  },
);
