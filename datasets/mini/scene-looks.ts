import type { SceneLook } from "./scene.js";

/**
 * The five detection sets: which of the paper's each stands in for, what its scenes show and how
 * they look.
 */
export interface DetectionSet {
  readonly name: string;
  readonly standsFor: string;
  readonly differs: string;
  /** What its objects are drawn from. */
  readonly things: readonly ("emoji" | "token" | "logo" | "icon" | "head")[];
  readonly look: SceneLook;
}

const size = { width: [176, 240], height: [176, 240] } as const;
const anyGround = [
  "plain",
  "plain",
  "gradient",
  "gradient",
  "cloud",
  "cloud",
  "texture",
  "stripes",
] as const;

export const detectionSets: readonly DetectionSet[] = [
  {
    name: "mini-objects",
    standsFor: "Objects365",
    differs:
      "drawings in place of photographs; one to six objects of every size instead of a mean " +
      "of sixteen",
    things: ["emoji", "token", "icon", "head", "logo"],
    look: {
      ...size,
      objects: [1, 6],
      size: [0.14, 0.6],
      grounds: anyGround,
      clutter: [0, 8],
      visible: 0.6,
      card: 0.15,
      level: 1,
    },
  },
  {
    name: "mini-context",
    standsFor: "COCO2017",
    differs:
      "clutter of plain shapes takes the part of natural context; small and half-hidden " +
      "objects as there, one class instead of eighty",
    things: ["emoji", "icon", "head"],
    look: {
      ...size,
      objects: [2, 8],
      size: [0.1, 0.5],
      grounds: ["cloud", "texture", "texture", "stripes", "gradient"],
      clutter: [6, 14],
      visible: 0.4,
      card: 0,
      level: 1,
    },
  },
  {
    name: "mini-heads",
    standsFor: "iCartoonFace detection",
    differs: "heads of eight drawing styles pasted on painted grounds; no bodies, no film frames",
    things: ["head"],
    look: {
      ...size,
      objects: [1, 4],
      size: [0.2, 0.65],
      grounds: ["plain", "gradient", "gradient", "cloud", "stripes"],
      clutter: [0, 5],
      visible: 0.6,
      card: 0,
      level: 0.7,
    },
  },
  {
    name: "mini-signs",
    standsFor: "LogoDet-3K",
    differs:
      "one or two logos, often on a card that stands for a sign or a package; no street, no " +
      "text around",
    things: ["logo", "token"],
    look: {
      ...size,
      objects: [1, 2],
      size: [0.2, 0.75],
      grounds: anyGround,
      clutter: [2, 10],
      visible: 0.7,
      card: 0.5,
      level: 1,
    },
  },
  {
    name: "mini-counter",
    standsFor: "RPC",
    differs:
      "four to twelve goods crowded on a plain counter seen from above; RPC has up to twenty " +
      "of 200 classes, photographed",
    things: ["emoji", "token", "icon"],
    look: {
      ...size,
      objects: [4, 12],
      size: [0.16, 0.34],
      grounds: ["plain", "plain", "white", "gradient"],
      clutter: [0, 0],
      visible: 0.5,
      card: 0.2,
      level: 0.6,
    },
  },
];

/** The 200 query pictures of the test set: bigger, few objects, as a person would take them. */
export const queryLook: SceneLook = {
  width: [256, 336],
  height: [224, 320],
  objects: [1, 4],
  size: [0.24, 0.6],
  grounds: anyGround,
  clutter: [0, 5],
  visible: 0.75,
  card: 0.1,
  level: 0.6,
};
