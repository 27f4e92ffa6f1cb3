// networks/: a network's name and a source of weights in; its graph as an ONNX file, with what it
// costs, out. It never sees a picture.
import { UserError } from "../../src/pipeline/errors.js";
import type { DraftModel } from "../../src/pipeline/onnx/write-model.js";
import type { Network } from "./catalogue.js";
import type { WeightSource } from "./drawn-weights.js";
import { NetworkBuilder } from "./network-builder.js";

export interface BuiltModel {
  readonly model: DraftModel;
  /** The shape of every value in it, at a batch of 1. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
}

/** Every stage halves its map, five times in all; PicoDet's fourth scale once more. */
const multiple = 32;

/**
 * A network as a graph, its weights drawn from a seed.
 * @throws UserError `network-size` for an input that the network cannot take.
 */
export function networkModel(
  network: Network,
  weights: WeightSource,
  size = network.size,
): BuiltModel {
  if (!Number.isInteger(size) || size < 2 * multiple || size > 2048 || size % multiple !== 0) {
    const near = Math.min(2048, Math.max(2 * multiple, Math.round(size / multiple) * multiple));
    throw new UserError({
      code: "network-size",
      message: `${network.name} cannot take pictures of ${size} x ${size} pixels`,
      expected:
        `a multiple of ${multiple} from ${2 * multiple} to 2048, ` +
        "as its five stages halve the map",
      found: String(size),
      fix: `--size ${Number.isFinite(near) ? near : network.size}`,
    });
  }
  const b = new NetworkBuilder(weights, network.batch);
  const outputs = network.build(b, b.input("image", [3, size, size]));
  return { model: b.model(network.name, outputs, network.opset), shapes: b.shapes() };
}
