/**
 * Colours near those of Okabe and Ito (2008), moved apart until every two of them differ by a
 * CIEDE2000 of 10 for protanopes, deuteranopes and tritanopes, too, and each from its ground by a
 * contrast of 3; a test simulates it.
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
  /** Texts on the ramp: the first up to this share of it, the second beyond. */
  readonly rampTurn: number;
  readonly rampText: readonly [string, string];
}

export const light: Palette = {
  category: [
    "#056EB0",
    "#CA7C15",
    "#30925E",
    "#AB467D",
    "#289DD6",
    "#8E3204",
    "#543884",
    "#8F6A22",
  ],
  ours: "#056EB0",
  paper: "#8B8E96",
  hit: "#056EB0",
  miss: "#C74A00",
  real: "#056EB0",
  binary: "#CA7C15",
  ink: "#1b1f24",
  muted: "#5b626d",
  faint: "#e3e6ea",
  background: "#ffffff",
  ramp: ["#f3f7fb", "#d3e4f2", "#a5cae5", "#6aa9d3", "#2f83bd", "#0a5c94"],
  rampTurn: 0.84,
  rampText: ["#000000", "#ffffff"],
};

export const dark: Palette = {
  category: [
    "#5DAFEB",
    "#F5B334",
    "#01DDAC",
    "#AB6FAA",
    "#C6E6FA",
    "#EF733C",
    "#8975E8",
    "#F5EA9D",
  ],
  ours: "#5DAFEB",
  paper: "#92959D",
  hit: "#5DAFEB",
  miss: "#FF8A4C",
  real: "#5DAFEB",
  binary: "#F5B334",
  ink: "#e6e9ee",
  muted: "#a2a9b4",
  faint: "#2c323b",
  background: "#15181d",
  ramp: ["#1b2129", "#1d3145", "#1f4a6c", "#2a6a9a", "#418fc6", "#7cc0f0"],
  rampTurn: 0.685,
  rampText: ["#ffffff", "#000000"],
};

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
