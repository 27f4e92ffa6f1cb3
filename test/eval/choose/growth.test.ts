import { describe, expect, it } from "vitest";
import { Random } from "../../../src/eval/stats/random.js";
import { byteLaw, bytesAt, bytesNoise } from "../../../src/eval/choose/growth/index-bytes.js";
import { fitLaw, predict, studentQuantile, type Law } from "../../../src/eval/choose/growth/law.js";

const sample = (size: number, value: number, halfWidth = 0) => ({ size, value, halfWidth });
const law = (fitted: ReturnType<typeof fitLaw>): Law => {
  if ("why" in fitted) throw new Error(fitted.why);
  return fitted;
};

describe("studentQuantile", () => {
  it("equals the tables", () => {
    expect(studentQuantile(0.975, 1)).toBeCloseTo(12.7062, 4);
    expect(studentQuantile(0.975, 4)).toBeCloseTo(2.77645, 5);
    expect(studentQuantile(0.95, 10)).toBeCloseTo(1.81246, 5);
  });
});

describe("fitLaw", () => {
  it("finds a power law and goes on along it", () => {
    const fitted = law(fitLaw([sample(100, 2), sample(400, 4), sample(1600, 8)], "power"));
    expect(fitted.slope).toBeCloseTo(0.5, 12);
    const there = predict(fitted, 6400);
    expect(there.value).toBeCloseTo(16, 9);
    expect(there.extrapolated).toBe(true);
    expect(predict(fitted, 400).extrapolated).toBe(false);
  });

  it("has the prediction interval of the textbook's straight line", () => {
    // log n = 0, 1, 2 and log y = 0, 1, 1: slope 1/2, intercept 1/6, residuals -1/6, 1/3, -1/6.
    const e = Math.exp;
    const fitted = law(fitLaw([sample(1, 1), sample(e(1), e(1)), sample(e(2), e(1))], "power"));
    expect(fitted.slope).toBeCloseTo(0.5, 12);
    expect(fitted.residual).toBeCloseTo(Math.sqrt(1 / 6), 12);
    const { value, ci } = predict(fitted, e(3));
    expect(Math.log(value)).toBeCloseTo(1 / 6 + 1.5, 12);
    const half = 12.7062 * Math.sqrt(1 / 6) * Math.sqrt(1 + 1 / 3 + 4 / 2);
    expect(Math.log(ci![1]) - Math.log(value)).toBeCloseTo(half, 3);
  });

  it("does not trust three points on a line beyond what their own intervals allow", () => {
    const exact = law(fitLaw([sample(1, 1), sample(10, 10), sample(100, 100)], "power"));
    const noisy = law(
      fitLaw([sample(1, 1, 0.1), sample(10, 10, 1), sample(100, 100, 10)], "power"),
    );
    expect(exact.residual).toBeCloseTo(0, 12);
    expect(noisy.residual).toBeCloseTo(0.0512, 3); // ln(1.1 / 0.9) / 2 / 1.96
  });

  it("keeps a recall between 0 and 1", () => {
    const fitted = law(fitLaw([sample(1e3, 0.99), sample(1e4, 0.97), sample(1e5, 0.92)], "logit"));
    const { value, ci } = predict(fitted, 1e7);
    expect(value).toBeGreaterThan(0.4);
    expect(value).toBeLessThan(0.92);
    expect(ci![0]).toBeGreaterThanOrEqual(0);
    expect(ci![1]).toBeLessThanOrEqual(1);
  });

  it("says why there is no law, and gives no interval from two sizes", () => {
    expect(fitLaw([sample(10, 1)], "power")).toMatchObject({ value: null });
    expect(predict(law(fitLaw([sample(10, 1), sample(20, 2)], "power")), 40).ci).toBeNull();
  });
});

describe("bytesNoise", () => {
  it("is that of levels drawn one by one, and none without levels", () => {
    const random = new Random("levels");
    const degree = 8;
    const totals = Array.from({ length: 400 }, () => {
      let links = 0;
      for (let i = 0; i < 500; i++) while (random.next() < 1 / degree) links += degree;
      return 4 * links;
    });
    const mean = totals.reduce((a, b) => a + b) / totals.length;
    const spread = Math.sqrt(totals.reduce((s, t) => s + (t - mean) ** 2, 0) / totals.length);
    expect(spread / bytesNoise("HNSW8,Flat", 500)).toBeCloseTo(1, 0.8);
    expect(bytesNoise("IVF8,Flat", 500)).toBe(0);
  });
});

describe("byteLaw", () => {
  it("gives Table 7's sizes to the byte", () => {
    const flat = byteLaw("IDMap2,Flat", 512)!;
    const none = { size: 0, lists: 0, bytes: 90 };
    expect(bytesAt(flat, none, { size: 145_235, lists: 0 })).toBe(298_603_250);
    const codes = byteLaw("BFlat", 512)!;
    const empty = { size: 0, lists: 0, bytes: 33 };
    expect(bytesAt(codes, empty, { size: 145_235, lists: 0 })).toBe(9_295_073);
  });

  it("knows the parts of each format", () => {
    expect(byteLaw("IVF100,PQ16", 64)).toEqual({ perVector: 16 + 8, perList: 64 * 4 + 8 });
    expect(byteLaw("IVF100,PQ16x4", 64)).toEqual({ perVector: 8 + 8, perList: 64 * 4 + 8 });
    expect(byteLaw("BIVF10", 64)).toEqual({ perVector: 8 + 8, perList: 8 + 8 });
    expect(byteLaw("SQ8", 64)).toEqual({ perVector: 64, perList: 0 });
    expect(byteLaw("HNSW32,SQ8", 64)!.perVector).toBeCloseTo(64 + 4 * (64 + 32 / 31) + 12, 9);
    expect(byteLaw("OPQ16,PQ16", 64)).toBeNull();
  });
});
