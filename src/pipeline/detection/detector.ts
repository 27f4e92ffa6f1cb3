// detection/: pixels and a detector in, boxes with classes and scores out. It never sees true boxes
// or a gallery.
import { Tensor, type TypedTensor } from "onnxruntime-node";
import type { BaselineCard } from "../model/baseline-card.js";
import { WholeImageDetector } from "./baseline-detector.js";
import { clip } from "../box.js";
import { classCount, isBaseline, loadCard, preprocessingOf, type AnyCard } from "../model/card.js";
import { detectionRoles, mismatchIn, sideInput } from "../model/card-check.js";
import { UserError } from "../errors.js";
import { openModelFor, type LoadTimes, type Model, type ModelSettings } from "../model/model.js";
import { OutputError, type FormRoles, type Output } from "../forms/detector-form.js";
import { decodeOutputs } from "../forms/forms.js";
import { letterboxOf, type LetterboxPlace } from "../image/letterbox.js";
import { tensorLength, toTensor } from "../image/preprocess.js";
import { rulesOf } from "../protocol.js";
import { Stopwatch } from "../stopwatch.js";
import { TensorPool } from "../image/tensor-pool.js";
import type { Detection, Pixels, Preprocessing, Protocol } from "../types.js";
import type { TimedDetector } from "./timed-detector.js";

export interface DetectorSettings extends ModelSettings {
  /**
   * `standard` (default) clips boxes to the picture and drops empty ones; `paddleclas` leaves them
   * as the model gave them.
   */
  readonly protocol?: Protocol;
}

/**
 * Opens a detector by its card: an ONNX model, or a baseline.
 * @throws UserError of `loadModelFor`.
 */
export async function openDetector(
  cardFile: string,
  settings: DetectorSettings = {},
): Promise<TimedDetector> {
  const card = await loadCard(cardFile);
  if (isBaselineDetector(card)) return new WholeImageDetector(card);
  return new OnnxDetector(
    await openModelFor("detection", card, cardFile, settings),
    settings.protocol ?? "standard",
  );
}

function isBaselineDetector(card: AnyCard): card is Extract<BaselineCard, { task: "detection" }> {
  return isBaseline(card) && card.task === "detection";
}

/** A detector in any of the export forms. */
export class OnnxDetector implements TimedDetector {
  readonly id: string;
  readonly version: string;
  readonly protocol: Protocol;
  readonly roles: FormRoles;
  readonly load: LoadTimes;
  readonly #model: Model<"detection">;
  readonly #preprocessing: Preprocessing;
  readonly #tensors: TensorPool;

  constructor(model: Model<"detection">, protocol: Protocol) {
    this.id = model.id;
    this.version = model.version;
    this.protocol = protocol;
    this.load = model.load;
    this.#model = model;
    this.#preprocessing = preprocessingOf(model.card);
    this.#tensors = new TensorPool(tensorLength(this.#preprocessing));
    this.roles = detectionRoles(model.card, model.outputs, mismatchIn(model.file));
  }

  async detect(pixels: Pixels, watch: Stopwatch = new Stopwatch()): Promise<Detection[]> {
    const { width, height } = this.#preprocessing;
    const input = this.#tensors.take();
    try {
      watch.timeSync("preprocess", () =>
        toTensor(pixels, this.#preprocessing, { out: input, offset: 0 }),
      );
      const picture = this.#model.picture(input);
      const framed = this.#framed(pixels);
      const scaleY = Math.fround(framed?.scale ?? height / pixels.height);
      const scaleX = Math.fround(framed?.scale ?? width / pixels.width);
      return await watch.time("detect", async () => {
        const found = await this.#model.run(this.#feeds(picture, scaleY, scaleX));
        const decoded = this.#decode(found as Record<string, Tensor>, scaleX, scaleY);
        const detections = framed ? outOfFrame(decoded, framed) : decoded;
        return rulesOf(this.protocol).boxes === "clipped"
          ? clipAll(detections, pixels)
          : detections;
      });
    } finally {
      this.#tensors.give(input);
    }
  }

  async close(): Promise<void> {
    await this.#model.close();
  }

  #framed(pixels: Pixels): LetterboxPlace | null {
    const { letterbox } = this.#preprocessing;
    return letterbox ? letterboxOf(pixels, this.#preprocessing, letterbox.place) : null;
  }

  /**
   * Only what the model declares: the picture, and where there are such inputs its size and the
   * scale, down before across.
   */
  #feeds(picture: Tensor, scaleY: number, scaleX: number): Record<string, Tensor> {
    const { width, height } = this.#preprocessing;
    const { imageInput, inputs } = this.#model;
    const scaledInside = this.roles.form === "nms-inside";
    return Object.fromEntries(
      inputs.map(({ name }): [string, Tensor] => {
        if (name === imageInput.name) return [name, picture];
        const asked = sideInput(name) === "im_shape" ? [height, width] : [scaleY, scaleX];
        // PP-YOLOE without suppression divides by it itself: once is enough, and is done here.
        const pair = scaledInside || sideInput(name) === "im_shape" ? asked : [1, 1];
        return [name, new Tensor("float32", Float32Array.from(pair), [1, 2])];
      }),
    );
  }

  #decode(found: Readonly<Record<string, Tensor>>, scaleX: number, scaleY: number): Detection[] {
    const output = (name: string): Output => {
      const { data, dims, type } = found[name]!;
      if (type !== "float32") throw new OutputError(`${name} is ${type}, expected float32`);
      return { data: data as Float32Array, dims };
    };
    const count = (name: string): number =>
      Number((found[name] as TypedTensor<"int32">).data[0] ?? 0);
    const { classes, suppression } = this.#model.card.detection;
    try {
      const decoded = decodeOutputs(this.roles, { output, count }, { scaleX, scaleY, suppression });
      return withinClasses(decoded, classCount(classes));
    } catch (error) {
      if (!(error instanceof OutputError)) throw error;
      throw new UserError(
        {
          code: "model-output",
          message: "the model's output is no detection",
          file: this.#model.file,
          found: error.message,
          fix: "compare the export with the original; shitu inspect shows its form",
        },
        { cause: error },
      );
    }
  }
}

/** @throws OutputError where a class is none of the card's. */
function withinClasses(detections: Detection[], classes: number): Detection[] {
  const odd = detections.find((d) => !Number.isInteger(d.classId) || d.classId >= classes);
  if (odd) throw new OutputError(`a box of class ${odd.classId}, and the card has ${classes}`);
  return detections;
}

/** Boxes of the scaled frame's pixels moved by where the picture lies in it. */
function outOfFrame(
  detections: readonly Detection[],
  { left, top, scale }: LetterboxPlace,
): Detection[] {
  const [dx, dy] = [left / scale, top / scale];
  return detections.map(({ box: { x0, y0, x1, y1 }, ...rest }) => ({
    ...rest,
    box: { x0: x0 - dx, y0: y0 - dy, x1: x1 - dx, y1: y1 - dy },
  }));
}

function clipAll(detections: readonly Detection[], { width, height }: Pixels): Detection[] {
  const kept: Detection[] = [];
  for (const detection of detections) {
    const box = clip(detection.box, width, height);
    if (!(box.x1 > box.x0 && box.y1 > box.y0)) continue;
    kept.push(
      box === detection.box
        ? detection
        : { box, score: detection.score, classId: detection.classId },
    );
  }
  return kept;
}
