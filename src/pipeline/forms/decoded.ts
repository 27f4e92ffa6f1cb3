import type { Dimension } from "../onnx/read-model.js";
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

export interface DecodedRoles extends FormRoles {
  readonly form: "decoded";
  readonly boxes: string;
  readonly scores: string;
  readonly classFirst: boolean;
}

/** Boxes [B, A, 4] in pixels of the input, scores [B, C, A]: left to scale and suppress. */
export const decoded: DetectorForm<DecodedRoles> = {
  name: "decoded",
  letter: "b",
  recognise,
  decode: ({ boxes, scores, classFirst }, { output }, context) =>
    fromDecoded(output(boxes), output(scores), classFirst, context),
};

/** The roles of these outputs, where they are of this form. */
export function decodedRoles(roles: FormRoles): DecodedRoles | null {
  return roles.form === decoded.name ? (roles as DecodedRoles) : null;
}

function recognise(outputs: readonly FormOutput[], context: FormContext): Recognised<DecodedRoles> {
  const list = outputs.map(shown).join(", ");
  if (outputs.length !== 2 || outputs.some((o) => o.shape?.length !== 3))
    return { refusal: `${list}: not two outputs of three dimensions` };
  // Two levels of raw heads also come as two pairs, but never as two outputs only: one level's
  // distances are a multiple of 4 wide.
  const endIn4 = outputs.filter((o) => o.shape![2] === 4);
  const [boxes] = endIn4;
  if (boxes === undefined) return { refusal: `${list}: neither ends in 4` };
  const scores = outputs.find((o) => o !== boxes)!;
  const anchors = boxes.shape![1] ?? null;
  const [, middle = null, last = null] = scores.shape!;
  const same = (d: Dimension): boolean => d === anchors && d !== null;
  const warnings: string[] = [];
  if (endIn4.length === 2)
    warnings.push(`both outputs end in 4: the first, ${boxes.name}, is taken for the boxes`);
  else if (!same(last) && !same(middle)) {
    if ([anchors, middle, last].every((d) => typeof d === "number"))
      return { refusal: `${list}: not as many scores as boxes` };
    warnings.push(`the number of anchors is open, so ${shown(scores)} is taken for [B, C, A]`);
  }
  const classFirst = same(last) || !same(middle);
  const classes = classFirst ? middle : last;
  const counted = anchorNotes(anchors, context);
  return {
    roles: {
      form: "decoded",
      boxes: boxes.name,
      scores: scores.name,
      classFirst,
      classes: typeof classes === "number" ? classes : null,
    },
    why: [
      `${shown(boxes)} ends in 4: decoded boxes, a row an anchor, in pixels of the network's input`,
      `${shown(scores)} has the same number of anchors as its ${classFirst ? "last" : "middle"} ` +
        "dimension: a score a class and anchor",
      ...counted.why,
    ],
    warnings: [...warnings, ...counted.warnings],
  };
}

/** The number of anchors, held against the strides where the input's size is known. */
function anchorNotes(
  anchors: Dimension,
  { width, height, strides = usualStrides }: FormContext,
): { readonly why: readonly string[]; readonly warnings: readonly string[] } {
  if (width === undefined || height === undefined || typeof anchors !== "number")
    return { why: [], warnings: [] };
  const cells = (stride: number): number => Math.ceil(width / stride) * Math.ceil(height / stride);
  const expected = strides.reduce((sum, stride) => sum + cells(stride), 0);
  const all = strides.join(", ");
  const size = `${width} x ${height}`;
  return anchors === expected
    ? { why: [`${anchors} anchors are what strides ${all} give at ${size}`], warnings: [] }
    : { why: [], warnings: [`${anchors} anchors, but strides ${all} give ${expected} at ${size}`] };
}

/** Boxes [1, A, 4] in network pixels with scores [1, C, A] (or [1, A, C]). */
function fromDecoded(
  boxes: Output,
  scores: Output,
  classFirst: boolean,
  context: DecodeContext,
): Detection[] {
  const anchors = boxes.data.length / 4;
  const classes = scores.data.length / anchors;
  if (!Number.isInteger(anchors) || !Number.isInteger(classes)) {
    throw new OutputError(
      `boxes of shape [${boxes.dims.join(", ")}] with scores of shape ` +
        `[${scores.dims.join(", ")}], expected [1, A, 4] and [1, C, A]`,
    );
  }
  const layout: ScoreLayout = classFirst
    ? { data: scores.data, anchors, classes, perAnchor: 1, perClass: anchors }
    : { data: scores.data, anchors, classes, perAnchor: classes, perClass: 1 };
  const places = candidates(layout, context.suppression.scoreThreshold);
  const found = new Pool(places.length, classes);
  places.forEach((anchor, at) => {
    found.boxes.set(boxes.data.subarray(anchor * 4, anchor * 4 + 4), at * 4);
    found.takeScores(layout, anchor, at);
  });
  return suppressed(found, context);
}
