import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cellOf, scoreOf, WorkedSet, type Ran } from "../worked-set.js";

/**
 * Six scenes, each the whole picture, against a gallery of four labels with one picture each:
 *
 * | scene | shows | truth | answer at 0.5 |
 * |---|---|---|---|
 * | s0, s1 | label 0, label 1 | the same | right |
 * | s2 | label 2 | label 3 | label 2, wrong |
 * | s3 | label 3 among four other squares | label 3 | none: likeness 11 / sqrt(15 * 55) = .383 |
 * | s4 | label 0 | stranger | label 0: a false accept |
 * | s5 | nothing known | stranger | none: rightly |
 */
const set = new WorkedSet();
let cell: ReturnType<typeof cellOf>;
let ran: Ran;

beforeAll(async () => {
  for (const c of [0, 1, 2, 3]) await set.square(`g${c}.png`, c);
  const shown: readonly (readonly number[])[] = [[0], [1], [2], [3, 8, 9, 10, 11], [0], [6]];
  for (const [i, places] of shown.entries()) await set.square(`s${i}.png`, places, 200);
  set.write("gallery.txt", [0, 1, 2, 3].map((c) => `g${c}.png\tlabel ${c}\n`).join(""));
  const names = ["label 0", "label 1", "label 3", "stranger"];
  const truth = [0, 1, 2, 2, 3, 3];
  set.write(
    "boxes.json",
    JSON.stringify({
      images: truth.map((_, i) => ({ id: i, file_name: `s${i}.png`, width: 32, height: 32 })),
      categories: names.map((name, id) => ({ id, name })),
      annotations: truth.map((category_id, i) => ({
        id: i + 1,
        image_id: i,
        category_id,
        bbox: [0, 0, 32, 32],
      })),
    }),
  );
  set.manifest(
    "scenes",
    "pipeline",
    "gallery: { list: gallery.txt, delimiter: tab }\n" +
      "annotations: { format: coco-json, path: boxes.json }\nunknown: stranger\n",
  );
  const model = (name: string): string => `"\${baselines}/${name}.yaml"`;
  const system =
    `name: plain, detector: ${model("whole-image")}, embedder: ${model("pixels-32")}, ` +
    "index: { factory: Flat }";
  ran = await set.run(
    `measure:\n  - { kind: pipeline, systems: [{ ${system} }], datasets: [scenes.yaml] }\n`,
  );
  cell = cellOf(ran);
}, 120_000);
afterAll(() => {
  set.remove();
});

describe("the pipeline on scenes with strangers, through the runner", () => {
  it.each([
    // 2 right; label 2 and the false accept are too much; s2 and s3 are missed: 4 / (4 + 2 + 2).
    ["A", 0.5],
    ["B", 0.5],
    ["C", 0.5],
    // Label 0: one right, one too much: 2/3. Label 1: 1. Label 3: 0. Label 2 is no truth.
    ["D", (2 / 3 + 1 + 0) / 3],
  ])("F1 %s", (definition, value) => {
    const f1 = scoreOf(cell, "F1", { definition, threshold: "default" });
    expect(f1).toMatchObject({ value: expect.closeTo(value, 12) });
  });

  it("follows the four known objects, and no stranger, through the waterfall", () => {
    const share = (stage: string) => scoreOf(cell, "objects", { stage });
    expect(share("correct")).toMatchObject({ value: 0.5, n: 6 }); // n: pictures
    expect(share("embedding")).toMatchObject({ value: 0.25 });
    expect(share("threshold")).toMatchObject({ value: 0.25 });
    for (const stage of ["missed", "wrong-crop", "index", "suppressed"])
      expect(share(stage), stage).toMatchObject({ value: 0 });
    const gained = (counterfactual: string) =>
      scoreOf(cell, "objects-gained-if", { counterfactual });
    expect(gained("no threshold")).toMatchObject({ value: 0.25 });
    expect(gained("oracle boxes")).toMatchObject({ value: 0 });
  });

  it("finds a true label first in three of the four pictures that show one", () => {
    expect(scoreOf(cell, "crop-recall@1")).toMatchObject({ value: 0.75, n: 4 });
  });

  it("shows the false accept, and the stranger that was rightly passed over", () => {
    const rows = ran.cases.map(({ item, truth, prediction }) => [item, truth, prediction]);
    expect(rows).toEqual([
      ["s0.png", "label 0", "label 0"],
      ["s1.png", "label 1", "label 1"],
      ["s2.png", "label 3", "label 2"],
      ["s3.png", "label 3", ""],
      ["s4.png", "", "label 0"],
      ["s5.png", "", ""],
    ]);
  });
});
