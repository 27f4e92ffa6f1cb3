import type { DraftGraph, DraftModel, DraftValue } from "../../pipeline/onnx/write-model.js";
import { foldConstants } from "../graph/passes/fold-constants.js";
import { foldIntoConvolutions } from "../graph/passes/fold-into-convolution.js";
import { PassGraph } from "../graph/passes/graph.js";
import { mergeConstants } from "../graph/passes/merge-constants.js";
import { nameOutputs } from "../graph/passes/name-outputs.js";
import { removeUnused } from "../graph/passes/remove-unused.js";
import type { GraphBuilder } from "../graph/builder.js";
import type { Program } from "./program.js";
import type { Parameters } from "./read-parameters.js";
import { translate, type InputSizes, type Translated } from "./translate.js";

export interface BuildOptions {
  readonly opset: number;
  readonly sizes: InputSizes;
  /** Leave batch normalisation as operators of its own. */
  readonly keepNorms: boolean;
}

export interface BuiltModel {
  readonly model: DraftModel;
  readonly translated: Translated;
}

/**
 * A program and its parameters as an ONNX model: translated operator by operator, then made small
 * by passes. Weights that no pass touches stay views of the parameters' bytes.
 * @throws UserError as `translate` does.
 */
export async function buildModel(
  program: Program,
  parameters: Parameters,
  options: BuildOptions,
): Promise<BuiltModel> {
  const translated = translate(program, parameters, options.opset, options.sizes);
  const outputs = [...translated.fetched].map(([name, value]) => ({
    name,
    type: typedOutput(translated.graph, value),
  }));
  const graph = await smaller(translated.graph.draft("paddle"), outputs, options);
  return { model: { graph, opset: options.opset, producer: "shitu-bench" }, translated };
}

function typedOutput(graph: GraphBuilder, name: string): DraftValue {
  const { dtype, shape } = graph.typeOf(name);
  return { name, dtype, shape: shape?.map((d, i) => d ?? `${name}_${i}`) ?? null };
}

async function smaller(
  draft: DraftGraph,
  outputs: readonly { name: string; type: DraftValue }[],
  { opset, keepNorms }: BuildOptions,
): Promise<DraftGraph> {
  const raw = new PassGraph(draft);
  const named = nameOutputs(raw, outputs);
  const graph = new PassGraph({ ...raw.draft(), outputs: named });
  removeUnused(graph);
  await foldConstants(graph, opset);
  foldIntoConvolutions(graph, { keepNorms });
  removeUnused(graph);
  mergeConstants(graph);
  return graph.draft();
}
