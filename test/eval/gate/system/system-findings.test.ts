import { describe, expect, it } from "vitest";
import { systemFindings } from "../../../../src/eval/gate/system/system-findings.js";
import type { ObservedScenes, Scene } from "../../../../src/eval/experiments/pipeline.js";
import { defaultRule } from "../../../../src/eval/metrics/end-to-end/f1-evidence.js";
import type { Recognition } from "../../../../src/pipeline/types.js";

const box = { x0: 0, y0: 0, x1: 10, y1: 10 };
const elsewhere = { x0: 50, y0: 50, x1: 60, y1: 60 };
const fates = {
  correct: { box, label: "cat", score: 0.9 },
  missed: { box: elsewhere, label: "cat", score: 0.9 },
  embedding: { box, label: "dog", score: 0.9 },
  threshold: { box, label: "cat", score: 0.3 },
} as const;

/** A picture of one cat, of which the pipeline made this. */
function scene(image: string, fate: keyof typeof fates): Scene {
  const { box: at, label, score } = fates[fate];
  const truth = [{ label: "cat", box }];
  const neighbour = { label, score };
  const recognitions: Recognition[] = [
    { box: at, detectionScore: 1, label, score, fate: "kept", hits: [] },
  ];
  return {
    evidence: { image, truth, recognitions },
    crops: { image, truth, crops: [{ box: at, whole: false, exact: neighbour, found: neighbour }] },
    recognitions,
    width: 100,
    height: 100,
  };
}

const observed = (list: readonly (keyof typeof fates)[]): ObservedScenes => ({
  scenes: list.map((fate, i) => scene(`${i}.jpg`, fate)),
  rule: defaultRule,
  versions: { detector: "d", embedder: "e", index: "i" },
  galleryErrors: [],
  sceneErrors: [],
});

const options = {
  dataset: "scenes",
  level: 0.95,
  clusters: "label",
  sample: 10,
  threshold: 0.5,
} as const;
const repeated = <T>(values: readonly T[], times: number): T[] =>
  Array.from({ length: times }, () => values).flat();

describe("findings of a whole pipeline", () => {
  const fine = repeated(["correct"] as const, 40);
  const worse = repeated(["correct", "missed", "embedding", "threshold"] as const, 10);
  const { findings, stages, items } = systemFindings(observed(fine), observed(worse), options);
  const finding = (name: string) => findings.find((f) => f.measure === name)!;

  it("say how far objects come, by stages of the loss waterfall", () => {
    const reached = [
      "objects-located",
      "objects-matched",
      "objects-accepted",
      "objects-recognised",
    ];
    const values = reached.map((name) => finding(name).value);
    expect(values).toEqual([-0.25, -0.5, -0.75, -0.75]);
    expect(finding("objects-located")).toMatchObject({ baseline: 1, candidate: 0.75, n: 40 });
    expect(stages).toEqual([
      { stage: "missed", baseline: 0, candidate: 10 },
      { stage: "wrong-crop", baseline: 0, candidate: 0 },
      { stage: "embedding", baseline: 0, candidate: 10 },
      { stage: "index", baseline: 0, candidate: 0 },
      { stage: "threshold", baseline: 0, candidate: 10 },
      { stage: "suppressed", baseline: 0, candidate: 0 },
      { stage: "correct", baseline: 40, candidate: 10 },
    ]);
  });

  it("judge F1 of boxes with their label", () => {
    // 10 right answers, 20 wrong ones (misplaced, mislabelled), 30 objects without one: 20 / 70.
    expect(finding("F1").candidate).toBeCloseTo(20 / 70, 12);
    expect(finding("F1")).toMatchObject({ baseline: 1, n: 40 });
    expect(finding("F1").bounds![1]).toBeLessThan(-0.5);
  });

  it("count pictures that say something else", () => {
    // A misplaced box still says "cat"; a wrong label and an answer too few do not.
    expect(finding("top-1-flips").value).toBe(0.5);
    expect(items.filter((i) => i.baseline.right && !i.candidate.right)).toHaveLength(30);
  });

  it("are none where the scenes hold nothing that the gallery knows", () => {
    const empty: ObservedScenes = {
      ...observed(["correct"]),
      scenes: observed(["correct"]).scenes.map((s) => ({
        ...s,
        evidence: { ...s.evidence, truth: [], recognitions: [] },
        crops: { ...s.crops, truth: [], crops: [] },
        recognitions: [],
      })),
    };
    const found = systemFindings(empty, empty, options).findings;
    const values = found.filter((f) => /^objects|F1/.test(f.measure)).map((f) => f.value);
    expect(values).toEqual([null, null, null, null, null]);
  });
});
