import type { CaseBoxes, CaseNeighbour } from "../../src/eval/record/case.js";

/**
 * The boxes of one picture, as `cases.arrow` holds them, sorted by what became of them. A found box
 * is right where it overlaps truth with IoU 0.5 or more and carries its label.
 */

export interface JudgedBox {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
  readonly label: string;
  /** null on truth boxes. */
  readonly score: number | null;
  /** Where the pipeline lost this truth box, if the record says. */
  readonly lostAt?: string;
  /** The best gallery entries of a found box, where the record has them. */
  readonly neighbours?: readonly CaseNeighbour[];
  /** `kept` where a picture has no truth to judge by. */
  readonly fate: "truth" | "missed" | "hit" | "false" | "kept" | "dropped";
}

/** Judges the boxes of one case, the missed truth among them. */
export function judgeBoxes(boxes: CaseBoxes): JudgedBox[] {
  // A detector's tail of boxes that no metric used would hide everything else.
  const found = boxes.found
    .filter((box) => box.fate !== "unused")
    .map(({ fate, neighbours, label, ...box }) => ({
      ...box,
      label: label ?? "",
      said: fate,
      ...(neighbours && neighbours.length > 0 && { neighbours }),
    }));
  // A pipeline's truth also says at which stage it was lost.
  const truth = boxes.truth.map(({ label, stage, ...box }) => ({
    ...box,
    label: label ?? "",
    stage: stage ?? "",
  }));
  const judged = found.some((box) => box.said === "hit" || box.said === "false");
  const taken = new Set<number>();
  const dropped = ["below-threshold", "suppressed", "empty", "ignored"];
  const fates: JudgedBox[] = [...found]
    .sort((a, b) => b.score - a.score)
    .map((box) => {
      const { said, ...rest } = box;
      if (dropped.includes(said)) return { ...rest, fate: "dropped" };
      if (truth.length === 0 && !judged) return { ...rest, fate: "kept" };
      const best = truth
        .map((t, i) => ({ i, iou: iou(t, box) }))
        .filter(
          ({ i, iou: v }) =>
            !taken.has(i) &&
            v >= 0.5 &&
            (judged || truth[i]!.label === "" || box.label === "" || truth[i]!.label === box.label),
        )
        .sort((a, b) => b.iou - a.iou)[0];
      const hit = judged ? said === "hit" : best !== undefined;
      if (hit && best !== undefined) taken.add(best.i);
      return { ...rest, fate: hit ? "hit" : "false" };
    });
  return [
    ...truth.map(({ stage, ...t }, i): JudgedBox => {
      const found = stage === "" ? taken.has(i) : stage === "correct";
      return {
        ...t,
        score: null,
        fate: found ? "truth" : "missed",
        ...(stage !== "" && !found && { lostAt: stage }),
      };
    }),
    ...fates,
  ];
}

/**
 * How wrong a picture is, for putting the worst first: missed objects count one each, false boxes
 * their score.
 */
export function badness(boxes: readonly JudgedBox[]): number {
  return boxes.reduce(
    (sum, box) => sum + (box.fate === "missed" ? 1 : box.fate === "false" ? (box.score ?? 0.5) : 0),
    0,
  );
}

type Corners = Pick<JudgedBox, "x0" | "y0" | "x1" | "y1">;

function iou(a: Corners, b: Corners): number {
  const width = Math.min(a.x1, b.x1) - Math.max(a.x0, b.x0);
  const height = Math.min(a.y1, b.y1) - Math.max(a.y0, b.y0);
  if (width <= 0 || height <= 0) return 0;
  const both = width * height;
  return both / ((a.x1 - a.x0) * (a.y1 - a.y0) + (b.x1 - b.x0) * (b.y1 - b.y0) - both);
}
