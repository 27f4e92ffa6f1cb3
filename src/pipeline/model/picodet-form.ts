import type { Dimension } from "../onnx/read-model.js";

/**
 * The three forms in which PicoDet is exported to ONNX. They are told apart by the shapes of the
 * outputs, never by their names: exporters name them as they like, and interleave or group the raw
 * heads.
 *
 * | form | outputs | left to do |
 * |---|---|---|
 * | `nms-inside` (a) | boxes [N, 6] in pixels of the picture, and a count | nothing |
 * | `decoded` (b) | boxes [B, A, 4] in pixels of the input, scores [B, C, A] | scale, suppress |
 * | `raw` (c) | per stride: scores [B, HW, C] and distance logits [B, HW, 4 x bins] | decode,
 * scale, suppress |
 */
export type Form = "nms-inside" | "decoded" | "raw";

export const letterOf: Readonly<Record<Form, "a" | "b" | "c">> = {
  "nms-inside": "a",
  decoded: "b",
  raw: "c",
};

export interface FormOutput {
  readonly name: string;
  readonly shape: readonly Dimension[] | null;
}

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

/** Which output holds what. */
export type Roles =
  | {
      readonly form: "nms-inside";
      readonly boxes: string;
      readonly count: string | null;
      readonly classes: null;
    }
  | {
      readonly form: "decoded";
      readonly boxes: string;
      readonly scores: string;
      readonly classFirst: boolean;
      readonly classes: number | null;
    }
  | { readonly form: "raw"; readonly levels: readonly Level[]; readonly classes: number };

export interface FormExplanation {
  readonly form: Form | null;
  readonly roles: Roles | null;
  /** The reasoning, a sentence each. */
  readonly why: readonly string[];
  readonly warnings: readonly string[];
}

export interface FormContext {
  /** Size of the network's input in pixels, where known. */
  readonly width?: number;
  readonly height?: number;
  readonly strides?: readonly number[];
}

/** PicoDet's distances have 8 bins to a side. */
const usualBins = 8;
const usualStrides = [8, 16, 32, 64];

/** Tells the export form from the shapes of all outputs, and says why. Names are only quoted. */
export function explainForm(
  outputs: readonly FormOutput[],
  context: FormContext = {},
): FormExplanation {
  const why: string[] = [];
  const warnings: string[] = [];
  const say = (o: FormOutput): string => `${o.name} ${showShape(o.shape)}`;
  const refuse = (reason: string): FormExplanation => ({
    form: null,
    roles: null,
    why: [...why, reason],
    warnings,
  });
  const ranked = outputs.filter((o) => o.shape !== null);
  if (ranked.length < outputs.length)
    warnings.push(
      `no shape is stated for ${outputs
        .filter((o) => o.shape === null)
        .map((o) => o.name)
        .join(", ")}`,
    );

  const rows = ranked.filter((o) => o.shape!.length === 2 && o.shape![1] === 6);
  if (rows.length === 1) {
    const boxes = rows[0]!;
    const others = outputs.filter((o) => o !== boxes);
    const counts = others.filter((o) => o.shape === null || o.shape.length <= 1);
    if (others.length > counts.length || counts.length > 1)
      return refuse(
        `${say(boxes)} looks like suppressed boxes, but ${others.map(say).join(", ")} has no ` +
          "place beside it",
      );
    why.push(
      `${say(boxes)}: rows of 6 numbers are [class, score, x0, y0, x1, y1], so suppression ` +
        "is inside the graph",
    );
    const count = counts[0];
    why.push(
      count
        ? `${say(count)} is the number of boxes`
        : "there is no count beside it: every row is taken",
    );
    if (typeof boxes.shape![0] === "number" && boxes.shape![0] > 1)
      warnings.push(
        `${boxes.name} is declared with ${boxes.shape![0]} rows, but suppression decides how ` +
          "many there are",
      );
    return {
      form: "nms-inside",
      roles: { form: "nms-inside", boxes: boxes.name, count: count?.name ?? null, classes: null },
      why,
      warnings,
    };
  }

  const cubes = ranked.filter((o) => o.shape!.length === 3);
  if (cubes.length !== outputs.length || cubes.length === 0) {
    return refuse(
      `${outputs.map(say).join(", ")}: neither one [N, 6], nor two or more outputs of three ` +
        "dimensions",
    );
  }
  if (cubes.length === 2) {
    const decoded = asDecoded(cubes, context, why, warnings, say);
    if (decoded) return { form: "decoded", roles: decoded, why, warnings };
  }
  return asRaw(cubes, context, { why, warnings, say, refuse });
}

