import { dirname, resolve } from "node:path";
import { z } from "zod";
import { baselineCardSchema, type BaselineCard } from "./baseline-card.js";
import { detectorForms } from "../forms/forms.js";
import { UserError } from "../errors.js";
import { parseValue, readYaml } from "../schema.js";
import type { Preprocessing } from "../types.js";

/**
 * A model card: a YAML file beside a model that says what the ONNX file cannot. It is checked
 * against the file when the model is loaded (`model.ts`), so that what it says can be trusted.
 */

const text = z.string().trim().min(1);
const positive = z.int().min(1).max(65_536);
const three = z.tuple([z.number(), z.number(), z.number()]);

/** A factor, or `1/255` as people write it. */
const factor = z.union(
  [
    z.number().positive(),
    z
      .string()
      .regex(/^1\/[1-9]\d{0,5}$/)
      .transform((fraction) => 1 / Number(fraction.slice(2))),
  ],
  { error: "expected a number above 0 or a fraction such as 1/255" },
);

const inputKeys = z.strictObject({
  name: text
    .optional()
    .describe("The graph's input for the picture; told by its four dimensions where left out."),
  width: positive.describe("Pixels."),
  height: positive.describe("Pixels."),
  layout: z.enum(["nchw", "nhwc"]).default("nchw"),
  colour: z.enum(["rgb", "bgr"]).describe("Channel order of the tensor."),
  scale: factor.describe("Every value is multiplied by it first, as 1/255."),
  mean: three.describe("Subtracted after that, in the tensor's channel order."),
  std: three
    .refine((std) => std.every((s) => s !== 0), "expected no zero")
    .describe("Divided by at last, in the tensor's channel order."),
  interpolation: z.enum(["linear", "cubic"]).describe("OpenCV's INTER_LINEAR or INTER_CUBIC."),
  resizeShort: positive
    .optional()
    .describe("Pixels of the shorter side before `crop`; left out, pictures are stretched."),
  crop: positive.optional().describe("Pixels of the square that is cut from the middle."),
  letterbox: z
    .strictObject({
      place: z
        .enum(["centre", "corner"])
        .describe("In the middle (Ultralytics), or in the upper left corner (YOLOX)."),
      fill: z.int().min(0).max(255).describe("Value around the picture, before scale and mean."),
    })
    .optional()
    .describe("The aspect ratio is kept; left out, pictures are stretched."),
});

/** A crop is the tensor's size, and comes after a resize of the shorter side, or not at all. */
const input = inputKeys.superRefine(({ resizeShort, crop, letterbox, width, height }, context) => {
  const complain = (path: string, message: string, value: unknown): void =>
    context.addIssue({ code: "custom", path: [path], message, input: value });
  if (resizeShort === undefined && crop === undefined) return;
  if (letterbox !== undefined)
    return complain("letterbox", "expected either letterbox, or resizeShort and crop", letterbox);
  if (crop === undefined) return complain("crop", "expected the crop that follows", crop);
  if (crop !== width || crop !== height)
    return complain("crop", `expected width and height, ${width} x ${height}`, crop);
  if (resizeShort === undefined || resizeShort < crop)
    complain("resizeShort", `expected ${crop} pixels or more`, resizeShort);
});

/** YAML reads 007 and yes as other things than names. */
const className = z
  .string({ error: ({ input }) => `expected a name, put it in quotes: "${String(input)}"` })
  .trim()
  .min(1);
const names = z
  .array(className)
  .min(1)
  .refine((all) => new Set(all).size === all.length, "expected each name once");
const classes = z
  .union([positive, names], {
    error: ({ input }) =>
      Array.isArray(input) ? namesWrong(input) : "expected a number of classes or their names",
  })
  .describe("How many classes, or their names in order.");
const ratio = z.number().min(0).max(1);

function namesWrong(found: readonly unknown[]): string {
  return names.safeParse(found).error?.issues[0]?.message ?? "expected names";
}

const suppression = z.strictObject({
  scoreThreshold: ratio.default(0.025).describe("Candidates at or below it are dropped."),
  iou: ratio
    .default(0.6)
    .describe(
      "Of two boxes of a class that overlap more, the one with the lower score is dropped.",
    ),
  candidates: positive
    .default(1000)
    .describe("Best candidates of a class that enter suppression (nms_top_k)."),
  keep: positive.default(100).describe("Best boxes of all classes that are kept (keep_top_k)."),
});

/** The constants of PaddleDetection's PicoDet exports. */
export type Suppression = z.output<typeof suppression>;

const detection = z.strictObject({
  form: z
    .enum(detectorForms.map(({ name }) => name))
    .optional()
    .describe(
      "The export form; told by the shapes of the outputs where left out, checked where given.",
    ),
  classes,
  strides: z
    .array(positive)
    .min(1)
    .max(8)
    .default([8, 16, 32, 64])
    .describe("Of the raw form's levels, in pixels of the input."),
  suppression: suppression.prefault({}).describe("Used where it is not inside the graph."),
});

