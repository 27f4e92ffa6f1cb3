import type { Detection } from "../types.js";
import { candidates, Pool, suppressed, type ScoreLayout } from "./candidates.js";
import {
  OutputError,
  shown,
  usualStrides,
  type DecodeContext,
  type DetectorForm,
  type FormContext,
  type FormOutput,
  type FormRoles,
  type Output,
  type Recognised,
} from "./detector-form.js";

export interface Level {
  readonly stride: number;
  /** Cells across and down. */
  readonly columns: number;
  readonly rows: number;
  readonly scores: string;
  readonly distances: string;
  /** Bins of one distance: 8 in PicoDet, whose `reg_max` is 7. */
  readonly bins: number;
}

export interface RawRoles extends FormRoles {
  readonly form: "raw";
  readonly levels: readonly Level[];
  readonly classes: number;
}

/**
 * A stride: scores [B, HW, C] and distance logits [B, HW, 4 x bins]: left to decode, scale and
 * suppress.
 */
export const raw: DetectorForm<RawRoles> = {
  name: "raw",
  letter: "c",
  recognise,
  decode: ({ levels, classes }, { output }, context) => fromRaw(levels, classes, output, context),
};

/** The roles of these outputs, where they are of this form. */
export function rawRoles(roles: FormRoles): RawRoles | null {
  return roles.form === raw.name ? (roles as RawRoles) : null;
}

/** PicoDet's distances have 8 bins to a side. */
const usualBins = 8;

function recognise(outputs: readonly FormOutput[], context: FormContext): Recognised<RawRoles> {
  const list = outputs.map(shown).join(", ");
  const refuse = (why: string) => ({ refusal: `${list}: ${why}` });
  if (outputs.length === 0 || outputs.some((o) => o.shape?.length !== 3))
    return refuse("not two or more outputs of three dimensions");
  if (outputs.length % 2 !== 0)
    return refuse("an odd number of outputs cannot be pairs of scores and distances");
  if (outputs.some((o) => typeof o.shape![1] !== "number" || typeof o.shape![2] !== "number"))
    return refuse("open dimensions hide which level an output is of");
  const pairs = pairsOf(outputs);
  if (pairs.some(({ pair }) => pair.length !== 2))
    return refuse("the outputs do not pair up by their number of cells");
  const told = tellDistances(pairs.map(({ pair }) => pair));
  if ("refusal" in told) return refuse(told.refusal);
  const levels: Level[] = [];
  const why: string[] = [];
  for (const { cells, pair } of pairs) {
    const distances = told.of(pair);
    const scores = pair.find((o) => o !== distances)!;
    const grid = gridOf(cells, context, levels.length);
    if (grid === null) return { refusal: noGrid(scores, cells, context) };
    const bins = widthOf(distances) / 4;
    levels.push({ ...grid, scores: scores.name, distances: distances.name, bins });
    why.push(
      `stride ${grid.stride}: ${cells} = ${grid.columns} x ${grid.rows} cells, scores in ` +
        `${shown(scores)}, distance logits in ${shown(distances)}`,
    );
  }
  const [{ bins, scores }] = levels as [Level];
  const classes = widthOf(outputs.find((o) => o.name === scores)!);
  return {
    roles: { form: "raw", levels, classes },
    why: [
      `${outputs.length} outputs of three dimensions pair up by their number of cells: ` +
        `${levels.length} raw heads, ${classes} classes, distances in ${bins} bins a side`,
      ...why,
    ],
    warnings: levels.some((l) => l.bins !== usualBins)
      ? [...told.warnings, `PicoDet has ${usualBins} bins a side, this has ${bins}`]
      : told.warnings,
  };
}

function widthOf({ shape }: FormOutput): number {
  return shape![2] as number;
}

interface Pair {
  readonly cells: number;
  readonly pair: readonly FormOutput[];
}

/** The outputs of each level, the finest first. */
function pairsOf(outputs: readonly FormOutput[]): Pair[] {
  const byCells = new Map<number, FormOutput[]>();
  for (const output of outputs) {
    const cells = output.shape![1] as number;
    byCells.set(cells, [...(byCells.get(cells) ?? []), output]);
  }
  return [...byCells].map(([cells, pair]) => ({ cells, pair })).sort((m, n) => n.cells - m.cells);
}

