import { baselineVersion, type BaselineCard } from "../model/baseline-card.js";
import { FeatureEmbedder, type FeatureSource } from "./feature-embedder.js";
import { gaussians } from "../seeded-random.js";
import type { Preprocessing } from "../types.js";

type EmbedderBaseline = Extract<BaselineCard, { task: "recognition" }>;

/** One picture's features. `picture` is 3 x side x side, 0 to 255. */
type Formula = (picture: Float32Array, into: Float32Array) => void;

/**
 * Embedders that learned nothing, so that tables show what models add: the pixels themselves, their
 * colour histogram, or a random projection of them. All are L2-normalised, or binarised where the
 * card says so.
 */
export function openBaselineEmbedder(card: EmbedderBaseline, batch?: number): FeatureEmbedder {
  const { size, formula } = formulaOf(card);
  return new FeatureEmbedder({
    id: card.name,
    version: baselineVersion(card),
    file: card.name,
    size,
    normalise: true,
    binarise: card.baseline === "random-projection" ? card.binarise : "none",
    preprocessing: squareOf(card.side),
    source: new FormulaFeatures(size, 3 * card.side * card.side, formula),
    ...(batch !== undefined && { batch }),
  });
}

function squareOf(side: number): Preprocessing {
  return {
    width: side,
    height: side,
    interpolation: "linear",
    colour: "rgb",
    layout: "nchw",
    scale: 1,
    mean: [0, 0, 0],
    std: [1, 1, 1],
  };
}

function formulaOf(card: EmbedderBaseline): { size: number; formula: Formula } {
  const length = 3 * card.side * card.side;
  switch (card.baseline) {
    case "pixels":
      return { size: length, formula: centred };
    case "colour-histogram":
      return {
        size: card.levels ** 3,
        formula: (picture, into) => {
          histogram(picture, card.levels, into);
        },
      };
    case "random-projection":
      return { size: card.size, formula: projection(length, card.size, card.seed) };
  }
}

/**
 * The values less their mean: a change of brightness does not matter. A picture of one value, which
 * leaves nothing, becomes equal numbers: at right angles to every other picture, like none of them,
 * and like other pictures of one value.
 */
function centred(picture: Float32Array, into: Float32Array): void {
  let sum = 0;
  for (const value of picture) sum += value;
  const mean = sum / picture.length;
  let some = false;
  for (let i = 0; i < picture.length; i++) {
    into[i] = picture[i]! - mean;
    if (into[i] !== 0) some = true;
  }
  if (!some) into.fill(1);
}

/**
 * Square roots of each colour's share of the pixels, so that an inner product is the Bhattacharyya
 * coefficient.
 */
function histogram(picture: Float32Array, levels: number, into: Float32Array): void {
  const pixels = picture.length / 3;
  const level = (i: number): number =>
    Math.min(levels - 1, Math.floor((picture[i]! * levels) / 256));
  into.fill(0);
  for (let i = 0; i < pixels; i++)
    into[(level(i) * levels + level(i + pixels)) * levels + level(i + 2 * pixels)]!++;
  for (let bin = 0; bin < into.length; bin++) into[bin] = Math.sqrt(into[bin]! / pixels);
}

/**
 * Centred pixels times a Gaussian matrix: inner products, and with `sign` angles, roughly survive
 * (Johnson and Lindenstrauss 1984; Charikar 2002).
 */
function projection(length: number, size: number, seed: number): Formula {
  const matrix = gaussians(length * size, seed);
  const centre = new Float32Array(length);
  return (picture, into) => {
    centred(picture, centre);
    for (let row = 0; row < size; row++) {
      let sum = 0;
      for (let i = 0, at = row * length; i < length; i++, at++) sum += centre[i]! * matrix[at]!;
      into[row] = sum;
    }
  };
}

class FormulaFeatures implements FeatureSource {
  readonly fixedBatch = null;
  readonly #size: number;
  readonly #length: number;
  readonly #formula: Formula;

  constructor(size: number, length: number, formula: Formula) {
    this.#size = size;
    this.#length = length;
    this.#formula = formula;
  }

  async rows(tensor: Float32Array, n: number): Promise<Float32Array> {
    const rows = new Float32Array(n * this.#size);
    for (let i = 0; i < n; i++) {
      this.#formula(
        tensor.subarray(i * this.#length, (i + 1) * this.#length),
        rows.subarray(i * this.#size, (i + 1) * this.#size),
      );
    }
    return rows;
  }

  async close(): Promise<void> {
    // Nothing is held.
  }
}
