import type { InferenceSession } from "onnxruntime-node";
import { openSession, runSession } from "../../../pipeline/onnx/session.js";
import type { DType } from "../../../pipeline/onnx/read-tensor.js";
import {
  modelParts,
  rawOf,
  type DraftNode,
  type DraftTensor,
} from "../../../pipeline/onnx/write-model.js";
import { bytesField, concatBytes } from "../../../pipeline/onnx/wire.js";
import type { PassGraph } from "./graph.js";

/** Integer weights stay integers: runtimes want to see their dequantisation. */
const kept = new Set(["DequantizeLinear"]);

/**
 * Replaces whatever hangs on constants alone by what it comes to, anchors of detectors among them.
 * ONNX Runtime computes it, all at once, as it would at each run of the model.
 */
export async function foldConstants(graph: PassGraph, opset: number): Promise<void> {
  const folded = constantNodes(graph);
  if (folded.size === 0) return;
  const rest = graph.nodes.filter((node) => !folded.has(node));
  const read = new Set([
    ...rest.flatMap((node) => node.inputs),
    ...graph.outputs.map((output) => output.name),
  ]);
  const made = [...folded].flatMap((node) => node.outputs);
  const wanted = made.filter((name) => name !== "" && read.has(name));
  for (const tensor of await computed(graph, [...folded], wanted, opset)) {
    graph.initializers.set(tensor.name, tensor);
  }
  graph.nodes = rest;
}

/** Nodes whose inputs are all constants, or come from such nodes. */
function constantNodes(graph: PassGraph): Set<DraftNode> {
  const constant = new Set(graph.initializers.keys());
  const folded = new Set<DraftNode>();
  for (const node of graph.nodes) {
    const inputs = node.inputs.filter((name) => name !== "");
    if (kept.has(node.op) || !inputs.every((name) => constant.has(name))) continue;
    folded.add(node);
    for (const output of node.outputs) constant.add(output);
  }
  return folded;
}

async function computed(
  graph: PassGraph,
  nodes: readonly DraftNode[],
  wanted: readonly string[],
  opset: number,
): Promise<DraftTensor[]> {
  if (wanted.length === 0) return [];
  const used = new Set(nodes.flatMap((node) => node.inputs));
  const model = {
    opset,
    producer: "shitu",
    graph: {
      name: "constants",
      nodes,
      inputs: [],
      outputs: [],
      initializers: [...graph.initializers.values()].filter((tensor) => used.has(tensor.name)),
    },
  };
  const bytes = concatBytes([...modelParts(model), outputsNamed(wanted)]);
  const session = await openSession(bytes, "constants", { optimise: false });
  try {
    const results = await runSession(session, {}, "constants");
    return wanted.map((name) => asTensor(name, results[name]!));
  } finally {
    await session.release();
  }
}

/** Outputs without types, which ONNX Runtime infers: a second graph message adds to the first. */
function outputsNamed(names: readonly string[]): Uint8Array {
  return bytesField(
    7,
    names.map((name) => bytesField(12, bytesField(1, name))),
  );
}

function asTensor(name: string, value: InferenceSession.ReturnType[string]): DraftTensor {
  const data = value.data as unknown as ArrayBufferView;
  return { name, dtype: value.type as DType, dims: value.dims, raw: rawOf(data) };
}
