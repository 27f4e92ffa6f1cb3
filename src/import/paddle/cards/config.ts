import { z } from "zod";
import { parseYaml } from "../../../pipeline/schema.js";
import type { ModelSource } from "../source.js";
import { readTransforms, record, type Preparation } from "./transforms.js";

/** What the files beside a model say: preprocessing, labels, constants of suppression. */
export interface ModelConfig {
  readonly preparation: Preparation;
  readonly labels: readonly string[] | null;
  /** As PaddleX and PaddleClas name the model; null where no file does. */
  readonly name: string | null;
  /** `arch` of PaddleDetection. */
  readonly architecture: string | null;
  readonly task: "detection" | "recognition" | "classification" | null;
  readonly suppression: SuppressionConfig | null;
  /** How PaddleClas's `RecPostProcess` makes codes; null where it does not. */
  readonly binarise?: "sign" | "round" | null;
  /** The file that says all this; null where there is none. */
  readonly file: string | null;
}

export interface SuppressionConfig {
  readonly scoreThreshold?: number;
  readonly iou?: number;
  readonly candidates?: number;
  readonly keep?: number;
}

export const noConfig: ModelConfig = {
  preparation: { notes: [] },
  labels: null,
  name: null,
  architecture: null,
  task: null,
  suppression: null,
  file: null,
};

const anything = z.record(z.string(), z.unknown());

const names = ["infer_cfg.yml", "inference.yml", "infer_cfg.yaml", "inference.yaml"];

/**
 * Reads the configuration beside a model.
 * @throws UserError `yaml-syntax` or `schema` for a file that is no YAML mapping.
 */
export async function readModelConfig(source: ModelSource): Promise<ModelConfig> {
  const name = names.find((n) => source.names.includes(n));
  if (name === undefined) return noConfig;
  const text = Buffer.from(await source.read(name)).toString("utf8");
  return modelConfig(parseYaml(text, source.pathOf(name), anything), name);
}

/** The same from parsed YAML. `file` is how the card and the report name it. */
export function modelConfig(config: Readonly<Record<string, unknown>>, file: string): ModelConfig {
  const part = (["Det", "Rec"] as const).find((p) => `${p}PreProcess` in config);
  if (part) return deployedConfig(config, part, file);
  const preparation =
    "Preprocess" in config
      ? readTransforms(config["Preprocess"], `${file}: Preprocess`)
      : listed(config, file, "PreProcess");
  const post = record(config["PostProcess"]);
  const labels = textList(config["label_list"]) ?? textList(record(post["Topk"])["label_list"]);
  return {
    preparation,
    labels,
    name: textOf(record(config["Global"])["model_name"]),
    architecture: textOf(config["arch"]),
    task: taskOf(config, post),
    suppression: suppressionOf(record(config["NMS"])),
    file,
  };
}

/** `PreProcess: { transform_ops: [...] }`. */
function listed(config: Readonly<Record<string, unknown>>, file: string, key: string): Preparation {
  const { transform_ops: list } = record(config[key]);
  return readTransforms(list, `${file}: ${key}.transform_ops`);
}

/** One model of PaddleClas's `inference_*.yaml`, whose code reads pictures as RGB. */
export function deployedConfig(
  config: Readonly<Record<string, unknown>>,
  part: "Det" | "Rec",
  file: string,
): ModelConfig {
  const { colour, ...preparation } = listed(config, file, `${part}PreProcess`);
  const global = record(config["Global"]);
  const { method } = record(record(config["RecPostProcess"])["Binarize"]);
  const rgb = { value: "rgb", from: `deploy/python/predict_${part.toLowerCase()}.py` } as const;
  const detects = part === "Det";
  return {
    ...noConfig,
    preparation: { ...preparation, colour: colour ?? rgb },
    labels: detects ? textList(global["label_list"]) : null,
    task: detects ? "detection" : "recognition",
    binarise: !detects && (method === "sign" || method === "round") ? method : null,
    file,
  };
}

function taskOf(
  config: Readonly<Record<string, unknown>>,
  post: Readonly<Record<string, unknown>>,
): ModelConfig["task"] {
  if ("Preprocess" in config) return "detection";
  if ("NormalizeFeatures" in post) return "recognition";
  return "Topk" in post || "ThreshOutput" in post ? "classification" : null;
}

function suppressionOf(nms: Readonly<Record<string, unknown>>): SuppressionConfig | null {
  const read = {
    scoreThreshold: numberOf(nms["score_threshold"]),
    iou: numberOf(nms["nms_threshold"]),
    candidates: numberOf(nms["nms_top_k"]),
    keep: numberOf(nms["keep_top_k"]),
  };
  const known = Object.entries(read).filter(([, value]) => value !== undefined);
  return known.length === 0 ? null : (Object.fromEntries(known) as SuppressionConfig);
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function textList(value: unknown): string[] | null {
  return Array.isArray(value) && value.length > 0 ? value.map(String) : null;
}
