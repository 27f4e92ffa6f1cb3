// embedding/: pixels, or boxes of them, in; vectors or packed codes out, on one thread or many. It
// never sees labels or an index.
import type { Tensor } from "onnxruntime-node";
import type { BaselineCard } from "../model/baseline-card.js";
import { openBaselineEmbedder } from "./baseline-embedder.js";
import { isBaseline, loadCard, preprocessingOf, type AnyCard } from "../model/card.js";
import { matrixOutput, mismatchIn } from "../model/card-check.js";
import { UserError } from "../errors.js";
import { FeatureEmbedder, type FeatureSource, type WindowEmbedder } from "./feature-embedder.js";
import { openModelFor, type LoadTimes, type Model, type ModelSettings } from "../model/model.js";

export type { WindowEmbedder } from "./feature-embedder.js";

export interface EmbedderSettings extends ModelSettings {
  /** Crops a forward pass, where the model's batch is open. Default 8. */
  readonly batch?: number;
}

/**
 * Opens an embedder by its card: an ONNX model, or a baseline.
 * @throws UserError of `loadModelFor`.
 */
export async function openEmbedder(
  cardFile: string,
  settings: EmbedderSettings = {},
): Promise<WindowEmbedder> {
  const card = await loadCard(cardFile);
  if (isBaselineEmbedder(card)) return openBaselineEmbedder(card, settings.batch);
  return new OnnxEmbedder(
    await openModelFor("recognition", card, cardFile, settings),
    settings.batch,
  );
}

function isBaselineEmbedder(card: AnyCard): card is Extract<BaselineCard, { task: "recognition" }> {
  return isBaseline(card) && card.task === "recognition";
}

/** Features of an ONNX model: L2-normalised floats, or binary codes, as its card says. */
export class OnnxEmbedder extends FeatureEmbedder {
  readonly load: LoadTimes;

  constructor(model: Model<"recognition">, batch?: number) {
    const { size, normalise, binarise } = model.card.recognition;
    super({
      id: model.id,
      version: model.version,
      file: model.file,
      size,
      normalise,
      binarise,
      preprocessing: preprocessingOf(model.card),
      source: new ModelFeatures(model),
      ...(batch !== undefined && { batch }),
    });
    this.load = model.load;
  }
}

class ModelFeatures implements FeatureSource {
  readonly fixedBatch: number | null;
  readonly #model: Model<"recognition">;
  readonly #output: string;

  constructor(model: Model<"recognition">) {
    const { output, size } = model.card.recognition;
    const batch = model.imageInput.shape?.[0];
    this.fixedBatch = typeof batch === "number" ? batch : null;
    this.#model = model;
    this.#output = matrixOutput(
      model.outputs,
      output,
      ["recognition.output", "recognition.size", size],
      mismatchIn(model.file),
    ).name;
  }

  async rows(tensor: Float32Array, n: number): Promise<Float32Array> {
    const { card, file, imageInput } = this.#model;
    const { size } = card.recognition;
    const picture = this.#model.picture(tensor, n);
    const { data, dims, type } = (await this.#model.run({ [imageInput.name]: picture }))[
      this.#output
    ] as Tensor;
    if (type === "float32" && data.length === n * size) return data as Float32Array;
    // Only where the model leaves its output's size open, or breaks its own word.
    throw new UserError({
      code: "card-mismatch",
      message: "the card and the model disagree",
      file,
      path: "recognition.size",
      expected: `${n} x ${size} floats`,
      found: `${this.#output} ${type} [${dims.join(", ")}]`,
      fix: "set recognition.size or recognition.output in the card to what the model yields",
    });
  }

  async close(): Promise<void> {
    await this.#model.close();
  }
}
