// cards/: a foreign model's config and transforms in; the card of its ONNX file out. It never sees
// the graph.
import type { DraftValue } from "../../../pipeline/onnx/write-model.js";
import type { ModelConfig, SuppressionConfig } from "./config.js";
import type { Fact, Preparation } from "./transforms.js";

/** What a card is written from. */
export interface CardParts {
  readonly name: string;
  readonly sha256: string;
  readonly inputs: readonly DraftValue[];
  readonly outputs: readonly DraftValue[];
  readonly config: ModelConfig;
  /** Of the graph's own suppression; it counts before the configuration's. */
  readonly suppression: SuppressionConfig | null;
  /** Told by the graph where the configuration does not say. */
  readonly task: "detection" | "recognition" | "classification";
  readonly form: "nms-inside" | "decoded" | null;
  readonly origin: string;
}

/**
 * A card as YAML, checked by whoever writes it. Each line of preprocessing says where it is stated;
 * what is stated nowhere is marked.
 */
export function cardText(parts: CardParts): string {
  const lines = [
    "schema: 1",
    `name: ${parts.name}`,
    'version: "1"',
    `task: ${parts.task}`,
    "file: model.onnx",
    `sha256: "${parts.sha256}"`,
    ...inputLines(parts),
    ...taskLines[parts.task](parts),
    "licence: unknown # state it",
    `origin: ${JSON.stringify(parts.origin)}`,
    ...noteLines(parts.config.preparation.notes),
  ];
  return `${lines.join("\n")}\n`;
}

const assumed = "not stated anywhere: PaddleClas's usual value, check it against the training";

function inputLines({ inputs, config }: CardParts): string[] {
  const picture = inputs.find((input) => input.shape?.length === 4);
  const stated = config.preparation;
  const [height, width] = picture?.shape?.slice(2) ?? [];
  const size = stated.size?.value;
  const side = (graph: number | string | undefined, said: number | undefined): string => {
    if (typeof graph === "number") return `${graph} # the graph's`;
    if (said !== undefined) return `${said} # ${stated.size?.from ?? assumed}`;
    return `224 # ${assumed}`;
  };
  const line = <T>(key: string, fact: Fact<T> | undefined, usual: T): string => {
    const value = fact?.value ?? usual;
    const text = Array.isArray(value) ? `[${value.join(", ")}]` : String(value);
    return `  ${key}: ${text} # ${fact?.from ?? assumed}`;
  };
  const cubic = stated.interpolation === undefined && config.task === "detection";
  return [
    "input:",
    ...(picture ? [`  name: ${JSON.stringify(picture.name)}`] : []),
    `  width: ${side(width, size?.width)}`,
    `  height: ${side(height, size?.height)}`,
    "  layout: nchw",
    line("colour", stated.colour, "rgb"),
    line<number | string>("scale", stated.scale, "1/255"),
    line("mean", stated.mean, [0.485, 0.456, 0.406] as const),
    line("std", stated.std, [0.229, 0.224, 0.225] as const),
    line("interpolation", stated.interpolation, cubic ? "cubic" : "linear"),
    ...aspectLines(stated, [height, width]),
  ];
}

/** How the aspect ratio is kept, where it is; a crop, where the graph takes its size. */
function aspectLines(
  { resizeShort, cropped, size, letterbox }: Preparation,
  sides: readonly (number | string | undefined)[],
): string[] {
  if (letterbox) {
    const { place, fill } = letterbox.value;
    return [`  letterbox: { place: ${place}, fill: ${fill} } # ${letterbox.from}`];
  }
  if (!resizeShort || !cropped || !size || size.value.width !== size.value.height) return [];
  const { width } = size.value;
  if (sides.some((side) => typeof side === "number" && side !== width)) return [];
  return [
    `  resizeShort: ${resizeShort.value} # ${resizeShort.from}`,
    `  crop: ${width} # ${size.from}`,
  ];
}

const taskLines: Readonly<Record<CardParts["task"], (parts: CardParts) => string[]>> = {
  detection: detectionLines,
  recognition: recognitionLines,
  classification: (parts) => ["classification:", ...classLines(parts, lastSize(parts))],
};

function detectionLines(parts: CardParts): string[] {
  const { form, suppression, config, outputs } = parts;
  const scores = outputs.find((o) => o.shape?.length === 3 && o.shape[2] !== 4);
  const classes = scores?.shape?.[1];
  const lines = ["detection:", `  form: ${form ?? "raw"}`];
  lines.push(...classLines(parts, typeof classes === "number" ? classes : null));
  const constants = { ...config.suppression, ...suppression };
  const known = Object.entries(constants);
  if (known.length === 0) return lines;
  const from = suppression ? "the graph's" : config.file;
  return [
    ...lines,
    `  suppression: # ${from}`,
    ...known.map(([key, value]) => `    ${key}: ${value}`),
  ];
}

function recognitionLines(parts: CardParts): string[] {
  const size = lastSize(parts);
  const { binarise, file } = parts.config;
  const output = parts.outputs.find((o) => o.shape?.length === 2) ?? parts.outputs[0];
  return [
    "recognition:",
    `  output: ${JSON.stringify(output?.name ?? "")}`,
    `  size: ${size ?? "512 # the graph does not say: set it"}`,
    binarise
      ? `  binarise: ${binarise} # ${file}`
      : "  binarise: none # sign or round for models that were trained to hash",
  ];
}

function classLines({ config }: CardParts, count: number | null): string[] {
  if (config.labels)
    return ["  classes:", ...config.labels.map((l) => `    - ${JSON.stringify(l)}`)];
  return [`  classes: ${count ?? "1 # stated nowhere: set it, or list their names"}`];
}

function lastSize({ outputs }: CardParts): number | null {
  const last = outputs.find((o) => o.shape?.length === 2)?.shape?.[1];
  return typeof last === "number" ? last : null;
}

function noteLines(notes: readonly string[]): string[] {
  return notes.length === 0 ? [] : [`notes: ${JSON.stringify(notes.join("; "))}`];
}
