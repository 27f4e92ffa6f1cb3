import { seriesOf } from "../analysis/series.js";

/**
 * Colours after Okabe and Ito (2008), told apart by colour-blind readers, darkened on white and
 * lightened on black to keep contrast.
 */

export interface Palette {
  readonly category: readonly string[];
  readonly ours: string;
  readonly paper: string;
  readonly hit: string;
  readonly miss: string;
  readonly real: string;
  readonly binary: string;
  readonly ink: string;
  readonly muted: string;
  readonly faint: string;
  readonly background: string;
  /** From little to much, for heat maps. */
  readonly ramp: readonly string[];
  /** From this share of the ramp on, text in `background` reads better than in `ink`. */
  readonly rampTurn: number;
}

const light: Palette = {
  category: [
    "#0072B2",
    "#D98200",
    "#00875F",
    "#B0548B",
    "#3BA0DA",
    "#C74A00",
    "#6A717D",
    "#8C6D1F",
  ],
  ours: "#0072B2",
  paper: "#8A8F98",
  hit: "#0072B2",
  miss: "#C74A00",
  real: "#0072B2",
  binary: "#D98200",
  ink: "#1b1f24",
  muted: "#5b626d",
  faint: "#e3e6ea",
  background: "#ffffff",
  ramp: ["#f3f7fb", "#d3e4f2", "#a5cae5", "#6aa9d3", "#2f83bd", "#0a5c94"],
  rampTurn: 0.78,
};

const dark: Palette = {
  category: [
    "#5AB0EC",
    "#F2B134",
    "#38C59A",
    "#E08CBD",
    "#9AD4F7",
    "#FF8A4C",
    "#AAB2BF",
    "#D9C26A",
  ],
  ours: "#5AB0EC",
  paper: "#8D95A1",
  hit: "#5AB0EC",
  miss: "#FF8A4C",
  real: "#5AB0EC",
  binary: "#F2B134",
  ink: "#e6e9ee",
  muted: "#a2a9b4",
  faint: "#2c323b",
  background: "#15181d",
  ramp: ["#1b2129", "#1d3145", "#1f4a6c", "#2a6a9a", "#418fc6", "#7cc0f0"],
  rampTurn: 0.68,
};

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

/** Shapes that double the colours, so that no reader depends on hue alone. */
export const shapes = [
  "circle",
  "square",
  "triangle-up",
  "diamond",
  "cross",
  "triangle-down",
  "triangle-right",
  "triangle-left",
] as const;
