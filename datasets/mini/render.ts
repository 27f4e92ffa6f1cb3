import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import type { Catalogue } from "./catalogue.js";
import { classificationSet } from "./classification-set.js";
import type { Drawings } from "./drawings.js";
import type { Outcome, Planner, SetPlan } from "./plan.js";
import { recognitionSets } from "./recognition-sets.js";
import { sceneSets, testSet } from "./scene-sets.js";

/** All sets of the benchmark, in the order in which they are made. */
export const planners: Readonly<Record<string, Planner>> = {
  ...recognitionSets,
  ...sceneSets,
  "mini-test": (catalogue) => testSet(catalogue),
  "mini-classes": classificationSet,
};

/**
 * The planner of a set by its name; mini-test-draw-1, -2, … are no part of the benchmark, but
 * further draws of mini-test.
 */
export function plannerOf(name: string): Planner {
  const draw = /^mini-test-draw-([1-9][0-9]*)$/.exec(name);
  return draw ? (catalogue) => testSet(catalogue, Number(draw[1])) : planners[name]!;
}

/** Renders pictures `from` to `to` of a set into `out`. */
export interface RenderTask {
  readonly kind: "render";
  readonly drawings: string;
  readonly stores: readonly string[];
  readonly set: string;
  readonly from: number;
  readonly to: number;
  readonly out: string;
}

const plans = new WeakMap<Catalogue, Map<string, SetPlan>>();

export async function renderPictures(
  { set, from, to, out }: RenderTask,
  { drawings, catalogue }: { drawings: Drawings; catalogue: Catalogue },
): Promise<Outcome[]> {
  const known = plans.get(catalogue) ?? new Map<string, SetPlan>();
  plans.set(catalogue, known);
  const plan = known.get(set) ?? plannerOf(set)(catalogue);
  known.set(set, plan);
  const writing: Promise<void>[] = [];
  const outcomes = plan.pictures.slice(from, to).map(({ file, quality, paint }): Outcome => {
    const { width, height, pixels, placed = [] } = paint((name) => drawings.get(name));
    const encoded = sharp(pixels, { raw: { width, height, channels: 3 } })
      .jpeg({ quality })
      .toBuffer();
    writing.push(encoded.then((bytes) => writeFile(join(out, file), bytes)));
    return {
      width,
      height,
      hash: createHash("sha256").update(pixels).digest("hex").slice(0, 6),
      placed,
    };
  });
  await Promise.all(writing);
  return outcomes;
}
