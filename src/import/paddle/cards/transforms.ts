/**
 * What Paddle's lists of transforms say of preprocessing: PaddleDetection's `Preprocess`
 * (`infer_cfg.yml`), PaddleClas's and PaddleX's `transform_ops` (`inference.yml`,
 * `inference_general.yaml`). One row of the table a transform.
 */

import type { Letterbox } from "../../../pipeline/types.js";

/** A value, and where it is stated; null where nothing states it. */
export interface Fact<T> {
  readonly value: T;
  readonly from: string | null;
}

export type Three = readonly [number, number, number];

export interface Preparation {
  readonly size?: Fact<{ readonly width: number; readonly height: number }>;
  readonly colour?: Fact<"rgb" | "bgr">;
  readonly scale?: Fact<number | string>;
  readonly mean?: Fact<Three>;
  readonly std?: Fact<Three>;
  readonly interpolation?: Fact<"linear" | "cubic">;
  /** Pixels of the shorter side, where a crop follows. */
  readonly resizeShort?: Fact<number>;
  readonly cropped?: boolean;
  readonly letterbox?: Fact<Letterbox>;
  /** What a card cannot say, and what is said of it instead. */
  readonly notes: readonly string[];
}

type Params = Readonly<Record<string, unknown>>;

interface Transform {
  readonly name: string;
  readonly params: Params;
  /** The file and the place in it. */
  readonly from: string;
}

type Reader = (transform: Transform, so: Preparation) => Partial<Preparation>;

/** Reads a list of transforms; `from` names file and key. */
export function readTransforms(list: unknown, from: string): Preparation {
  const transforms = Array.isArray(list) ? list.map((item, i) => transformOf(item, from, i)) : [];
  return transforms.reduce<Preparation>((so, transform) => apply(transform, so), { notes: [] });
}

/** `{type: Resize, interp: 2}` as PaddleDetection writes it, `{ResizeImage: {size: 224}}` else. */
function transformOf(item: unknown, from: string, index: number): Transform {
  const place = `${from}[${index}]`;
  if (typeof item === "string") return { name: item, params: {}, from: `${place}.${item}` };
  const entry = record(item);
  if (typeof entry["type"] === "string") {
    return { name: entry["type"], params: entry, from: `${place} ${entry["type"]}` };
  }
  const [name = "", params] = Object.entries(entry)[0] ?? [];
  return { name, params: record(params), from: `${place}.${name}` };
}

export function record(value: unknown): Params {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Params)
    : {};
}

function apply(transform: Transform, so: Preparation): Preparation {
  const reader = readers[transform.name];
  const read = reader ? reader(transform, so) : { notes: [unknown(transform)] };
  return { ...so, ...read, notes: [...so.notes, ...(read.notes ?? [])] };
}

function unknown({ name, from }: Transform): string {
  return `${from}: the transform ${name} is not in the card`;
}

const nothing: Reader = () => ({});

const readers: Readonly<Record<string, Reader>> = {
  Resize: resizeToTarget,
  DetResize: resizeToTarget,
  LetterBoxResize: letterbox,
  ResizeImage: resizeImage,
  CropImage: crop,
  NormalizeImage: normalize,
  DetNormalizeImage: normalize,
  DecodeImage: decode,
  ReadImage: decode,
  Permute: nothing,
  DetPermute: nothing,
  ToCHWImage: nothing,
  // A size that is a multiple of the stride, as all of these are, is not padded.
  PadStride: nothing,
  DetPadStride: nothing,
  KeepKeys: nothing,
};

/** `target_size` is [height, width]. */
function resizeToTarget({ params, from }: Transform): Partial<Preparation> {
  const notes =
    params["keep_ratio"] === true ? [`${from}: it keeps the aspect ratio; the card does not`] : [];
  const size = pairOf(params["target_size"] ?? params["size"]);
  const sized = size ? { size: { value: { height: size[0], width: size[1] }, from } } : {};
  return merged(sized, interpolationOf(params["interp"] ?? 1, from), notes);
}

