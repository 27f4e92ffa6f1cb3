// classification/: pixels and a classifier in, a score for each class out. It never sees the true
// class.
import type { Tensor } from "onnxruntime-node";
import { classCount, preprocessingOf } from "../model/card.js";
import { matrixOutput, mismatchIn } from "../model/card-check.js";
import { UserError } from "../errors.js";
import { loadModelFor, type Model, type ModelSettings } from "../model/model.js";
import { tensorLength, toTensor } from "../image/preprocess.js";
import { Stopwatch } from "../stopwatch.js";
import type { Pixels, Stamped } from "../types.js";

/** A network that scores whole pictures by class (Table 6). */
export class Classifier implements Stamped {
  readonly id: string;
  readonly version: string;
  readonly classes: number;
  readonly #model: Model<"classification">;
  readonly #output: string;

  constructor(model: Model<"classification">) {
    this.id = model.id;
    this.version = model.version;
    this.classes = classCount(model.card.classification.classes);
    this.#model = model;
    this.#output = matrixOutput(
      model.outputs,
      model.card.classification.output,
      ["classification.output", "classification.classes", this.classes],
      mismatchIn(model.file),
    ).name;
  }

  /** The model file, for what `inspectOnnx` can say of it. */
  get file(): string {
    return this.#model.file;
  }

  /**
   * The scores of one picture, a number a class.
   * @throws UserError `model-run-failed`, or `model-output` where a score is not finite.
   */
  async classify(pixels: Pixels, watch: Stopwatch = new Stopwatch()): Promise<Float32Array> {
    const spec = preprocessingOf(this.#model.card);
    const input = new Float32Array(tensorLength(spec));
    watch.timeSync("preprocess", () => toTensor(pixels, spec, { out: input, offset: 0 }));
    return watch.time("classify", async () => {
      const found = await this.#model.run({
        [this.#model.imageInput.name]: this.#model.picture(input),
      });
      const scores = (found[this.#output] as Tensor).data as Float32Array;
      if (scores.length !== this.classes || !scores.every(Number.isFinite)) {
        throw new UserError({
          code: "model-output",
          message: "the model's output is no finite score a class",
          file: this.#model.file,
          expected: `${this.classes} finite numbers`,
          found: `${scores.length} numbers`,
          fix: "compare the export with the original",
        });
      }
      return scores;
    });
  }

  async close(): Promise<void> {
    await this.#model.close();
  }
}

/** Opens a classifier by its card. @throws UserError of `loadModel`. */
export async function openClassifier(
  cardFile: string,
  settings: ModelSettings = {},
): Promise<Classifier> {
  return new Classifier(await loadModelFor("classification", cardFile, settings));
}
