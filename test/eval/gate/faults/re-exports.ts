import { Random } from "../../../../src/eval/stats/random.js";
import { Constants } from "../../../../src/eval/gate/layers/constants.js";
import { renamedNode } from "../../../../src/pipeline/onnx/edit-graph.js";
import { traceShapes } from "../../../../src/pipeline/onnx/trace.js";
import type { OnnxModel, OnnxNode } from "../../../../src/pipeline/onnx/read-model.js";
import {
  floatTensor,
  intTensor,
  nodeMessage,
  tensorMessage,
} from "../../../../src/pipeline/onnx/write-model.js";
import { Tensor } from "onnxruntime-node";
import { edited, nth } from "./surgery.js";

/** What a faithful re-export may change: names, order, what is folded. */

/** Every inner value under another name. */
export function renamed(model: OnnxModel): OnnxModel {
  const kept = new Set([...model.graph.inputs, ...model.graph.outputs].map((v) => v.name));
  const names = new Map<string, string>();
  for (const { outputs } of model.graph.nodes) {
    for (const name of outputs) if (!kept.has(name)) names.set(name, `v${names.size}`);
  }
  return edited(model, { node: (n) => [renamedNode(n, names, names)] });
}

/** The nodes in another order that is still one of computation, drawn by a seed. */
export function reordered(model: OnnxModel, seed: string): OnnxModel {
  const random = new Random(seed);
  const known = new Set([
    ...model.graph.initializers.keys(),
    ...model.graph.inputs.map((i) => i.name),
  ]);
  let open = [...model.graph.nodes];
  const order: OnnxNode[] = [];
  while (open.length > 0) {
    const ready = open.filter((n) => n.inputs.every((name) => name === "" || known.has(name)));
    const next = ready[random.below(ready.length)]!;
    order.push(next);
    for (const output of next.outputs) known.add(output);
    open = open.filter((n) => n !== next);
  }
  // All nodes stand where the first one stood.
  const bytes = order.map((n) => n.bytes);
  return edited(model, { node: (_, index) => (index === 0 ? bytes : null) });
}

/** A batch normalisation behind a matrix product folded into its weights, as exporters do. */
export function foldedNormalisation(model: OnnxModel): OnnxModel {
  const norm = nth(model, "BatchNormalization", 0);
  const matmul = model.graph.nodes.find((n) => n.outputs[0] === norm.inputs[0])!;
  const constants = new Constants(model.graph);
  const of = (name: string | undefined): Float64Array => constants.value(name)!.values;
  const [gain, bias, mean, variance] = norm.inputs.slice(1).map(of) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const epsilon = norm.attributes.get("epsilon")?.f ?? 1e-5;
  const factor = gain.map((g, i) => g / Math.sqrt(variance[i]! + epsilon));
  const weights = constants.value(matmul.inputs[1])!;
  const columns = weights.dims[1]!;
  const folded = weights.values.map((w, i) => w * factor[i % columns]!);
  const shift = bias.map((b, i) => b - mean[i]! * factor[i]!);
  const names = ["folded-weights", "folded-bias"] as const;
  return edited(model, {
    initializers: new Map([
      [names[0], tensorMessage(floatTensor(names[0], weights.dims, Float32Array.from(folded)))],
      [names[1], tensorMessage(floatTensor(names[1], [columns], Float32Array.from(shift)))],
    ]),
    node: (n) => {
      if (n === norm) return null;
      if (n !== matmul) return undefined;
      return [gemm([matmul.inputs[0]!, ...names], norm.outputs[0]!)];
    },
  });
}

function gemm(inputs: readonly string[], output: string): Uint8Array {
  return nodeMessage({ op: "Gemm", inputs, outputs: [output] });
}

/** Shape arithmetic replaced by what it comes to. */
export async function foldedShapes(model: OnnxModel, size: number): Promise<OnnxModel> {
  const feeds = {
    [model.graph.inputs[0]!.name]: new Tensor("float32", new Float32Array(3 * size * size), [
      1,
      3,
      size,
      size,
    ]),
  };
  const shapes = await traceShapes(model, feeds, []);
  const constants = new Constants(model.graph);
  const reshapes = model.graph.nodes.filter(
    (n) => n.op === "Reshape" && !constants.isAuxiliary(n.inputs[0]!),
  );
  const added = new Map<string, Uint8Array>();
  const nodes = new Map<OnnxNode, Uint8Array>();
  for (const node of reshapes) {
    const name = `${node.outputs[0]!}/shape`;
    added.set(name, tensorMessage(intTensor(name, shapes.get(node.outputs[0]!)!)));
    nodes.set(node, renamedNode(node, new Map([[node.inputs[1]!, name]])));
  }
  return edited(model, {
    initializers: added,
    node: (n) => (nodes.has(n) ? [nodes.get(n)!] : undefined),
  });
}
