import { describe, expect, it } from "vitest";
import {
  Budget,
  ladder,
  predictCost,
  promote,
  unseenCost,
  usualExponent,
} from "../../../src/eval/choose/budget.js";
import { holdOut, joinQueries } from "../../../src/eval/choose/data/choice-data.js";
import { figureAt } from "../../../src/eval/choose/growth/interpolate.js";
import { growthOf, sizesUpTo } from "../../../src/eval/choose/growth/growth.js";
import type { Point } from "../../../src/eval/choose/point.js";
import { factoryAt, isOlder, settingSpace } from "../../../src/eval/choose/space.js";
import { nextValue } from "../../../src/eval/choose/sweep.js";
import { figure, point } from "./fixtures.js";

describe("the budget", () => {
  it("counts from its start, by the clock given", () => {
    let now = 100;
    const budget = new Budget(1000, () => now);
    now = 400;
    expect([budget.spentMs, budget.leftMs]).toEqual([300, 700]);
  });
});

describe("ladder", () => {
  it("climbs by fours to the size itself", () => {
    expect(ladder(145_235)).toEqual([2269, 9077, 36_309, 145_235]);
    expect(ladder(7999)).toEqual([7999]);
    expect(ladder(8000)).toEqual([2000, 8000]);
  });
});

describe("predictCost", () => {
  it("takes the exponent halfway between the usual one and that of the last two sizes", () => {
    const costs = [
      { size: 100, ms: 10 },
      { size: 400, ms: 40 },
    ];
    expect(predictCost(costs, 1600, 1)).toBeCloseTo(160, 9);
    expect(predictCost(costs, 1600, 2)).toBeCloseTo(40 * 4 ** 1.5, 9);
    expect(predictCost([{ size: 100, ms: 10 }], 1000, 1.3)).toBeCloseTo(10 * 10 ** 1.3, 9);
    // A cost that fell is taken to rise with the square root at least.
    const fell = [
      { size: 100, ms: 90 },
      { size: 400, ms: 40 },
    ];
    expect(predictCost(fell, 1600, 1)).toBeCloseTo(80, 9);
    expect(predictCost([], 10, 1)).toBeNull();
  });

  it("thinks of lists that follow the size as dearer than graphs", () => {
    const of = ["IVF{paddleclas},Flat", "IVF{root},PQ8", "HNSW32", "Flat"].map(usualExponent);
    expect(of).toEqual([2, 1.5, 1.2, 1.1]);
  });
});

describe("unseenCost", () => {
  it("is that of 25 rounds of k-means over the vectors that Faiss trains on", () => {
    // 2 operations x 20,000 points x 512 values x 256 centroids x 25 rounds, 2 million a ms
    expect(unseenCost("PQ128", 20_000, 512)).toBeCloseTo(65_536, 6);
    expect(unseenCost("IVF{root},PQ128", 1e6, 512)).toBe(unseenCost("PQ128", 65_536, 512));
    expect(unseenCost("PQ128x4fs", 1e6, 512)).toBeCloseTo(838.8608, 6);
    expect(unseenCost("HNSW32", 1e6, 512)).toBe(0);
  });
});

describe("promote", () => {
  const candidate = (item: string, family: string, costMs: number, more = {}) => ({
    item,
    family,
    costMs,
    excess: 0,
    fixed: false,
    ...more,
  });

  it("keeps the better half, the yardstick, and a family's best that is within reach", () => {
    const kept = promote([
      candidate("a", "IVF", 1),
      candidate("b", "IVF", 2),
      candidate("c", "HNSW", 3),
      candidate("d", "HNSW", 3.5),
      candidate("e", "PQ", 4.1),
      candidate("f", "Flat", 50, { fixed: true }),
    ]);
    expect(kept).toEqual(["a", "b", "c", "f"]); // PQ's best takes 4.1 times as long as the best
  });

  it("orders what misses the limits by how much", () => {
    const far = candidate("far", "x", Infinity, { excess: 0.5 });
    const near = candidate("near", "y", Infinity, { excess: 0.1 });
    expect(promote([far, near])).toEqual(["near"]);
  });
});

describe("nextValue", () => {
  const knob = { name: "nprobe", values: [1, 2, 4, 8], largest: 1000 };
  const at = (value: number, recall: number): Point =>
    point("IVF", "IVF64,Flat", { neighbourRecall: recall }, { parameters: { nprobe: value } });
  const enough = (p: Point) => (p.figures.neighbourRecall!.value! >= 0.9 ? "yes" : "no");
  const next = (points: Point[], largest = 64) => nextValue(knob, points, enough, largest);

  it("halves the gap between too little and enough, in the logarithm", () => {
    expect(next([at(4, 0.8), at(16, 0.95)])).toBe(8);
    expect(next([at(4, 0.8), at(8, 0.85), at(16, 0.95)])).toBe(11);
  });

  it("ends where the gap is closed", () => {
    expect(next([at(20, 0.89), at(21, 0.91)])).toBeNull();
    expect(next([at(1, 0.91)])).toBeNull();
  });

  it("goes on beyond the sweep while there is more, and below it", () => {
    expect(next([at(8, 0.5)])).toBe(16);
    expect(next([at(48, 0.5)])).toBe(64);
    expect(next([at(64, 0.5)])).toBeNull();
    expect(next([at(16, 0.95)])).toBe(8);
  });
});

