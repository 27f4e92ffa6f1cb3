import { classCount, type Card, type CardOf } from "./card.js";
import { oneOf, UserError } from "../errors.js";
import type { Port } from "../onnx/inspect.js";
import { showShape, type FormRoles } from "../forms/detector-form.js";
import { detectorForms, explainForm, formLabel } from "../forms/forms.js";

/**
 * What a card says, held against what the model has. Each error names the card's key, both sides
 * and the fix.
 */

export type Mismatch = (path: string, says: string, has: string, fix: string) => UserError;

/** Makes the errors of one card: `expected` is what the card says, `found` what the model has. */
export function mismatchIn(cardFile: string): Mismatch {
  return (path, expected, found, fix) =>
    new UserError({
      code: "card-mismatch",
      message: "the card and the model disagree",
      file: cardFile,
      path,
      expected,
      found,
      fix,
    });
}

/**
 * The inputs besides the picture that a PicoDet export may declare; they have one shape, so their
 * names decide.
 */
export function sideInput(name: string): "im_shape" | "scale_factor" | null {
  if (/scale/i.test(name)) return "scale_factor";
  return /shape/i.test(name) ? "im_shape" : null;
}

/** The input that takes the picture. @throws UserError `card-mismatch` */
export function checkInput(card: Card, inputs: readonly Port[], mismatch: Mismatch): Port {
  const { input } = card;
  const names = inputs.map((i) => `${i.name} ${showShape(i.shape)}`).join(", ") || "none";
  const pictures = inputs.filter((i) =>
    input.name === undefined ? i.shape === null || i.shape.length === 4 : i.name === input.name,
  );
  const picture = pictures[0];
  if (!picture || pictures.length > 1) {
    throw mismatch(
      "input.name",
      input.name ?? "one input of four dimensions",
      names,
      "set input.name to " +
        `${inputs.length > 0 ? oneOf(inputs.map((i) => i.name)) : "an input of the model"}`,
    );
  }
  checkPictureType(card, picture, mismatch);
  if (picture.shape) checkPictureShape(card, picture, picture.shape, mismatch);
  for (const other of inputs) {
    if (other === picture) continue;
    if (card.task !== "detection" || sideInput(other.name) === null) {
      throw mismatch(
        "input",
        card.task === "detection" ? "a picture, im_shape and scale_factor at most" : "one input",
        names,
        "export the model without the other inputs",
      );
    }
    if (other.dtype !== "float32")
      throw mismatch(
        "input",
        `${other.name} of float32`,
        `${other.dtype ?? "no tensor"}`,
        "export the model with float32 inputs",
      );
  }
  return picture;
}

const pictureTypes: readonly (string | null)[] = ["float32", "float16", "uint8"];

/** Bytes go in as they are: a card that prepares them says what the graph cannot take. */
function checkPictureType({ input }: Card, { name, dtype }: Port, mismatch: Mismatch): void {
  if (!pictureTypes.includes(dtype))
    throw mismatch(
      "input.name",
      "an input of float32, float16 or uint8",
      `${name} of ${dtype ?? "no tensor"}`,
      "export the model with a float32 input",
    );
  const { scale, mean, std } = input;
  const plain = scale === 1 && mean.every((m) => m === 0) && std.every((s) => s === 1);
  if (dtype === "uint8" && !plain)
    throw mismatch(
      "input.scale",
      "values prepared by scale, mean and std",
      `${name} of uint8: pictures go in as they are`,
      "set scale: 1, mean: [0, 0, 0], std: [1, 1, 1]",
    );
}

function checkPictureShape(
  { input }: Card,
  picture: Port,
  shape: NonNullable<Port["shape"]>,
  mismatch: Mismatch,
): void {
  const found = `${picture.name} ${showShape(shape)}`;
  if (shape.length !== 4)
    throw mismatch(
      "input.name",
      "an input of four dimensions",
      found,
      "name the input that takes the picture",
    );
  const channel = input.layout === "nchw" ? 1 : 3;
  const other = input.layout === "nchw" ? 3 : 1;
  const channels = shape[channel];
  if (typeof channels === "number" && channels !== 3) {
    const swapped = shape[other] === 3;
    throw mismatch(
      "input.layout",
      `${input.layout}: 3 channels`,
      found,
      swapped
        ? `set input.layout to ${input.layout === "nchw" ? "nhwc" : "nchw"}`
        : "give a model that takes pictures of 3 channels",
    );
  }
  const [height, width] = input.layout === "nchw" ? [shape[2], shape[3]] : [shape[1], shape[2]];
  if (typeof height === "number" && height !== input.height)
    throw mismatch("input.height", String(input.height), found, `set input.height to ${height}`);
  if (typeof width === "number" && width !== input.width)
    throw mismatch("input.width", String(input.width), found, `set input.width to ${width}`);
}