function asDecoded(
  pair: readonly FormOutput[],
  context: FormContext,
  why: string[],
  warnings: string[],
  say: (o: FormOutput) => string,
): Roles | null {
  const isBoxes = (o: FormOutput): boolean => o.shape![2] === 4;
  // Two levels of raw heads also come as two pairs, but never as two outputs only: one level's
  // distances are a multiple of 4 wide.
  const candidates = pair.filter(isBoxes);
  if (candidates.length === 0) return null;
  const boxes = candidates[0]!;
  const scores = pair.find((o) => o !== boxes)!;
  const anchors = boxes.shape![1] ?? null;
  const [, middle = null, last = null] = scores.shape!;
  const same = (d: Dimension): boolean => d === anchors && d !== null;
  const classFirst = same(last) || !same(middle);
  if (candidates.length === 2)
    warnings.push(`both outputs end in 4: the first, ${boxes.name}, is taken for the boxes`);
  else if (!same(last) && !same(middle)) {
    if (typeof anchors === "number" && typeof middle === "number" && typeof last === "number")
      return null;
    warnings.push(`the number of anchors is open, so ${say(scores)} is taken for [B, C, A]`);
  }
  why.push(
    `${say(boxes)} ends in 4: decoded boxes, a row an anchor, in pixels of the network's input`,
  );
  why.push(
    `${say(scores)} has the same number of anchors as its ${classFirst ? "last" : "middle"} ` +
      "dimension: a score a class and anchor",
  );
  const expected = anchorsOf(context);
  if (expected !== null && typeof anchors === "number") {
    if (anchors === expected)
      why.push(
        `${anchors} anchors are what strides ${(context.strides ?? usualStrides).join(", ")} ` +
          `give at ${context.width} x ${context.height}`,
      );
    else
      warnings.push(
        `${anchors} anchors, but strides ${(context.strides ?? usualStrides).join(", ")} ` +
          `give ${expected} at ${context.width} x ${context.height}`,
      );
  }
  const classes = classFirst ? middle : last;
  return {
    form: "decoded",
    boxes: boxes.name,
    scores: scores.name,
    classFirst,
    classes: typeof classes === "number" ? classes : null,
  };
}

interface Talk {
  readonly why: string[];
  readonly warnings: string[];
  readonly say: (o: FormOutput) => string;
  readonly refuse: (reason: string) => FormExplanation;
}

function asRaw(
  cubes: readonly FormOutput[],
  context: FormContext,
  { why, warnings, say, refuse }: Talk,
): FormExplanation {
  const list = cubes.map(say).join(", ");
  if (cubes.length % 2 !== 0)
    return refuse(`${list}: an odd number of outputs cannot be pairs of scores and distances`);
  if (cubes.some((o) => typeof o.shape![1] !== "number" || typeof o.shape![2] !== "number"))
    return refuse(`${list}: open dimensions hide which level an output is of`);
  const byCells = new Map<number, FormOutput[]>();
  for (const cube of cubes) {
    const cells = cube.shape![1] as number;
    byCells.set(cells, [...(byCells.get(cells) ?? []), cube]);
  }
  if ([...byCells.values()].some((pair) => pair.length !== 2))
    return refuse(`${list}: the outputs do not pair up by their number of cells`);
  const widths = (side: number): Set<number> =>
    new Set([...byCells.values()].map((pair) => pair[side]!.shape![2] as number));
  const [first, second] = [widths(0), widths(1)];
  const all = new Set([...first, ...second]);
  if (all.size > 2)
    return refuse(`${list}: more than two widths, so scores and distances cannot be told apart`);

  let distancesAt: (pair: readonly FormOutput[]) => FormOutput;
  const [a, b] = [...all] as [number, number?];
  if (b === undefined) {
    // As many classes as distance logits. Both conventions, interleaved and grouped, list a level's
    // scores first.
    distancesAt = (pair) => pair[1]!;
    warnings.push(
      `there are as many classes as distance logits (${a}), so shape cannot tell them apart: ` +
        "the first of each pair is taken for the scores",
    );
  } else {
    const usual = [a, b].filter((w) => w === 4 * usualBins);
    const possible = [a, b].filter((w) => w % 4 === 0 && w >= 8);
    const width = usual[0] ?? possible[0];
    if (width === undefined) return refuse(`${list}: neither width is 4 sides of 2 or more bins`);
    if (usual.length === 0 && possible.length === 2)
      warnings.push(
        `both ${a} and ${b} could be distances and neither is the usual ${4 * usualBins}: ` +
          `${width} is taken`,
      );
    distancesAt = (pair) => pair.find((o) => o.shape![2] === width)!;
  }

  const levels: Level[] = [];
  for (const [cells, pair] of [...byCells].sort(([m], [n]) => n - m)) {
    const distances = distancesAt(pair);
    const scores = pair.find((o) => o !== distances)!;
    const grid = gridOf(cells, context, levels.length);
    if (grid === null) {
      return refuse(
        `${say(scores)}: ${cells} cells are no level of ${context.width ?? "?"} x ` +
          `${context.height ?? "?"} pixels at strides ` +
          `${(context.strides ?? usualStrides).join(", ")}`,
      );
    }
    levels.push({
      ...grid,
      scores: scores.name,
      distances: distances.name,
      bins: (distances.shape![2] as number) / 4,
    });
    why.push(
      `stride ${grid.stride}: ${cells} = ${grid.columns} x ${grid.rows} cells, scores in ` +
        `${say(scores)}, distance logits in ${say(distances)}`,
    );
  }
  const sample = cubes.find((o) => o.name === levels[0]!.scores)!;
  const classes = sample.shape![2] as number;
  why.unshift(
    `${cubes.length} outputs of three dimensions pair up by their number of cells: ` +
      `${levels.length} raw heads, ${classes} classes, distances in ${levels[0]!.bins} bins a ` +
      "side",
  );
  if (levels.some((l) => l.bins !== usualBins))
    warnings.push(`PicoDet has ${usualBins} bins a side, this has ${levels[0]!.bins}`);
  return { form: "raw", roles: { form: "raw", levels, classes }, why, warnings };
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

function anchorsOf({ width, height, strides = usualStrides }: FormContext): number | null {
  if (width === undefined || height === undefined) return null;
  return strides.reduce((sum, s) => sum + Math.ceil(width / s) * Math.ceil(height / s), 0);
}

export function showShape(shape: readonly Dimension[] | null): string {
  return shape === null ? "[...]" : `[${shape.map((d) => d ?? "?").join(", ")}]`;
}