/** `size` is [width, height] or one side; `resize_short` is the shorter side. */
function resizeImage({ params, from }: Transform): Partial<Preparation> {
  const notes: string[] = [];
  if (params["backend"] === "pil")
    notes.push(`${from}: Pillow resizes, with antialiasing; here OpenCV's rule does`);
  const how = interpolationOf(params["interpolation"] ?? "bilinear", from);
  const short = params["resize_short"];
  if (typeof short === "number") {
    return {
      ...merged({ size: { value: { width: short, height: short }, from } }, how, notes),
      resizeShort: { value: short, from },
    };
  }
  const size = pairOf(params["size"]);
  const sized = size ? { size: { value: { width: size[0], height: size[1] }, from } } : {};
  return merged(sized, how, notes);
}

function merged(
  size: Pick<Preparation, "size">,
  how: Partial<Preparation>,
  notes: readonly string[],
): Partial<Preparation> {
  return { ...size, ...how, notes: [...notes, ...(how.notes ?? [])] };
}

function crop({ params, from }: Transform): Partial<Preparation> {
  const size = pairOf(params["size"]);
  return size ? { size: { value: { width: size[0], height: size[1] }, from }, cropped: true } : {};
}

/** PaddleDetection fills with 127.5, which OpenCV rounds to 128, and shrinks by areas. */
function letterbox({ params, from }: Transform): Partial<Preparation> {
  const size = pairOf(params["target_size"]);
  return {
    letterbox: { value: { place: "centre", fill: 128 }, from },
    interpolation: { value: "linear", from: null },
    ...(size && { size: { value: { height: size[0], width: size[1] }, from } }),
    notes: [`${from}: it resizes by areas (INTER_AREA); linear stands for it`],
  };
}

/** PaddleDetection's says `is_scale`, PaddleClas's the factor itself. */
function normalize({ params, from }: Transform): Partial<Preparation> {
  const none = params["norm_type"] === "none";
  const mean = none ? ([0, 0, 0] as const) : threeOf(params["mean"]);
  const std = none ? ([1, 1, 1] as const) : threeOf(params["std"]);
  const notes =
    Number(params["channel_num"] ?? 3) === 3
      ? []
      : [`${from}: it makes ${String(params["channel_num"])} channels`];
  return {
    scale: { value: scaleOf(params), from },
    ...(mean && { mean: { value: mean, from } }),
    ...(std && { std: { value: std, from } }),
    notes,
  };
}

function scaleOf(params: Params): number | string {
  if ("is_scale" in params) return params["is_scale"] === false ? 1 : "1/255";
  const { scale } = params;
  if (typeof scale === "number") return scale;
  // As people write it: 1.0/255.0, 1./255.
  const fraction =
    typeof scale === "string" ? /^1(?:\.0?)?\/(\d+)(?:\.0?)?$/.exec(scale.trim()) : null;
  return fraction ? `1/${fraction[1]}` : "1/255";
}

function decode({ params, from }: Transform): Partial<Preparation> {
  const mode = params["img_mode"] ?? params["format"];
  const bgr = params["to_rgb"] === false || mode === "BGR";
  return { colour: { value: bgr ? "bgr" : "rgb", from } };
}

/** OpenCV's numbers and PaddleClas's words. */
const interpolations: Readonly<Record<string, "linear" | "cubic">> = {
  "1": "linear",
  "2": "cubic",
  bilinear: "linear",
  bicubic: "cubic",
  linear: "linear",
  cubic: "cubic",
};

function interpolationOf(value: unknown, from: string): Partial<Preparation> {
  const known = interpolations[String(value).toLowerCase()];
  if (known) return { interpolation: { value: known, from } };
  const notes = [`${from}: interpolation ${String(value)} is not in cards; linear stands for it`];
  return { interpolation: { value: "linear", from: null }, notes };
}

function pairOf(value: unknown): [number, number] | null {
  if (typeof value === "number") return [value, value];
  if (!Array.isArray(value)) return null;
  const [a, b = a] = value as unknown[];
  return typeof a === "number" && typeof b === "number" ? [a, b] : null;
}

function threeOf(value: unknown): Three | null {
  if (!Array.isArray(value) || value.length !== 3) return null;
  return value.every((v) => typeof v === "number") ? (value as unknown as Three) : null;
}
