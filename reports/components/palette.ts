import { dark, light, type Palette } from "../analysis/colours.js";
import { seriesOf } from "../analysis/series.js";

export { shapes, type Palette } from "../analysis/colours.js";

/** What a Vega-Lite encoding needs for a look that is the same on every page. */
export interface SeriesScales {
  readonly color: { readonly domain: readonly string[]; readonly range: readonly string[] };
  readonly shape: { readonly domain: readonly string[]; readonly range: readonly string[] };
  readonly strokeDash: {
    readonly domain: readonly string[];
    readonly range: readonly (readonly number[])[];
  };
}

/** Colours, shapes and dashes of models or systems by their names. */
export function seriesScales(names: readonly string[], colours: Palette): SeriesScales {
  const { domain, hues, shapes: marks, dashes } = seriesOf(names);
  return {
    color: { domain, range: hues.map((hue) => colours.category[hue] ?? colours.paper) },
    shape: { domain, range: marks },
    strokeDash: { domain, range: dashes },
  };
}

/** The scales of the names that are drawn, each as it looks among all that a page shows. */
export function namedScales(
  names: readonly string[],
  among: readonly string[],
  colours: Palette,
): SeriesScales {
  const all = seriesScales(among, colours);
  const of = <T>({ domain, range }: { domain: readonly string[]; range: readonly T[] }) => ({
    domain: names,
    range: names.map((name) => range[domain.indexOf(name)]!),
  });
  return { color: of(all.color), shape: of(all.shape), strokeDash: of(all.strokeDash) };
}

/** A legend whose symbols are pieces of the lines, long enough to show their dashes. */
export function lineLegend(width: number): object {
  return {
    columns: width < 500 ? 1 : 3,
    symbolType: "stroke",
    symbolSize: 500,
    symbolStrokeWidth: 2,
  };
}

const query = globalThis.matchMedia?.("(prefers-color-scheme: dark)");

export function palette(): Palette {
  return query?.matches ? dark : light;
}

export function isDark(): boolean {
  return query?.matches ?? false;
}

/** Calls back when the reader's system changes between light and dark. */
export function onSchemeChange(listener: () => void): void {
  query?.addEventListener("change", listener);
}
