import { beforeAll, describe, expect, it } from "vitest";
import { diagnosed, nameOf, type SampleOf } from "./faults/diagnosed.js";
import { samplePictures } from "./faults/pictures.js";
import { faithful, faults } from "./faults/zoo.js";

/** Each takes seconds on a quiet machine; a busy one may take many times that. */
const patience = 300_000;

let sample: SampleOf;
beforeAll(async () => {
  sample = { crops: await samplePictures(10, 96), scenes: await samplePictures(6, 240) };
});

describe("the diagnosis", () => {
  it("is put to faults of twenty kinds and more", () => {
    expect(faults.length).toBeGreaterThanOrEqual(24);
    expect(new Set(faults.map((f) => f.fault)).size).toBeGreaterThanOrEqual(20);
  });

  it.each(faults)(
    "names $fault: $title",
    async (exhibit) => {
      expect(nameOf(await diagnosed(exhibit, sample))).toBe(exhibit.fault);
    },
    patience,
  );

  it.each(faithful)(
    "finds nothing in a faithful export: $title ($model)",
    async (exhibit) => {
      const found = await diagnosed(exhibit, sample);
      expect(found.sentence).toMatch(/^nothing found/);
      expect(found).toMatchObject({ healthy: true, fault: null });
      expect(found.layers?.first ?? null).toBeNull();
    },
    patience,
  );
});

describe("the layers that int8 costs most", () => {
  it(
    "are ranked by what the end of the graph gains without them",
    async () => {
      const { quantised } = await diagnosed(
        faithful.find((f) => f.title === "int8")!,
        sample,
      );
      expect(quantised.length).toBeGreaterThan(5);
      const gains = quantised.map((q) => q.gainDb);
      expect(gains).toEqual([...gains].sort((a, b) => b - a));
      expect(gains[0]!).toBeGreaterThan(0);
      expect(quantised[0]!.dbInFloat - quantised[0]!.db).toBeCloseTo(gains[0]!, 10);
    },
    patience,
  );
});
