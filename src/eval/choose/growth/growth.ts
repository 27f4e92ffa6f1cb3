// growth/: figures of an index at several sizes in; the law that they follow, with what it predicts
// and how well, out. It never sees the index.
import type { FigureName, Point } from "../point.js";
import { valueOf } from "../point.js";
import { factoryAt, listsOf } from "../space.js";
import { byteLaw, bytesAt, bytesNoise } from "./index-bytes.js";
import { samplesOver } from "./interpolate.js";
import { fitLaw, predict, type LawForm, type Prediction, type Sample } from "./law.js";

/** How one figure of an index follows the size. */
export interface FigureGrowth {
  readonly figure: FigureName;
  /** `format`: from the file's format, exactly. */
  readonly form: LawForm | "format";
  readonly samples: readonly Sample[];
  readonly predictions: readonly Prediction[];
  /** The largest size held out of the fit: what the rest predicts for it. */
  readonly check: { readonly predicted: Prediction; readonly measured: number } | null;
}

export type Growth = { readonly figures: readonly FigureGrowth[] } | { readonly why: string };

const laws: readonly (readonly [FigureName, LawForm])[] = [
  ["neighbourRecall", "logit"],
  ["p50Ms", "power"],
  ["p99Ms", "power"],
  ["buildMs", "power"],
];

/** Sizes that figures are predicted for: doubling from the measured one up to the last. */
export function sizesUpTo(from: number, to: number): number[] {
  const sizes: number[] = [];
  for (let size = from * 2; size < to; size *= 2) sizes.push(Math.round(size));
  return to > from ? [...sizes, to] : sizes;
}

/**
 * Laws for an index from its points at several sizes, and what they say of sizes to come.
 *
 * @param points at all sizes; those of other indexes are left out.
 */
export function growthOf(
  points: readonly Point[],
  like: Point,
  dim: number,
  sizes: readonly number[],
): Growth {
  const all = [...points.filter((p) => p.size !== like.size), like];
  const fitted = laws.flatMap(([figure, form]) => {
    const samples = samplesOver(all, like, figure);
    return growthOfFigure(figure, form, samples, sizes) ?? [];
  });
  const bytes = (["diskBytes", "memoryBytes"] as const).flatMap(
    (figure) => growthOfBytes(figure, like, dim, sizes) ?? [],
  );
  const figures = [...fitted, ...bytes];
  if (figures.length > 0) return { figures };
  return { why: "measured at one size: too few vectors for smaller samples of them" };
}

function growthOfFigure(
  figure: FigureName,
  form: LawForm,
  samples: readonly Sample[],
  sizes: readonly number[],
): FigureGrowth | null {
  const law = fitLaw(samples, form);
  if ("why" in law) return null;
  const held = samples.at(-1)!;
  const without = fitLaw(samples.slice(0, -1), form);
  const check =
    "why" in without ? null : { predicted: predict(without, held.size), measured: held.value };
  return { figure, form, samples, predictions: sizes.map((n) => predict(law, n)), check };
}

/** Half the width of a normal's 95% interval, in standard deviations. */
const normal95 = 1.96;

function growthOfBytes(
  figure: "diskBytes" | "memoryBytes",
  like: Point,
  dim: number,
  sizes: readonly number[],
): FigureGrowth | null {
  const bytes = valueOf(like, figure);
  const law = byteLaw(like.factory, dim);
  if (bytes === null || law === null) return null;
  const measured = { size: like.size, lists: listsOf(like.factory), bytes };
  const predictions = sizes.map((size): Prediction => {
    const lists = listsOf(factoryAt(like.setting, size));
    const value = bytesAt(law, measured, { size, lists });
    const half = normal95 * bytesNoise(like.factory, Math.abs(size - like.size));
    return { size, value, ci: [value - half, value + half], extrapolated: size > like.size };
  });
  const samples = [{ size: like.size, value: bytes, halfWidth: 0 }];
  return { figure, form: "format", samples, predictions, check: null };
}
