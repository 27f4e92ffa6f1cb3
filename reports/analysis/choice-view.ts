/** What the page of index choice knows of a choice beyond its points (`choice.json`). */
export interface ChoiceView {
  readonly vectors: number;
  readonly pick: string | null;
  readonly sure: boolean;
  readonly faiss: string;
  readonly families: readonly {
    readonly family: string;
    readonly because: string;
    readonly why: string;
    readonly best: string | null;
  }[];
  readonly growth: readonly GrowthFigure[];
  readonly warnings: readonly string[];
}

export interface GrowthFigure {
  readonly figure: string;
  readonly samples: readonly { readonly size: number; readonly value: number }[];
  readonly predictions: readonly {
    readonly size: number;
    readonly value: number;
    readonly ci: readonly [number, number] | null;
    readonly extrapolated: boolean;
  }[];
}

/** A place of the curve of growth; `extrapolated` beyond what was measured. */
export interface GrowthRow {
  readonly size: number;
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly kind: "measured" | "extrapolated";
}

/** How people call the figures that growth is told of, and in which unit they are shown. */
export const growthTitles: Readonly<
  Record<string, { readonly title: string; readonly axis: string; readonly per: number }>
> = {
  p50Ms: { title: "Time of a query", axis: "median time of a query (ms)", per: 1 },
  p99Ms: { title: "99th percentile", axis: "99th percentile of a query's time (ms)", per: 1 },
  neighbourRecall: { title: "Neighbour recall", axis: "neighbour recall (ratio)", per: 1 },
  buildMs: { title: "Build time", axis: "time to build (s)", per: 1000 },
  diskBytes: { title: "Size on disk", axis: "size on disk (MiB)", per: 2 ** 20 },
  memoryBytes: { title: "Memory", axis: "memory (MiB)", per: 2 ** 20 },
};

/** What was measured and what is foretold, by size, in the shown unit. */
export function growthRows({ figure, samples, predictions }: GrowthFigure): GrowthRow[] {
  const per = growthTitles[figure]?.per ?? 1;
  const measured = samples.map(({ size, value }): GrowthRow => ({
    size,
    value: value / per,
    low: null,
    high: null,
    kind: "measured",
  }));
  const foretold = predictions.map(({ size, value, ci }): GrowthRow => ({
    size,
    value: value / per,
    low: ci === null ? null : ci[0] / per,
    high: ci === null ? null : ci[1] / per,
    kind: "extrapolated",
  }));
  return [...measured, ...foretold].sort((a, b) => a.size - b.size);
}

/** The figures worth a curve: those that are known at two sizes or more. */
export function growthCurves(choice: ChoiceView | null): GrowthFigure[] {
  return (choice?.growth ?? []).filter((figure) => growthRows(figure).length > 1);
}