const recognition = z
  .strictObject({
    output: text
      .optional()
      .describe(
        "The graph's output that holds the embedding; may be left out where there is one " +
          "output of two dimensions.",
      ),
    size: positive.describe("Floats of an embedding, or bits of a code."),
    normalise: z
      .boolean()
      .optional()
      .describe("Divide by the L2 norm. Left out: yes, unless binarised."),
    binarise: z
      .enum(["none", "sign", "round"])
      .default("none")
      .describe("sign: 1 where x > 0. round: 1 where x >= 0.5."),
  })
  .superRefine(({ size, normalise, binarise }, context) => {
    if (binarise === "none") return;
    if (size % 8 !== 0)
      context.addIssue({
        code: "custom",
        path: ["size"],
        message: "expected a multiple of 8 bits",
        input: size,
      });
    if (normalise)
      context.addIssue({
        code: "custom",
        path: ["normalise"],
        message: "expected false: binary codes come from outputs that are not normalised",
        input: normalise,
      });
  })
  .transform((r) => ({ ...r, normalise: r.normalise ?? r.binarise === "none" }));

const classification = z.strictObject({
  output: text
    .optional()
    .describe(
      "The graph's output that holds a score a class; may be left out where there is one " +
        "output of two dimensions.",
    ),
  classes,
  background: z
    .boolean()
    .optional()
    .describe("The first output is none of the classes (1001 outputs): label 0 is output 1."),
});

const common = {
  schema: z.literal(1),
  name: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9._-]*$/,
      "expected lower-case letters, digits, dots, dashes or underscores",
    ),
  version: text.describe("Of the weights, as their maker counts."),
  description: text.optional(),
  file: text.describe("The ONNX file, relative to the card."),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "expected 64 lower-case hexadecimal digits")
    .describe("Of the ONNX file."),
  input,
  licence: text.describe("SPDX identifier where there is one."),
  origin: text.describe("Where the weights come from: an address, or the recipe that made them."),
  training: z
    .strictObject({
      recipe: text.optional().describe("The configuration that made the weights."),
      log: text.optional().describe("Relative to the card."),
      data: text.optional(),
      seed: z.int().optional(),
    })
    .optional(),
  notes: text.optional(),
};

export const cardSchema = z.discriminatedUnion("task", [
  z.strictObject({ ...common, task: z.literal("detection"), detection }),
  z.strictObject({ ...common, task: z.literal("recognition"), recognition }),
  z.strictObject({ ...common, task: z.literal("classification"), classification }),
]);

export type Card = z.output<typeof cardSchema>;
export type Task = Card["task"];
export type CardOf<T extends Task> = Extract<Card, { task: T }>;

/** The card of a model, or of a baseline that needs no model file. */
export type AnyCard = Card | BaselineCard;

export function isBaseline(card: AnyCard): card is BaselineCard {
  return "baseline" in card;
}

/**
 * Reads a card.
 * @throws UserError `file-unreadable`, `yaml-syntax` or `schema`.
 */
export async function loadCard(file: string): Promise<AnyCard> {
  const value = await readYaml(file, z.record(z.string(), z.unknown()));
  if ("baseline" in value) return parseValue(value, file, baselineCardSchema);
  const card = parseValue(value, file, cardSchema);
  if (card.task === "detection" && card.input.resizeShort !== undefined)
    throw croppedDetector(file);
  return card;
}

function croppedDetector(file: string): UserError {
  return new UserError({
    code: "schema",
    message: "a detector sees its whole picture",
    file,
    path: "input.resizeShort",
    fix: "take out resizeShort and crop: boxes outside of a crop could not be found",
  });
}

/**
 * The model file that a card names: beside the card, or in `modelFolder` where cards are kept apart
 * from models.
 */
export function modelFileOf(card: Card, cardFile: string, modelFolder?: string): string {
  return resolve(modelFolder ?? dirname(cardFile), card.file);
}

/** Preprocessing as `toTensor` takes it; null for a baseline, whose version covers it. */
export function preprocessingOf(card: Card): Preprocessing;
export function preprocessingOf(card: AnyCard): Preprocessing | null;
export function preprocessingOf(card: AnyCard): Preprocessing | null {
  if (isBaseline(card)) return null;
  const { input } = card;
  return {
    ...(input.resizeShort !== undefined && { resizeShort: input.resizeShort }),
    ...(input.letterbox !== undefined && { letterbox: input.letterbox }),
    width: input.width,
    height: input.height,
    interpolation: input.interpolation,
    colour: input.colour,
    layout: input.layout,
    scale: input.scale,
    mean: input.mean,
    std: input.std,
  };
}

export function classCount(of: number | readonly string[]): number {
  return typeof of === "number" ? of : of.length;
}

/** The schema of all cards for editors (JSON Schema 2020-12). */
export function cardJsonSchema(): Record<string, unknown> {
  return {
    ...z.toJSONSchema(z.union([cardSchema, baselineCardSchema]), { io: "input" }),
    title: "ShiTu Bench model card",
  };
}
