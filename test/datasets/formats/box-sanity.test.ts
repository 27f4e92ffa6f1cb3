import { describe, expect, it } from "vitest";
import { DetectionsBuilder } from "../../../datasets/formats/coco-detections-builder.js";
import { TruthBuilder } from "../../../datasets/formats/coco-truth-builder.js";
import type { CocoTruth, Note } from "../../../datasets/formats/coco-set.js";

type Box = readonly [x: number, y: number, width: number, height: number];

function truthOf(boxes: readonly Box[], side = 100, area = NaN): CocoTruth {
  const builder = new TruthBuilder("truth.json");
  builder.addImage(1, side, side, "a.jpg");
  builder.addCategory(1, "thing");
  boxes.forEach((box, i) => {
    builder.addBox(i + 1, 1, 1, ...box, Number.isNaN(area) ? box[2] * box[3] : area, false, false);
  });
  return builder.build();
}

function detectionNotes(boxes: readonly Box[], truth: CocoTruth): readonly Note[] {
  const builder = new DetectionsBuilder("found.json", truth);
  for (const box of boxes) builder.add(1, 1, ...box, 0.5);
  return builder.build().notes;
}

const codes = (notes: readonly Note[]) => notes.map((n) => n.code);
const good: Box[] = [
  [10, 10, 30, 30],
  [50, 60, 40, 30],
];

describe("true boxes", () => {
  it("that fit are not remarked on", () => {
    expect(truthOf(good).notes).toEqual([]);
  });

  it("written as corners are counted, with the cause", () => {
    const { notes } = truthOf(good.map(([x, y, w, h]): Box => [x, y, x + w, y + h]));
    expect(notes).toMatchObject([{ code: "leaves-image", count: 1, first: "box 1" }]);
    expect(notes[0]!.message).toMatch(/^of 2 true boxes leave .* were corners written for sizes\?/);
  });

  it("of another scale are not called corners", () => {
    const { notes } = truthOf([[20, 90, 30, 300]]);
    expect(notes.find((n) => n.code === "leaves-image")!.message).toMatch(/of one scale\?/);
  });

  it("of 0 to 1 are called relative, in a picture of many pixels only", () => {
    expect(codes(truthOf([[0.1, 0.1, 0.5, 0.5]]).notes)).toEqual(["relative-boxes"]);
    expect(truthOf([[0, 0, 1, 1]], 4).notes).toEqual([]);
  });

  it("with areas beyond their boxes are counted, with the median ratio", () => {
    const { notes } = truthOf(good, 100, 8820);
    expect(notes).toMatchObject([{ code: "area-exceeds-box", count: 2 }]);
    expect(notes[0]!.message).toMatch(/9\.8 times in the median/);
  });
});

describe("detections", () => {
  const truth = truthOf(good);
  const many = (box: Box): Box[] => Array.from({ length: 20 }, () => box);

  it("in the network's own frame are told by the corner that they fill", () => {
    const notes = detectionNotes(many([2, 2, 30, 30]), truth);
    expect(notes).toMatchObject([{ code: "cornered", count: 20 }]);
    expect(notes[0]!.message).toMatch(/upper left 32% .* reach 90%/);
  });

  it("that reach as far as the true boxes, or are few, are not remarked on", () => {
    expect(detectionNotes(many([50, 60, 40, 30]), truth)).toEqual([]);
    expect(detectionNotes([[2, 2, 30, 30]], truth)).toEqual([]);
  });
});
