import type { Task } from "../../pipeline/model/card.js";

/** What a gate judges: one model, or a detector and an embedder inside the whole pipeline. */
export type GateTask = Task | "system";

/**
 * What a gate can set limits on. A limit on a loss is tested (`non-inferiority.ts`); a least or a
 * most is held against what was measured on the sample, or against the interval where there is one.
 */
export interface Measure {
  readonly name: string;
  readonly kind: "loss" | "least" | "most";
  readonly unit: "ratio" | "dB" | "count";
  readonly tasks: readonly GateTask[];
  readonly what: string;
}

const models = ["detection", "recognition", "classification"] as const;
const all = [...models, "system"] as const;
const system = ["system"] as const;

const recognition = ["recognition"] as const;
const detection = ["detection"] as const;
const classification = ["classification"] as const;

export const measures: readonly Measure[] = [
  loss("recall@1", recognition, "queries whose first neighbour has their label"),
  loss("mAP", recognition, "mean average precision of the rankings"),
  loss("AP", detection, "COCO AP, the mean over IoU 0.50 to 0.95"),
  loss("AP50", detection, "COCO AP at IoU 0.50"),
  loss("objects-found", detection, "share of a picture's objects that the used boxes find"),
  loss("top-1", classification, "pictures whose highest score is their class"),
  loss("F1", system, "boxes with their label at IoU 0.5, micro (definition C)"),
  loss("objects-located", system, "objects of which a box was cut out"),
  loss("objects-matched", system, "objects whose nearest neighbour has their label"),
  loss("objects-accepted", system, "objects whose right neighbour passed the threshold"),
  loss("objects-recognised", system, "objects that the answers name"),
  least("cosine-mean", [...recognition, ...classification], "mean cosine of the outputs"),
  least("cosine-p1", [...recognition, ...classification], "cosine that 1% of the pictures miss"),
  least("cosine-worst", [...recognition, ...classification], "cosine of the worst picture"),
  { ...least("snr", models, "signal to noise of all outputs"), unit: "dB" },
  least("overlap@5", recognition, "share of the five neighbours that both find"),
  most(
    "top-1-flips",
    [...recognition, ...classification, ...system],
    "share of items with another answer",
  ),
  most("hamming-mean", recognition, "mean share of a code's bits that flip"),
  most("hamming-worst", recognition, "share of the bits that flip in the worst picture"),
  least("matched-boxes", detection, "boxes that pair, as a share of all that either has"),
  least("box-overlap", detection, "mean IoU of the pairs"),
  most("score-shift", detection, "mean absolute change of the pairs' scores"),
  most("unusable", all, "share of the pictures that the candidate fails on and the baseline not"),
  most("latency-ratio", all, "median time of the candidate over the baseline's, interleaved"),
  most("size-ratio", all, "bytes of the file over the baseline's"),
  most("parameters-ratio", all, "parameters over the baseline's"),
  most("macs-ratio", models, "multiply-accumulates over the baseline's"),
  most("memory-ratio", models, "peak memory of a fresh process over the baseline's"),
  most("cold-start-ratio", models, "start of a process to its first answer, over the baseline's"),
];

type Tasks = Measure["tasks"];

function loss(name: string, tasks: Tasks, what: string): Measure {
  return { name, kind: "loss", unit: "ratio", tasks, what };
}

function least(name: string, tasks: Tasks, what: string): Measure {
  return { name, kind: "least", unit: "ratio", tasks, what };
}

function most(name: string, tasks: Tasks, what: string): Measure {
  return { name, kind: "most", unit: "ratio", tasks, what };
}

export function measureNamed(name: string): Measure {
  const measure = measures.find((m) => m.name === name);
  if (!measure) throw new RangeError(`no measure is called ${name}`);
  return measure;
}

/** What was measured of one measure on one data set, or why nothing was. */
export interface Finding {
  readonly measure: string;
  /** Null where it is of the model alone. */
  readonly dataset: string | null;
  readonly value: number | null;
  readonly why?: string;
  /** Of a loss: the two scores that the value is the difference of; of a ratio: its parts. */
  readonly baseline?: number;
  readonly candidate?: number;
  /** One-sided bounds, each at the gate's level; null where the value is exact. */
  readonly bounds?: readonly [number, number] | null;
  /** Standard deviation of one item's difference, for the number of items that would tell. */
  readonly deviation?: number;
  readonly n?: number;
  /** Independent ones among the n, where items of one label belong together. */
  readonly units?: number;
  /** Of a paired test: its name and p, and the items that only one side got right. */
  readonly test?: { readonly name: string; readonly p: number };
  readonly flips?: { readonly lost: number; readonly gained: number };
  /** Something that forbids a verdict: the noise of the machine. */
  readonly caution?: string;
}
