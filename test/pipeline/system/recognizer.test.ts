import { afterEach, describe, expect, it } from "vitest";
import { Gallery } from "../../../src/pipeline/gallery/gallery.js";
import {
  bestDetections,
  cropWindow,
  Recognizer,
  type RecognizerSettings,
} from "../../../src/pipeline/system/recognizer.js";
import { Stopwatch } from "../../../src/pipeline/stopwatch.js";
import type { Box, Codes, Detection, Pixels, Vectors } from "../../../src/pipeline/types.js";

// A picture of 100 x 60 whose "embedding" is decided by the crop's left edge: vectors are unit
// circles' angles in degrees.
const pixels: Pixels = { data: new Uint8Array(100 * 60 * 3), width: 100, height: 60 };
const angle = (degrees: number): [number, number] => [
  Math.cos((degrees * Math.PI) / 180),
  Math.sin((degrees * Math.PI) / 180),
];
const box = (x0: number, y0: number, x1: number, y1: number): Box => ({ x0, y0, x1, y1 });

function embedderOf(angleOf: (window: Box) => number, version = "m1") {
  const seen: Box[] = [];
  return {
    seen,
    id: "toy",
    version,
    dim: 2,
    kind: "real" as const,
    embed: () => Promise.reject(new Error("not used")),
    embedWindows: (_: Pixels, windows: readonly Box[]): Promise<Vectors> => {
      seen.push(...windows);
      return Promise.resolve({
        data: Float32Array.from(windows.flatMap((w) => angle(angleOf(w)))),
        dim: 2,
      });
    },
    close: () => Promise.resolve(),
  };
}

const detectorOf = (detections: Detection[]) => ({ detect: () => Promise.resolve(detections) });
const found = (b: Box, score = 0.9): Detection => ({ box: b, score, classId: 0 });

const open: Gallery[] = [];
afterEach(() => {
  for (const g of open.splice(0)) g.close();
});

async function galleryOf(labels: Record<string, number>, version = "m1"): Promise<Gallery> {
  const gallery = await Gallery.build(
    {
      model: { id: "toy", version },
      kind: "real",
      dim: 2,
      protocol: "standard",
      engine: "exact",
      factory: "Flat",
    },
    { data: Float32Array.from(Object.values(labels).flatMap(angle)), dim: 2 },
    Object.keys(labels).map((label) => ({ path: `${label}.jpg`, label })),
  );
  open.push(gallery);
  return gallery;
}

async function recognise(
  detections: Detection[],
  angleOf: (w: Box) => number,
  labels: Record<string, number>,
  settings: Partial<RecognizerSettings> = {},
) {
  const embedder = embedderOf(angleOf);
  const recognizer = new Recognizer(
    { detector: detectorOf(detections), embedder, gallery: await galleryOf(labels) },
    settings,
  );
  return { observation: await recognizer.recognize(pixels, "p.jpg"), embedder };
}

