import { countMacs, type Work } from "../../src/pipeline/onnx/macs.js";
import { countAsPaddle, type PaddleCounts } from "../../src/pipeline/onnx/paddle-counts.js";
import { parseOnnx } from "../../src/pipeline/onnx/read-model.js";
import { countWeights } from "../../src/pipeline/onnx/weights.js";
import { concatBytes } from "../../src/pipeline/onnx/wire.js";
import { modelParts } from "../../src/pipeline/onnx/write-model.js";
import { networkModel } from "./build-network.js";
import type { Network } from "./catalogue.js";
import { blankWeights } from "./drawn-weights.js";

/** What depends on a network's architecture alone. */
export interface NetworkCost {
  /** Learned elements. */
  readonly parameters: number;
  readonly work: Work;
  /** As Paddle and the paper's Table 6 count. */
  readonly paddle: PaddleCounts;
  /** Of its ONNX file. */
  readonly bytes: number;
}

/** Counted in the graph without drawing its weights, writing or running it. */
export function networkCost(network: Network, size?: number): NetworkCost {
  const { model, shapes } = networkModel(network, blankWeights, size);
  const bytes = concatBytes(modelParts(model));
  const read = parseOnnx(bytes, network.name);
  const paddle = countAsPaddle(read, shapes);
  if (paddle.parameters === null) throw new RangeError(`${network.name}: ${paddle.why}`);
  const { parameters } = countWeights(read);
  return { parameters, work: countMacs(read, shapes), paddle, bytes: bytes.length };
}
