import { describe, expect, it } from "vitest";
import type { WorkOrder } from "../../../src/eval/choose/building/workshop.js";
import { build } from "../../../src/eval/choose/building/built.js";
import { Budget } from "../../../src/eval/choose/budget.js";
import { CostBook } from "../../../src/eval/choose/cost-book.js";
import { Rung } from "../../../src/eval/choose/rung.js";
import { findTruth } from "../../../src/eval/choose/truth.js";
import { Random } from "../../../src/eval/stats/random.js";
import { setting } from "./fixtures.js";

const dim = 8;
const random = new Random("rung");
const draw = (n: number) => ({
  data: Float32Array.from({ length: n * dim }, () => random.normal()),
  dim,
});
const gallery = { rows: draw(300), labels: null };
const queries = { rows: draw(10), labels: null };
const metric = "l2" as const;
const effort = { leastSamples: 1, mostSamples: 1, timingMs: 0, batchRounds: 1 };

/** A rung with a minute left, a tenth of it in reserve, and builds that take what they are told. */
async function rungWith(share: number, buildMs: number) {
  let now = 0;
  const orders: WorkOrder[] = [];
  const costs = new CostBook();
  const truth = await findTruth({ gallery, queries, metric, size: 300, k: 3 });
  const workshop = {
    build: async (order: WorkOrder) => {
      orders.push(order);
      const tooLong = buildMs > order.mostMs;
      now += Math.min(buildMs, order.mostMs);
      if (tooLong) return { why: "its build was cut off" };
      return { built: await build(order.setting, gallery.rows, metric) };
    },
  };
  const clock = () => now;
  const data = { gallery, name: "", version: "", metric, heldOut: false } as const;
  const rung = new Rung(
    truth,
    {
      data: { ...data, sweepQueries: queries, finalQueries: queries },
      budget: new Budget(60_000, clock),
      clock,
      workshop,
      costs,
      reserveMs: 6000,
      signal: new AbortController().signal,
    },
    share,
  );
  return { rung, costs, orders };
}

describe("a rung", () => {
  it("does not start what is foretold to take longer than is left, and says how long", async () => {
    const { rung, costs, orders } = await rungWith(0.5, 100);
    const dear = setting("HNSW", "HNSW32");
    costs.noteBuild(dear, { size: 150, ms: 15_000 });
    costs.noteSweep(dear, { size: 150, ms: 1 });
    await rung.tryOut(dear, effort);
    expect(orders).toEqual([]);
    expect(rung.omissions).toMatchObject([
      { cause: "time", why: expect.stringMatching(/about 34 s; the budget leaves it 27 s/) },
    ]);
  });

  it("cuts a build off that takes much longer than foretold", async () => {
    const { rung, costs, orders } = await rungWith(1, 50_000);
    const late = setting("IVF", "IVF{root},Flat");
    costs.noteBuild(late, { size: 300, ms: 5000 });
    costs.noteSweep(late, { size: 300, ms: 0.001 });
    await rung.tryOut(late, effort);
    expect(orders[0]!.mostMs).toBeCloseTo(13_000, 0);
    expect(rung.omissions).toMatchObject([{ cause: "build", why: "its build was cut off" }]);
    expect(rung.points).toEqual([]);
  });

  it("measures the exact search whatever it takes, and nothing once no time is left", async () => {
    const { rung } = await rungWith(1, 55_000);
    await rung.tryOut(setting("Flat", "Flat"), effort);
    await rung.tryOut(setting("SQ8", "SQ8"), effort);
    expect(rung.points.map((p) => p.factory)).toEqual(["Flat"]);
    expect(rung.omissions).toMatchObject([{ family: "SQ8", cause: "time" }]);
  });
});