describe("recognizer", () => {
  it("adds the whole image as the last box, with score 1", async () => {
    const { observation, embedder } = await recognise([found(box(10, 10, 30, 40))], () => 0, {
      a: 0,
    });
    expect(embedder.seen).toEqual([box(10, 10, 30, 40), box(0, 0, 100, 60)]);
    expect(observation.recognitions.map((r) => r.detectionScore)).toEqual([0.9, 1]);
    const without = await recognise(
      [found(box(10, 10, 30, 40))],
      () => 0,
      { a: 0 },
      { addWholeImage: false },
    );
    expect(without.embedder.seen).toEqual([box(10, 10, 30, 40)]);
  });

  it("keeps 5 boxes by score and only then applies the threshold", () => {
    const all = [0.1, 0.9, 0.5, 0.19, 0.3, 0.25, 0.21].map((s) => found(box(0, 0, 1, 1), s));
    expect(bestDetections(all, 5, 0.2).map((d) => d.score)).toEqual([0.9, 0.5, 0.3, 0.25, 0.21]);
    expect(bestDetections(all, 2, 0.6).map((d) => d.score)).toEqual([0.9]);
  });

  it("decides by the first neighbour and the score threshold, inclusive", async () => {
    const { observation } = await recognise([], () => 60, { a: 0, b: 130 });
    // cos 60 = 0.5 up to float32
    expect(observation.recognitions[0]).toMatchObject({ label: "a", fate: "kept" });
    expect(observation.recognitions[0]!.hits.map((h) => h.label)).toEqual(["a", "b"]);
    const stricter = await recognise([], () => 60, { a: 0, b: 130 }, { scoreThreshold: 0.51 });
    expect(stricter.observation.recognitions[0]).toMatchObject({
      label: "a",
      fate: "below-threshold",
    });
  });

  it("suppresses over the recognition scores, counting areas with one more pixel", async () => {
    // Both boxes overlap the whole image, whose recognition is better: only it stays.
    const { observation } = await recognise(
      [found(box(0, 0, 50, 60)), found(box(60, 0, 100, 60))],
      (w) => (w.x1 - w.x0 === 100 ? 0 : 20),
      { a: 0 },
    );
    expect(observation.recognitions.map((r) => r.fate)).toEqual([
      "suppressed",
      "suppressed",
      "kept",
    ]);
    // The other way round the two parts stay, and the whole image goes.
    const parts = await recognise(
      [found(box(0, 0, 50, 60)), found(box(60, 0, 100, 60))],
      (w) => (w.x1 - w.x0 === 100 ? 20 : 0),
      { a: 0 },
    );
    expect(parts.observation.recognitions.map((r) => r.fate)).toEqual([
      "kept",
      "kept",
      "suppressed",
    ]);
    // Boxes that touch share a column of pixels when counted inclusively: IoU = 60 / (2 * 61 * 10
    // ...) stays under 0.05.
    const touching = await recognise(
      [found(box(0, 0, 50, 59)), found(box(50, 0, 99, 59))],
      () => 0,
      { a: 0 },
      { addWholeImage: false, suppressIou: 0 },
    );
    expect(touching.observation.recognitions.map((r) => r.fate)).toContain("suppressed");
  });

  it("keeps the nearest box for Hamming distances, and the farthest under paddleclas", async () => {
    const codes = (bits: number): Codes => ({ data: Uint8Array.of(bits), bits: 8 });
    const gallery = await Gallery.build(
      {
        model: { id: "toy", version: "m1" },
        kind: "binary",
        dim: 8,
        protocol: "standard",
        engine: "exact",
        factory: "Flat",
      },
      codes(0),
      [{ path: "a.jpg", label: "a" }],
    );
    open.push(gallery);
    const embedder = {
      ...embedderOf(() => 0),
      kind: "binary" as const,
      dim: 8,
      embedWindows: (_: Pixels, windows: readonly Box[]): Promise<Codes> =>
        Promise.resolve({
          data: Uint8Array.from(windows, (w) => (w.x0 === 0 && w.x1 === 100 ? 0b111 : 0b1)),
          bits: 8,
        }),
    };
    const fates = async (protocol: "standard" | "paddleclas"): Promise<string[]> =>
      (
        await new Recognizer(
          { detector: detectorOf([found(box(0, 0, 90, 60))]), embedder, gallery },
          { protocol },
        ).recognize(pixels, "p")
      ).recognitions.map((r) => r.fate);
    expect(await fates("standard")).toEqual(["kept", "suppressed"]);
    expect(await fates("paddleclas")).toEqual(["suppressed", "kept"]);
  });

  it("reports a box without a whole pixel as empty and goes on", async () => {
    const { observation } = await recognise([found(box(10.2, 10, 10.8, 30))], () => 0, { a: 0 });
    expect(observation.recognitions.map((r) => r.fate)).toEqual(["kept", "empty"]);
  });

  it("refuses a gallery of another model", async () => {
    const gallery = await galleryOf({ a: 0 }, "m2");
    expect(
      () => new Recognizer({ detector: detectorOf([]), embedder: embedderOf(() => 0), gallery }),
    ).toThrow(/another model/);
  });

  it("adds up the time of each stage with the injected clock", async () => {
    let now = 0;
    const watch = new Stopwatch(() => (now += 5));
    const gallery = await galleryOf({ a: 0 });
    const { stageMs } = await new Recognizer({
      detector: detectorOf([]),
      embedder: embedderOf(() => 0),
      gallery,
    }).recognize(pixels, "p", watch);
    expect(stageMs).toEqual({ search: 5, suppress: 5 });
  });
});

describe("crop window", () => {
  it("truncates towards zero and clips under standard", () => {
    expect(cropWindow(box(-3.7, 2.9, 120.5, 60), pixels, "clipped")).toEqual({
      box: box(0, 2, 100, 60),
      window: box(0, 2, 100, 60),
    });
  });

  it("repeats Python's slice under paddleclas: a negative start counts from the end", () => {
    // image[5:40, -3:50] is empty: the start is column 97.
    expect(cropWindow(box(-3, 5, 50, 40), pixels, "slices").window).toBeNull();
    // image[-10:60, 0:50] keeps the last ten rows.
    expect(cropWindow(box(0, -10, 50, 60), pixels, "slices")).toEqual({
      box: box(0, -10, 50, 60),
      window: box(0, 50, 50, 60),
    });
  });
});
