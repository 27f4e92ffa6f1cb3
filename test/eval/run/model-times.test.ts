import { describe, expect, it } from "vitest";
import type { CellPlan } from "../../../src/eval/experiments/cell.js";
import { samplesPerBlock } from "../../../src/eval/experiments/model-cost.js";
import { noSources } from "../../../src/eval/experiments/sources.js";
import type { FinishedCell } from "../../../src/eval/record/finished-cell.js";
import { ModelTimes, type KeptTimes } from "../../../src/eval/run/model-times.js";
import { Random } from "../../../src/eval/stats/random.js";
import { UserError } from "../../../src/pipeline/errors.js";

function plan(model: string, dataset: string, problem?: UserError): CellPlan {
  return {
    kind: "detection",
    labels: { model, dataset },
    sources: noSources,
    measure: () => Promise.reject(new Error("not here")),
    timing: { key: model, stage: "detect", dataset, block: () => Promise.reject(new Error("no")) },
    ...(problem && { problem }),
  };
}

const done = (id: string): FinishedCell => ({
  cell: {
    id,
    kind: "detection",
    labels: {},
    versions: {},
    state: "completed",
    scores: [],
    errors: [],
    notes: [],
  },
  cases: [],
});

function completed({ cell }: FinishedCell): Extract<FinishedCell["cell"], { state: "completed" }> {
  if (cell.state === "failed") throw new Error(cell.message);
  return cell;
}

const crash = new UserError({ code: "cell-crashed", message: "the process ended" });
const broken = new UserError({ code: "schema", message: "no list" });

/** Takes all blocks that are due; the times of a model are its place in the name. */
function take(times: ModelTimes, share: number, random = new Random("times")): string[] {
  const order: string[] = [];
  for (const due of times.due(share)) {
    order.push(`${due.timing.key} ${due.number}`);
    times.add(due, {
      samplesMs: Array.from({ length: samplesPerBlock }, () => 5 * Math.exp(0.1 * random.normal())),
      pictures: 7,
    });
  }
  return order;
}

describe("the times of a run's models", () => {
  const plans = [plan("a", "one"), plan("a", "two"), plan("b", "one")];

  it("are taken in blocks over the run, models in turn, once whatever their data sets", () => {
    const times = new ModelTimes(plans);
    expect(take(times, 0.05)).toEqual(["a 0", "b 0", "a 1", "b 1"]);
    expect(take(times, 0.05)).toEqual([]);
    expect(take(times, 1)).toHaveLength(76);
    const [first, second] = [0, 1].map((i) =>
      completed(times.complete(done(String(i)), plans[i]!, 0.95)),
    );
    expect(first!.scores).toEqual(second!.scores);
    expect(first!.timed).toEqual({
      stage: "detect",
      dataset: "one",
      pictures: 7,
      samplesPerBlock: 5,
    });
    const [median, ninetieth] = first!.scores;
    expect([median!.of, ninetieth!.of]).toEqual([
      { stage: "detect", percentile: "50" },
      { stage: "detect", percentile: "90" },
    ]);
    expect(median).toMatchObject({ n: 200, interval: { method: "woodruff-effective-size" } });
    expect(times.complete(done("2"), plans[0]!, 0.95).samples!.detect).toHaveLength(200);
  });

  it("widen their interval where the machine's speed changes from block to block", () => {
    const width = (spread: number): number => {
      const times = new ModelTimes([plans[0]!]);
      const random = new Random("blocks");
      for (const due of times.due(1)) {
        const speed = Math.exp(spread * random.normal());
        const samplesMs = Array.from(
          { length: samplesPerBlock },
          () => speed * Math.exp(0.05 * random.normal()),
        );
        times.add(due, { samplesMs, pictures: 48 });
      }
      const [median] = completed(times.complete(done("0"), plans[0]!, 0.95)).scores;
      if (median!.value === null || !median!.interval) throw new Error("no interval");
      return (median!.interval.high - median!.interval.low) / median!.value;
    };
    expect(width(0)).toBeLessThan(0.04);
    expect(width(0.1)).toBeGreaterThan(2 * width(0));
  });

  it("are taken of the next data set where one fails, and not again where the process fell", () => {
    const times = new ModelTimes([plan("a", "gone", broken), ...plans]);
    const due = [...times.due(1 / 40)];
    expect(due.map((d) => [d.plan.labels.dataset, d.number])).toEqual([
      ["one", 0],
      ["one", 0],
    ]);
    times.fail(due[0]!, broken);
    times.fail(due[1]!, crash);
    expect([...times.due(1 / 40)].map((d) => [d.timing.key, d.plan.labels.dataset])).toEqual([
      ["a", "two"],
    ]);
    take(times, 1);
    const [score] = completed(times.complete(done("b"), plans[2]!, 0.95)).scores;
    expect(score).toMatchObject({ value: null, why: "not timed: the process ended" });
    expect(completed(times.complete(done("a"), plans[0]!, 0.95)).timed!.dataset).toBe("two");
    expect(() => {
      times.fail(due[0]!, new Error("a fault"));
    }).toThrow("a fault");
  });

  it("have none of pictures that cannot be used", () => {
    const times = new ModelTimes([plans[0]!]);
    for (const due of times.due(1)) times.add(due, { samplesMs: [], pictures: 0 });
    const [score] = completed(times.complete(done("a"), plans[0]!, 0.95)).scores;
    expect(score).toMatchObject({ value: null, why: expect.stringMatching(/pictures/) as string });
  });

  it("go on where a run was cut off", () => {
    const before = new ModelTimes(plans);
    take(before, 0.5);
    const kept = JSON.parse(JSON.stringify(before.kept)) as Record<string, KeptTimes>;
    const after = new ModelTimes(plans, kept);
    expect(take(after, 1)[0]).toBe("a 20");
  });
});
