import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isBaseline, loadCard } from "../../../src/pipeline/model/card.js";
import { openDetector } from "../../../src/pipeline/detection/detector.js";
import { openEmbedder } from "../../../src/pipeline/embedding/embedder.js";
import { loadModel } from "../../../src/pipeline/model/model.js";
import { projectRoot } from "../../../src/pipeline/root.js";
import { gaussians, uniform } from "../../../src/pipeline/seeded-random.js";
import type { Codes, Pixels, Vectors } from "../../../src/pipeline/types.js";
import { complaintOf } from "../../complaint.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "shitu-baseline-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function cardOf(settings: string): string {
  const path = join(folder, "card.yaml");
  writeFileSync(
    path,
    `schema: 1\nname: a-baseline\nversion: "1"\ntask: recognition\n${settings}\n`,
  );
  return path;
}

async function embed(settings: string, crops: readonly Pixels[]): Promise<Vectors | Codes> {
  const embedder = await openEmbedder(cardOf(settings));
  return embedder.embed(crops);
}

const made = (of: (i: number) => number, width = 6, height = 6): Pixels => ({
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) => of(i)),
  width,
  height,
});
const dot = (v: Vectors, a: number, b: number): number => {
  let sum = 0;
  for (let i = 0; i < v.dim; i++) sum += v.data[a * v.dim + i]! * v.data[b * v.dim + i]!;
  return sum;
};

describe("pixels", () => {
  it("are the picture itself, its mean taken off, of length 1, channel by channel", async () => {
    const v = (await embed("baseline: pixels\nside: 1", [
      made((i) => [10, 40, 70][i % 3]!),
    ])) as Vectors;
    expect([...v.data].map((x) => Number(x.toFixed(5)))).toEqual([-0.70711, 0, 0.70711]);
  });

  it("do not mind brightness or contrast", async () => {
    const dark = made((i) => (i * 7) % 60);
    const bright = made((i) => 100 + 2 * ((i * 7) % 60));
    const v = (await embed("baseline: pixels\nside: 6", [
      dark,
      bright,
      made((i) => (i * 11) % 60),
    ])) as Vectors;
    expect(v.dim).toBe(108);
    expect(dot(v, 0, 1)).toBeCloseTo(1, 6);
    expect(Math.abs(dot(v, 0, 2))).toBeLessThan(0.5);
  });

  it("of one grey are like others of one grey, and like nothing else", async () => {
    const v = (await embed("baseline: pixels\nside: 6", [
      made(() => 9),
      made(() => 255),
      made(() => 0),
      made((i) => (i * 7) % 60),
    ])) as Vectors;
    expect([dot(v, 0, 1), dot(v, 0, 2)].map((x) => Number(x.toFixed(6)))).toEqual([1, 1]);
    expect(dot(v, 0, 3)).toBeCloseTo(0, 6);
  });
});

describe("the colour histogram", () => {
  it("holds the square root of each colour's share, red first", async () => {
    // A quarter of the pixels is pure red, the rest black: at 2 levels a channel the bins are
    // [0,0,0] = 0 and [1,0,0] = 4.
    const pixels = made((i) => (i % 12 === 0 ? 255 : 0), 4, 4);
    const v = (await embed("baseline: colour-histogram\nlevels: 2\nside: 4", [pixels])) as Vectors;
    expect([...v.data].map((x) => Number(x.toFixed(6)))).toEqual([
      Number(Math.sqrt(0.75).toFixed(6)),
      0,
      0,
      0,
      0.5,
      0,
      0,
      0,
    ]);
  });

  it("has a bin for the brightest value", async () => {
    const v = (await embed("baseline: colour-histogram\nlevels: 8", [made(() => 255)])) as Vectors;
    expect(v.dim).toBe(512);
    expect(v.data[511]).toBe(1);
  });
});

