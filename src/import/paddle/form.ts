import { UserError, oneOf } from "../../pipeline/errors.js";
import { suppressions } from "./operators/suppression.js";
import type { Block, Operator, Program } from "./program.js";

/**
 * In which of the three forms a detector comes out, decided by its graph: with its own suppression
 * inside, or cut before it, with boxes in pixels of the network's input.
 */

export const forms = ["nms-inside", "decoded"] as const;

export type Form = (typeof forms)[number];

export interface FormedProgram {
  readonly program: Program;
  /** Null for what is no detector. */
  readonly form: Form | null;
  readonly why: string;
  /** Inputs that are fixed, by name: their numbers, row-major. */
  readonly fixed: ReadonlyMap<string, readonly number[]>;
  /** The suppression's own constants. */
  readonly suppression: SuppressionConstants | null;
}

export interface SuppressionConstants {
  readonly scoreThreshold?: number;
  readonly iou?: number;
  readonly candidates?: number;
  readonly keep?: number;
}

/**
 * Decides the form, and cuts the program where it is to be cut.
 * @throws UserError `bad-option` where a form is wanted that the graph does not allow.
 */
export function formed(program: Program, wanted: Form | null): FormedProgram {
  const last = suppressionIn(program);
  if (!last) {
    if (wanted !== null) throw noSuppression(program, wanted);
    const why = "the graph has no suppression: its outputs are taken as they are";
    return { program, form: null, why, fixed: new Map(), suppression: null };
  }
  const suppression = constantsOf(last);
  const expressed = last.type === "matrix_nms" ? "matrix suppression" : "suppression";
  if (wanted !== "decoded") {
    const why = `the graph ends in ${last.type}, which is expressed as ONNX operators`;
    return { program, form: "nms-inside", why, fixed: new Map(), suppression };
  }
  const cut = {
    ...program,
    blocks: upTo(program.blocks, last),
    fetches: [boxesOf(last), scoresOf(last)],
  };
  const why = `cut before ${last.type}: boxes in pixels of the input, ${expressed} left to do`;
  return { program: cut, form: "decoded", why, fixed: fixedSizes(program), suppression };
}

/** Without the suppression and what hangs on it, which may ask more of the graph than boxes do. */
function upTo([graph, ...bodies]: readonly Block[], last: Operator): Block[] {
  if (!graph) return [];
  const gone = new Set<string>();
  const operators = graph.operators.filter((operator) => {
    const hangs =
      operator === last || [...operator.inputs.values()].flat().some((n) => gone.has(n));
    for (const name of [...operator.outputs.values()].flat()) {
      if (hangs) gone.add(name);
      else gone.delete(name);
    }
    return !hangs;
  });
  return [{ ...graph, operators }, ...bodies];
}

function suppressionIn(program: Program): Operator | undefined {
  return program.blocks[0]?.operators.find((op) => suppressions.has(op.type));
}

function noSuppression({ file }: Program, wanted: Form): UserError {
  return new UserError({
    code: "bad-option",
    message: `--form ${wanted} is for detectors that end in suppression`,
    file,
    found: `no ${oneOf([...suppressions])} in the graph`,
    fix: "leave --form out",
  });
}

function boxesOf(operator: Operator): string {
  return operator.inputs.get("BBoxes")?.[0] ?? "";
}

function scoresOf(operator: Operator): string {
  return operator.inputs.get("Scores")?.[0] ?? "";
}

/**
 * Detectors scale their boxes back to the photo by `scale_factor` and clip them to `im_shape`. Cut
 * before suppression they stay in pixels of the input: a factor of 1, the input's own size.
 */
function fixedSizes({ feeds }: Program): Map<string, readonly number[]> {
  const picture = feeds.find((feed) => feed.shape?.length === 4);
  const [height = -1, width = -1] = picture?.shape?.slice(2) ?? [];
  const fixed = new Map<string, readonly number[]>();
  for (const { name } of feeds) {
    if (name === "scale_factor") fixed.set(name, [1, 1]);
    if (name === "im_shape") fixed.set(name, [height, width]);
  }
  return fixed;
}

function constantsOf({ type, attributes }: Operator): SuppressionConstants {
  const number = (name: string): number | undefined => {
    const value = attributes.get(name);
    return typeof value === "number" && value >= 0 ? rounded(value) : undefined;
  };
  const read: Record<string, number | undefined> = {
    scoreThreshold: number("score_threshold"),
    iou: type === "matrix_nms" ? undefined : number("nms_threshold"),
    candidates: number("nms_top_k"),
    keep: number("keep_top_k"),
  };
  const known = Object.entries(read).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as SuppressionConstants;
}

/** Attributes are floats: 0.6 is written as 0.6000000238418579. */
function rounded(value: number): number {
  return Number(value.toPrecision(7));
}
