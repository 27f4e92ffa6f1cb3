import { describe, expect, it } from "vitest";
import { checkLimits, standing } from "../../../src/eval/choose/limits.js";
import { judge, pick } from "../../../src/eval/choose/pick.js";
import { whyNot } from "../../../src/eval/choose/why-not.js";
import { figure, point } from "./fixtures.js";

const flat = point("Flat", "Flat", {
  neighbourRecall: 1,
  p50Ms: 10,
  p99Ms: 12,
  memoryBytes: 1000,
  buildMs: 5,
  addsPerSecond: 1e6,
});
const hnsw = point("HNSW", "HNSW32", {
  neighbourRecall: figure(0.97, [0.96, 0.98]),
  p50Ms: 0.3,
  p99Ms: 0.6,
  memoryBytes: 1200,
  buildMs: 9000,
  addsPerSecond: 100,
});
const ivf = point("IVF", "IVF64,Flat", {
  neighbourRecall: figure(0.94, [0.92, 0.96]),
  p50Ms: 0.2,
  p99Ms: 0.5,
  memoryBytes: 1010,
  buildMs: 500,
  addsPerSecond: 5000,
});
const all = [flat, hnsw, ivf];

describe("checkLimits", () => {
  it("is sure only where the whole interval keeps the limit", () => {
    const at = (recall: number) => standing(checkLimits(hnsw, { recall }));
    expect(at(0.95)).toBe("met");
    expect(at(0.975)).toBe("unsure");
    expect(at(0.99)).toBe("broken");
  });

  it("says what was needed, what was found and by what share it was missed", () => {
    const [check] = checkLimits(flat, { p99Ms: 10 });
    expect(check).toMatchObject({
      limit: "p99Ms",
      option: "--p99",
      unit: "ms",
      needs: 10,
      found: 12,
      verdict: "broken",
    });
    expect(check!.excess).toBeCloseTo(0.2, 12);
  });

  it("holds appends a day against the rate of adding", () => {
    expect(standing(checkLimits(hnsw, { appendsPerDay: 80 * 86_400 }))).toBe("met");
    expect(standing(checkLimits(hnsw, { appendsPerDay: 120 * 86_400 }))).toBe("broken");
  });

  it("is not sure of what was measured once and lies close to its limit", () => {
    const at = (buildMs: number) => standing(checkLimits(hnsw, { buildMs }));
    expect([at(12_000), at(9500), at(7000)]).toEqual(["met", "unsure", "broken"]);
  });

  it("is not sure of memory within a MiB of its limit: allocators differ by that", () => {
    const large = point("IVF", "IVF64,Flat", { p50Ms: 1, memoryBytes: 20 * 2 ** 20 });
    const at = (mib: number) => standing(checkLimits(large, { memoryBytes: mib * 2 ** 20 }));
    expect([at(21.5), at(21), at(19), at(18)]).toEqual(["met", "unsure", "unsure", "broken"]);
  });

  it("a figure that was not measured meets no limit", () => {
    expect(checkLimits(flat, { queriesPerSecond: 1 })[0]).toMatchObject({
      found: null,
      verdict: "broken",
      excess: Infinity,
    });
  });
});

describe("pick", () => {
  it("takes the fastest that surely keeps all limits, and the next of another index", () => {
    const { pick: best, runnerUp, nearest } = pick(judge(all, { recall: 0.95 }));
    expect(best?.point).toBe(hnsw);
    expect(runnerUp?.point).toBe(flat);
    expect(nearest).toEqual([]);
  });

  it("the runner-up is no other parameter of the same index", () => {
    const wider = {
      ...hnsw,
      parameters: { efSearch: 128 },
      figures: { ...hnsw.figures, p50Ms: figure(0.4) },
    };
    expect(pick(judge([...all, wider], { recall: 0.95 })).runnerUp?.point).toBe(flat);
  });

  it("where nothing is sure, takes the fastest whose values fit, and says so", () => {
    const choice = pick(judge([hnsw, ivf], { recall: 0.965 }));
    expect(choice.pick?.point).toBe(hnsw);
    expect(choice.sure).toBe(false);
    expect(pick(judge([hnsw, ivf], { recall: 0.95 })).sure).toBe(true);
  });

  it("deletes take out what cannot remove", () => {
    expect(pick(judge(all, { recall: 0.95, deletes: true })).pick?.point).toBe(flat);
  });

  it("where nothing fits, names the nearest points first", () => {
    const { pick: best, nearest } = pick(judge(all, { recall: 0.95, p99Ms: 0.5 }));
    expect(best).toBeNull();
    expect(nearest[0]?.point).toBe(ivf); // misses recall by 1%, HNSW its time by 20%
    expect(nearest[1]?.point).toBe(hnsw);
  });
});

describe("whyNot", () => {
  it("says of each family which limit it misses, how much slower it is, why it was not run", () => {
    const judged = judge(all, { recall: 0.95 });
    const reasons = whyNot(judged, pick(judged), { PQ: "fewer vectors than centroids" });
    expect(reasons.map((r) => [r.family, r.because])).toEqual([
      ["Flat", "slower"],
      ["IVF", "limits"],
      ["HNSW", "picked"],
      ["PQ", "not-measured"],
    ]);
    expect(reasons[0]).toMatchObject({ timesAsLong: 10 / 0.3 });
    expect(reasons[1]).toMatchObject({ missed: [{ limit: "recall", found: 0.94, needs: 0.95 }] });
  });

  it("shows the point of a family that comes nearest", () => {
    const slower = point("IVF", "IVF64,Flat", { neighbourRecall: 0.8, p50Ms: 0.1 });
    const judged = judge([slower, ivf, flat], { recall: 0.97 });
    const reason = whyNot(judged, pick(judged), {}).find((r) => r.family === "IVF");
    expect(reason).toMatchObject({ because: "limits", best: { point: ivf } });
  });

  it("of a family that was measured on a sample only says why not on all vectors", () => {
    const fast = point("HNSW", "HNSW32", { neighbourRecall: 1, p50Ms: 0.01 }, { size: 100 });
    const judged = judge([flat, fast], { recall: 0.95 });
    const why = "its build would take about 4 min";
    const reason = whyNot(judged, pick(judge([flat], { recall: 0.95 })), { HNSW: why })[1];
    expect(reason).toMatchObject({ family: "HNSW", because: "sample-only", why });
  });
});