/** Checks the outputs that the card's task needs. @throws UserError `card-mismatch` */
export function checkOutputs(card: Card, outputs: readonly Port[], mismatch: Mismatch): void {
  if (card.task === "detection") detectionRoles(card, outputs, mismatch);
  else if (card.task === "recognition")
    matrixOutput(
      outputs,
      card.recognition.output,
      ["recognition.output", "recognition.size", card.recognition.size],
      mismatch,
    );
  else
    matrixOutput(
      outputs,
      card.classification.output,
      ["classification.output", "classification.classes", classCount(card.classification.classes)],
      mismatch,
    );
}

/** Which output of a detector holds what, told by shape. @throws UserError `card-mismatch` */
export function detectionRoles(
  { input, detection }: CardOf<"detection">,
  outputs: readonly Port[],
  mismatch: Mismatch,
): FormRoles {
  const { form, roles, why } = explainForm(outputs, {
    width: input.width,
    height: input.height,
    strides: detection.strides,
  });
  if (form === null || roles === null)
    throw mismatch(
      "detection.form",
      detection.form ?? `one of the forms ${detectorForms.map(({ name }) => name).join(", ")}`,
      why.join("; "),
      "run shitu inspect on the model to see its outputs; export it again in one of the forms",
    );
  if (detection.form !== undefined && detection.form !== form) {
    throw mismatch(
      "detection.form",
      formLabel(detection.form),
      `${formLabel(form)}: ${why[0] ?? ""}`,
      `set detection.form to ${form} or leave it out`,
    );
  }
  const classes = classCount(detection.classes);
  if (roles.classes !== null && roles.classes !== classes)
    throw mismatch(
      "detection.classes",
      String(classes),
      String(roles.classes),
      `set detection.classes to ${roles.classes}, or name as many`,
    );
  return roles;
}

/** [N, D], or the [N, D, 1, 1] of a pooling that nobody flattened: the same numbers. */
function isMatrix(shape: NonNullable<Port["shape"]>): boolean {
  return shape.length >= 2 && shape.slice(2).every((d) => d === 1);
}

/**
 * The [N, size] output that a card means, by its name or as the only one of two dimensions. @throws
 * UserError `card-mismatch`
 */
export function matrixOutput(
  outputs: readonly Port[],
  name: string | undefined,
  [namePath, sizePath, size]: readonly [string, string, number],
  mismatch: Mismatch,
): Port {
  const list = outputs.map((o) => `${o.name} ${showShape(o.shape)}`).join(", ");
  const fits = outputs.filter((o) =>
    name === undefined ? o.shape === null || isMatrix(o.shape) : o.name === name,
  );
  const output = fits[0];
  if (!output || fits.length > 1)
    throw mismatch(
      namePath,
      name ?? "one output of two dimensions",
      list,
      `set ${namePath} to ${oneOf(outputs.map((o) => o.name))}`,
    );
  if (output.dtype !== null && output.dtype !== "float32" && output.dtype !== "float16")
    throw mismatch(
      namePath,
      "an output of float32 or float16",
      `${output.name} of ${output.dtype}`,
      "export the model with float32 outputs",
    );
  const width = output.shape?.[1];
  if (output.shape && !isMatrix(output.shape))
    throw mismatch(
      namePath,
      "an output of two dimensions",
      `${output.name} ${showShape(output.shape)}`,
      "name another output, or flatten it in the export",
    );
  if (typeof width === "number" && width !== size)
    throw mismatch(
      sizePath,
      String(size),
      `${output.name} ${showShape(output.shape)}`,
      `set ${sizePath} to ${width}, or name another output`,
    );
  return output;
}