describe("settingSpace", () => {
  const options = { kind: "real", size: 20_000, k: 10, engines: ["faiss", "two-stage"] } as const;
  const families = (more: object) => {
    const { settings, left } = settingSpace({ ...options, dim: 64, faiss: "1.15.0", ...more });
    return { there: new Set(settings.map((s) => s.family)), left };
  };

  it("has all that the paper has and what is deployed besides", () => {
    const { there, left } = families({});
    for (const family of ["Flat", "IVF", "HNSW", "SQ8", "PQ", "IVF-PQ", "RaBitQ", "two-stage"]) {
      expect(there).toContain(family);
    }
    expect(left).toEqual({});
  });

  it("says why a family is not in it", () => {
    expect(families({ faiss: "1.7.3" }).left.RaBitQ).toMatch(/1\.7\.3 does not have it/);
    expect(families({ size: 5000 }).left.PQ).toMatch(/9984 vectors or more/);
    expect(families({ dim: 12 }).left["two-stage"]).toBe("12 signs do not fill whole bytes");
    expect([...families({ kind: "binary" }).there].every((f) => f.startsWith("binary"))).toBe(true);
  });

  it("fills in the number of lists by the size", () => {
    expect(factoryAt({ factory: "IVF{root},Flat" }, 10_000)).toBe("IVF100,Flat");
    expect(factoryAt({ factory: "IVF{fourRoots},PQ8" }, 10_000)).toBe("IVF400,PQ8");
    expect(factoryAt({ factory: "BIVF{paddleclas}" }, 1069)).toBe("BIVF133");
  });

  it("orders versions by their numbers", () => {
    expect(isOlder("1.7.3", "1.11.0")).toBe(true);
    expect(isOlder("1.15.0", "1.11.0")).toBe(false);
    expect(isOlder("1.8.0", "1.8.0")).toBe(false);
  });
});

describe("holdOut", () => {
  const n = 100;
  const rows = { data: Float32Array.from({ length: n }, (_, i) => i), dim: 1 };
  const labels = Array.from({ length: n }, (_, i) => ({ label: String(i), uid: null }));

  it("takes a fifth out, which never sits in the gallery, with its labels", () => {
    const split = holdOut({ rows, labels }, "seed");
    const asked = joinQueries({ name: "", version: "", metric: "l2", heldOut: true, ...split });
    expect(asked.rows.data).toHaveLength(20);
    const all = [...split.gallery.rows.data, ...asked.rows.data].sort((a, b) => a - b);
    expect(all).toEqual([...rows.data]);
    const { data } = split.gallery.rows;
    expect(split.gallery.labels!.map((l) => Number(l.label))).toEqual([...data]);
    expect([...data]).not.toEqual([...data].sort((a, b) => a - b));
    expect(holdOut({ rows, labels }, "seed")).toEqual(split);
    expect(holdOut({ rows, labels }, "another").gallery.rows).not.toEqual(split.gallery.rows);
  });
});

describe("growth over sizes", () => {
  const knob = { name: "efSearch", values: [16, 64], largest: 4096 };
  const at = (size: number, efSearch: number, p50: number): Point => {
    const made = point("HNSW", "HNSW32", { p50Ms: figure(p50), diskBytes: size * 10 }, { size });
    return { ...made, setting: { ...made.setting, knob }, parameters: { efSearch } };
  };

  it("takes a knob's value between two measured ones from the line between them", () => {
    const points = [at(100, 16, 1), at(100, 64, 3)];
    expect(figureAt(points, "p50Ms", "efSearch", 32)).toEqual({ value: 2, halfWidth: 0 });
    expect(figureAt(points, "p50Ms", "efSearch", 64)).toEqual({ value: 3, halfWidth: 0 });
    expect(figureAt(points, "p50Ms", "efSearch", 128)).toBeNull();
  });

  it("fits the sizes, predicts further ones, and checks itself on the largest", () => {
    const like = at(1600, 32, 8);
    const smaller = [100, 400].flatMap((n) => [at(n, 16, n / 100), at(n, 64, (3 * n) / 100)]);
    // Between 16 and 64 lies twice the time of 16: 2 and 8 at 100 and 400, so a law of slope 1.
    const growth = growthOf(smaller, like, 8, [6400]);
    if ("why" in growth) throw new Error(growth.why);
    const p50 = growth.figures.find((f) => f.figure === "p50Ms")!;
    expect(p50.samples.map((s) => s.value)).toEqual([2, 8, 8]);
    expect(p50.check!.predicted.value).toBeCloseTo(32, 9);
    expect(p50.check!.measured).toBe(8);
    const bytes = growth.figures.find((f) => f.figure === "diskBytes")!;
    expect(bytes.form).toBe("format");
    const perVector = 8 * 4 + 4 * (64 + 32 / 31) + 12;
    expect(bytes.predictions[0]!.value).toBeCloseTo(16_000 + 4800 * perVector, 6);
  });

  it("doubles up to the last size", () => {
    expect(sizesUpTo(100, 1000)).toEqual([200, 400, 800, 1000]);
    expect(sizesUpTo(100, 50)).toEqual([]);
  });
});