/** Which output of a pair holds the distances: told by the two widths. */
function tellDistances(pairs: readonly (readonly FormOutput[])[]):
  | {
      readonly of: (pair: readonly FormOutput[]) => FormOutput;
      readonly warnings: readonly string[];
    }
  | { readonly refusal: string } {
  const widths = [...new Set([0, 1].flatMap((side) => pairs.map((p) => widthOf(p[side]!))))];
  if (widths.length > 2)
    return { refusal: "more than two widths, so scores and distances cannot be told apart" };
  const [a, b] = widths as [number, number?];
  if (b === undefined)
    // Both conventions, interleaved and grouped, list a level's scores first.
    return {
      of: (pair) => pair[1]!,
      warnings: [
        `there are as many classes as distance logits (${a}), so shape cannot tell them apart: ` +
          "the first of each pair is taken for the scores",
      ],
    };
  const usual = [a, b].filter((w) => w === 4 * usualBins);
  const possible = [a, b].filter((w) => w % 4 === 0 && w >= 8);
  const width = usual[0] ?? possible[0];
  if (width === undefined) return { refusal: "neither width is 4 sides of 2 or more bins" };
  return {
    of: (pair) => pair.find((o) => widthOf(o) === width)!,
    warnings:
      usual.length === 0 && possible.length === 2
        ? [
            `both ${a} and ${b} could be distances and neither is the usual ${4 * usualBins}: ` +
              `${width} is taken`,
          ]
        : [],
  };
}

function noGrid(
  scores: FormOutput,
  cells: number,
  { width, height, strides = usualStrides }: FormContext,
): string {
  return (
    `${shown(scores)}: ${cells} cells are no level of ${width ?? "?"} x ${height ?? "?"} pixels ` +
    `at strides ${strides.join(", ")}`
  );
}

/**
 * The grid of one level: from the input's size where known, else a square one at the level's usual
 * stride.
 */
function gridOf(
  cells: number,
  { width, height, strides = usualStrides }: FormContext,
  level: number,
): { stride: number; columns: number; rows: number } | null {
  if (width !== undefined && height !== undefined) {
    for (const stride of strides) {
      const columns = Math.ceil(width / stride);
      const rows = Math.ceil(height / stride);
      if (columns * rows === cells) return { stride, columns, rows };
    }
    return null;
  }
  const side = Math.sqrt(cells);
  const stride = strides[level];
  return Number.isInteger(side) && stride !== undefined
    ? { stride, columns: side, rows: side }
    : null;
}

/**
 * A cell's four distances to the sides of its box are the expected bin of a softmax over
 * the bins, times the stride (Generalized Focal Loss, Li et al. 2020, equation 3), from the cell's
 * centre (i + 0.5) x stride.
 */
function fromRaw(
  levels: readonly Level[],
  classes: number,
  output: (name: string) => Output,
  context: DecodeContext,
): Detection[] {
  const found = levels.map((level) => {
    const scores = output(level.scores);
    const distances = output(level.distances);
    const cells = level.columns * level.rows;
    if (
      scores.data.length !== cells * classes ||
      distances.data.length !== cells * 4 * level.bins
    ) {
      throw new OutputError(
        `stride ${level.stride}: scores of shape [${scores.dims.join(", ")}], distances of ` +
          `shape [${distances.dims.join(", ")}], expected ${cells} cells`,
      );
    }
    const layout: ScoreLayout = {
      data: scores.data,
      anchors: cells,
      classes,
      perAnchor: classes,
      perClass: 1,
    };
    return {
      level,
      layout,
      distances: distances.data,
      places: candidates(layout, context.suppression.scoreThreshold),
    };
  });
  const pool = new Pool(
    found.reduce((sum, { places }) => sum + places.length, 0),
    classes,
  );
  let at = 0;
  for (const { level, layout, distances, places } of found) {
    for (const cell of places) {
      decodeCell(distances, cell, level, pool.boxes, at * 4);
      pool.takeScores(layout, cell, at++);
    }
  }
  return suppressed(pool, context);
}

/** Corners of one cell's box in network pixels. */
function decodeCell(
  logits: Float32Array,
  cell: number,
  { stride, columns, bins }: Level,
  boxes: Float32Array,
  to: number,
): void {
  const x = ((cell % columns) + 0.5) * stride;
  const y = (Math.floor(cell / columns) + 0.5) * stride;
  const from = cell * 4 * bins;
  boxes[to] = x - expectedBin(logits, from, bins) * stride;
  boxes[to + 1] = y - expectedBin(logits, from + bins, bins) * stride;
  boxes[to + 2] = x + expectedBin(logits, from + 2 * bins, bins) * stride;
  boxes[to + 3] = y + expectedBin(logits, from + 3 * bins, bins) * stride;
}

/** The mean bin under a softmax of the logits. */
function expectedBin(logits: Float32Array, from: number, bins: number): number {
  let highest = -Infinity;
  for (let bin = 0; bin < bins; bin++) highest = Math.max(highest, logits[from + bin]!);
  let sum = 0;
  let weighted = 0;
  for (let bin = 0; bin < bins; bin++) {
    const weight = Math.exp(logits[from + bin]! - highest);
    sum += weight;
    weighted += weight * bin;
  }
  return weighted / sum;
}
