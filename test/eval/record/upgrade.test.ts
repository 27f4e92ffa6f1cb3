import { describe, expect, it } from "vitest";
import { upgradeRecord } from "../../../src/eval/record/upgrade.js";
import { defaultIntervals } from "../../../src/eval/stats/interval-plan.js";

const upgraded = (score: object): unknown =>
  (upgradeRecord({ schema: 1, cells: [{ scores: [score] }] }) as { cells: { scores: unknown[] }[] })
    .cells[0]!.scores[0];

describe("records of version 1", () => {
  it("had intervals without a level: 95%", () => {
    const score = { metric: "recall@1", value: 0.5, n: 10, ci: [0.2, 0.8], method: "Wilson" };
    expect(upgraded(score)).toEqual({
      metric: "recall@1",
      value: 0.5,
      n: 10,
      interval: { low: 0.2, high: 0.8, level: 0.95, method: "Wilson", units: 10 },
    });
  });

  it("but where the method says another", () => {
    const method = "order statistics of the rounds' ratios, 98.3%";
    const score = { value: 2, n: 100, ci: [1, 3], method };
    expect(upgraded(score)).toMatchObject({ interval: { level: 0.983, units: 100 } });
  });

  it("counted images in words beside boxes", () => {
    const method = "bootstrap-standard-error over 40 images";
    const score = { value: 0.5, n: 217, ci: [0, 1], method };
    expect(upgraded(score)).toMatchObject({ interval: { units: 40, level: 0.95 } });
  });

  it("said by the method why there was no interval", () => {
    const score = { value: 0.5, n: 3, ci: null, method: "none: flatters" };
    expect(upgraded(score)).toEqual({
      value: 0.5,
      n: 3,
      interval: null,
      whyNoInterval: "none: flatters",
    });
  });

  it("get the plan that they were made by", () => {
    expect(upgradeRecord({ schema: 1, experiment: { name: "x" }, cells: [] })).toMatchObject({
      schema: 2,
      experiment: { name: "x", intervals: defaultIntervals },
    });
  });

  it("what is no record is left to the schema", () => {
    for (const odd of [null, 3, [], { schema: 1, cells: 3 }, { schema: 1, cells: [null] }])
      expect(() => upgradeRecord(odd)).not.toThrow();
  });
});
