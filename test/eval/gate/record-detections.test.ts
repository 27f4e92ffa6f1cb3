import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DetectionDataset } from "../../../src/eval/config/dataset.js";
import { findingsBesideRecord } from "../../../src/eval/gate/record-detections.js";
import { openWork, type GateWork } from "../../../src/eval/gate/work.js";
import type { Case } from "../../../src/eval/record/case.js";
import { complaintOf } from "../../complaint.js";
import { baselines, makeTiny, type Tiny } from "../tiny-benchmark.js";

const detector = join(baselines, "whole-image.yaml");
const options = { dataset: "boxes", level: 0.95, clusters: "label", sample: 100 } as const;

let tiny: Tiny;
let cache: string;
let work: GateWork;
let dataset: DetectionDataset;
beforeAll(async () => {
  tiny = await makeTiny();
  cache = mkdtempSync(join(tmpdir(), "shitu-gate-boxes-"));
  const signal = new AbortController().signal;
  work = openWork(cache, {}, { progress: () => undefined, signal });
  dataset = (await work.resources.dataset(join(tiny.folder, "boxes.yaml"))) as DetectionDataset;
});
afterAll(async () => {
  await work.resources.close();
  rmSync(cache, { recursive: true });
  rmSync(tiny.folder, { recursive: true });
});

/** A record's row of a picture in which a box was found. */
function row(i: number, side = 48): Case {
  const corners = { x0: 0, y0: 0, x1: side, y1: side };
  return {
    cell: "c",
    item: `${i}.png`,
    image: `${i}.png`,
    outcome: "hit",
    truth: null,
    prediction: null,
    score: null,
    rank: null,
    neighbours: null,
    boxes: {
      truth: [],
      found: [{ ...corners, score: 1, label: null, fate: "hit", neighbours: null }],
    },
    width: 48,
    height: 48,
    lostAt: null,
    stageMs: null,
  };
}
const rows = (side?: (i: number) => number) =>
  Array.from({ length: tiny.pictures }, (_, i) => row(i, side?.(i)));
const beside = (list: Case[], agnostic = true) =>
  findingsBesideRecord(list, detector, dataset, work, { ...options, agnostic });

describe("a detector beside the boxes of a record", () => {
  it("that are the same differs in nothing", async () => {
    const { findings, moved } = await beside(rows());
    const value = (name: string) => findings.find((f) => f.measure === name)!.value;
    expect(["AP", "AP50", "objects-found"].map(value)).toEqual([0, 0, 0]);
    expect(["matched-boxes", "box-overlap"].map(value)).toEqual([1, 1]);
    expect(moved[0]!.agreement).toBe(1);
  });

  it("that missed a third is better, picture by picture", async () => {
    const { findings, items } = await beside(rows((i) => (i % 3 === 0 ? 10 : 48)));
    const found = findings.find((f) => f.measure === "objects-found")!;
    expect(found.value).toBeCloseTo(1 / 3, 12);
    expect(found.candidate).toBe(1);
    expect(items.filter((i) => !i.baseline.right && i.candidate.right)).toHaveLength(8);
  });

  it("cannot be told by class, which a record does not hold", async () => {
    const { findings } = await beside(rows(), false);
    const value = (name: string) => findings.find((f) => f.measure === name)!.value;
    expect(["AP", "matched-boxes", "objects-found"].map(value)).toEqual([null, null, 0]);
  });

  it("is refused where a picture is not in the record", async () => {
    const complaint = await complaintOf(beside(rows().slice(1)));
    expect(complaint).toMatchObject({ code: "baseline-other-data", found: "0.png" });
  });
});