describe("the random projection", () => {
  const noise = uniform(7);
  const a = made(() => Math.floor(noise() * 256), 32, 32);
  const b = made((i) => Math.min(255, a.data[i]! + (i % 20)), 32, 32); // nearly a
  const c = made(() => Math.floor(noise() * 256), 32, 32);

  it("keeps angles roughly, the more numbers the better", async () => {
    const pixels = (await embed("baseline: pixels", [a, b, c])) as Vectors;
    const v = (await embed("baseline: random-projection\nsize: 1024\nseed: 1", [
      a,
      b,
      c,
    ])) as Vectors;
    expect(dot(v, 0, 1)).toBeCloseTo(dot(pixels, 0, 1), 1);
    expect(dot(v, 0, 2)).toBeCloseTo(dot(pixels, 0, 2), 0);
    expect(dot(v, 0, 1)).toBeGreaterThan(dot(v, 0, 2) + 0.5);
  });

  it("is the same for a seed, another for another, and may be signs", async () => {
    const one = await embed("baseline: random-projection\nsize: 64\nseed: 1", [a]);
    expect(await embed("baseline: random-projection\nsize: 64\nseed: 1", [a])).toEqual(one);
    expect(await embed("baseline: random-projection\nsize: 64\nseed: 2", [a])).not.toEqual(one);
    const bits = (await embed("baseline: random-projection\nsize: 64\nseed: 1\nbinarise: sign", [
      a,
    ])) as Codes;
    expect(bits.bits).toBe(64);
    expect(
      [...(one as Vectors).data]
        .map(Number)
        .map((x) => (x > 0 ? "1" : "0"))
        .join(""),
    ).toBe([...bits.data].map((byte) => byte.toString(2).padStart(8, "0")).join(""));
  });
});

describe("seeded random numbers", () => {
  it("are the same everywhere", () => {
    const next = uniform(1);
    // mulberry32's first three integers for seed 1.
    expect([next(), next(), next()].map((x) => Math.floor(x * 2 ** 32))).toEqual([
      2693262067, 11749833, 2265367787,
    ]);
  });

  it("are normal", () => {
    const x = gaussians(100_001, 3);
    const mean = x.reduce((s, v) => s + v, 0) / x.length;
    const variance = x.reduce((s, v) => s + (v - mean) ** 2, 0) / x.length;
    expect(Math.abs(mean)).toBeLessThan(0.01);
    expect(Math.abs(variance - 1)).toBeLessThan(0.02);
    expect(x.filter((v) => Math.abs(v) < 1.959964).length / x.length).toBeCloseTo(0.95, 2);
  });
});

describe("baselines as models", () => {
  it("are another version when a setting changes, not when the name does", async () => {
    const version = async (settings: string): Promise<string> =>
      (await openEmbedder(cardOf(settings))).version;
    const before = await version("baseline: pixels");
    expect(await version("baseline: pixels\nside: 32\nnotes: the same")).toBe(before);
    expect(await version("baseline: pixels\nside: 16")).not.toBe(before);
  });

  it("have no model file to load, and no unknown settings", async () => {
    expect(await complaintOf(loadModel(cardOf("baseline: pixels")))).toMatchObject({
      code: "card-mismatch",
      path: "baseline",
    });
    expect(await complaintOf(openDetector(cardOf("baseline: pixels")))).toMatchObject({
      code: "card-mismatch",
      path: "baseline",
    });
    expect(await complaintOf(openEmbedder(cardOf("baseline: pixel")))).toMatchObject({
      code: "schema",
      path: "baseline",
    });
    expect(await complaintOf(openEmbedder(cardOf("baseline: pixels\nseed: 1")))).toMatchObject({
      code: "schema",
    });
  });

  it("that come with the project can all be opened", async () => {
    const shipped = join(projectRoot, "models", "baselines");
    expect(existsSync(shipped)).toBe(true);
    const files = readdirSync(shipped).filter((f) => f.endsWith(".yaml"));
    expect(files.length).toBeGreaterThanOrEqual(5);
    for (const file of files) {
      const card = await loadCard(join(shipped, file));
      expect(isBaseline(card) && card.name, file).toBe(file.replace(".yaml", ""));
      const opened =
        card.task === "detection"
          ? await openDetector(join(shipped, file))
          : await openEmbedder(join(shipped, file));
      await opened.close();
    }
  });
});
