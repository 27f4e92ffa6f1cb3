import { basename, extname } from "node:path";
import type { Inspection, Port } from "../onnx/inspect.js";
import { showShape } from "../forms/detector-form.js";
import { explainForm, type FormExplanation } from "../forms/forms.js";

/** The input that takes the picture and the size that it states, where it does. */
export function pictureInput(inputs: readonly Port[]): {
  readonly name: string;
  readonly layout: "nchw" | "nhwc";
  /** It takes 8-bit values. */
  readonly bytes: boolean;
  readonly width?: number;
  readonly height?: number;
} | null {
  const picture = inputs.find((i) => i.shape?.length === 4);
  if (!picture?.shape) return null;
  const { shape } = picture;
  const layout = shape[1] !== 3 && shape[3] === 3 ? "nhwc" : "nchw";
  const [height, width] = layout === "nchw" ? [shape[2], shape[3]] : [shape[1], shape[2]];
  return {
    name: picture.name,
    layout,
    bytes: picture.dtype === "uint8",
    ...(typeof width === "number" && { width }),
    ...(typeof height === "number" && { height }),
  };
}

const usualValues = [
  "  # The graph cannot say how its pictures were prepared; these are PaddleClas's values. " +
    "Check them against the training.",
  "  colour: rgb",
  "  scale: 1/255",
  "  mean: [0.485, 0.456, 0.406]",
  "  std: [0.229, 0.224, 0.225]",
];
const plainValues = [
  "  # The graph takes bytes: pictures go in as they are. It cannot say in which channel order.",
  "  colour: rgb",
  "  scale: 1",
  "  mean: [0, 0, 0]",
  "  std: [1, 1, 1]",
];

/** The export form of an inspected model, its input's size taken into account. */
export function formOf({
  inputs,
  outputs,
}: Pick<Inspection, "inputs" | "outputs">): FormExplanation {
  const picture = pictureInput(inputs);
  return explainForm(outputs, {
    ...(picture?.width !== undefined && { width: picture.width }),
    ...(picture?.height !== undefined && { height: picture.height }),
  });
}

/**
 * A card to start from, as YAML: what the file says is filled in, what it cannot say is
 * PaddleClas's usual value with a comment that asks to check it.
 *
 * @param file the model file as the card is to name it.
 */
export function draftCard(inspection: Inspection, file: string): string {
  const { form, roles } = formOf(inspection);
  const detector = form !== null;
  const picture = pictureInput(inspection.inputs);
  const matrices = inspection.outputs.filter((o) => o.shape?.length === 2);
  const size = (of: number | undefined): string =>
    of === undefined ? "224 # the graph leaves it open: set it" : String(of);
  const lines = [
    "schema: 1",
    `name: ${nameFrom(inspection.file)}`,
    'version: "1"',
    `task: ${detector ? "detection" : "recognition # or classification"}`,
    `file: ${JSON.stringify(file)}`,
    `sha256: "${inspection.sha256}"`,
    "input:",
    `  width: ${size(picture?.width)}`,
    `  height: ${size(picture?.height)}`,
    `  layout: ${picture?.layout ?? "nchw"}`,
    ...(picture?.bytes ? plainValues : usualValues),
    `  interpolation: ${detector ? "cubic" : "linear"}`,
  ];
  if (detector) {
    lines.push(
      "detection:",
      `  form: ${form}`,
      `  classes: ${roles?.classes ?? "1 # the graph does not say: set it, or list their names"}`,
    );
  } else {
    const last = matrices[0]?.shape?.at(-1);
    lines.push("recognition:");
    if (matrices.length > 1)
      lines.push(
        `  # ${matrices.map((o) => `${o.name} ${showShape(o.shape)}`).join(", ")}: take the ` +
          "embedding, not the classes.",
      );
    lines.push(
      `  output: ${JSON.stringify(matrices[0]?.name ?? inspection.outputs[0]?.name ?? "")}`,
      `  size: ${typeof last === "number" ? last : "512 # the graph does not say: set it"}`,
    );
    lines.push("  binarise: none # sign or round for models that were trained to hash");
  }
  lines.push("licence: unknown # state it", "origin: unknown # where the weights come from");
  return `${lines.join("\n")}\n`;
}

function nameFrom(file: string): string {
  const name = basename(file, extname(file))
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[^a-z0-9]+/, "");
  return name === "" ? "model" : name;
}
