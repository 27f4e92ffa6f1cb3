import { countMacs, type Work } from "../../src/pipeline/onnx/macs.js";
import { countAsPaddle, type PaddleCounts } from "../../src/pipeline/onnx/paddle-counts.js";
import type { Attribute, OnnxModel, OnnxNode } from "../../src/pipeline/onnx/read-model.js";
import { countWeights } from "../../src/pipeline/onnx/weights.js";
import {
  modelParts,
  type DraftAttribute,
  type DraftModel,
  type DraftNode,
} from "../../src/pipeline/onnx/write-model.js";
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
  const read = asRead(model);
  const paddle = countAsPaddle(read, shapes);
  if (paddle.parameters === null) throw new RangeError(`${network.name}: ${paddle.why}`);
  const bytes = modelParts(model).reduce((sum, part) => sum + part.length, 0);
  const { parameters } = countWeights(read);
  return { parameters, work: countMacs(read, shapes), paddle, bytes };
}

const none = new Uint8Array(0);

/** The model as the reader would give it, without going through its bytes. */
function asRead({ graph, opset, producer, irVersion = 8 }: DraftModel): OnnxModel {
  const initializers = graph.initializers.map(({ name, dtype, dims, raw }) => {
    const elements = dims.reduce((product, d) => product * d, 1);
    return [name, { name, dtype, dims, elements, raw, external: null, bytes: none }] as const;
  });
  const valuesOf = (values: DraftModel["graph"]["inputs"]) =>
    values.map(({ name, dtype, shape }) => ({ name, dtype, shape, bytes: none }));
  return {
    file: graph.name,
    bytes: none,
    irVersion,
    producer,
    producerVersion: "",
    opsets: [{ domain: "", version: opset }],
    graph: {
      name: graph.name,
      nodes: graph.nodes.map(nodeAsRead),
      initializers: new Map(initializers),
      inputs: valuesOf(graph.inputs),
      outputs: valuesOf(graph.outputs),
      sparseInitializers: 0,
    },
    functions: [],
  };
}

function nodeAsRead({
  op,
  inputs,
  outputs,
  name = "",
  domain = "",
  attributes = {},
}: DraftNode): OnnxNode {
  const read = Object.entries(attributes).map(
    ([key, value]) => [key, attributeAsRead(value)] as const,
  );
  return { name, op, domain, inputs, outputs, attributes: new Map(read), bytes: none };
}

function attributeAsRead(value: DraftAttribute): Attribute {
  if (typeof value === "number") return { i: value, graphs: [] };
  if ("float" in value) return { f: value.float, graphs: [] };
  return "floats" in value || "text" in value || "tensor" in value || "graph" in value
    ? { graphs: [] }
    : { ints: value, graphs: [] };
}
