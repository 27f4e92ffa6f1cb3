import type { InferenceSession } from "onnxruntime-node";
import { editGraph, renamedNode } from "../../../pipeline/onnx/edit-graph.js";
import { parseOnnx, type OnnxModel, type OnnxNode } from "../../../pipeline/onnx/read-model.js";
import { floatTensor, tensorMessage } from "../../../pipeline/onnx/write-model.js";
import type { Divergence, LayerAgreement, PairFeeds } from "./divergence.js";
import { weightOf, type StepPair } from "./match.js";
import { ValueTracer } from "./trace-values.js";
import { snrDb } from "../agreement/vectors.js";

/** What one quantised layer costs. */
export interface QuantisedLayer {
  /** The value that it makes, by the baseline's name and the candidate's. */
  readonly baseline: string;
  readonly candidate: string;
  readonly op: string;
  readonly weights: number;
  /** Signal to noise of the graph's last common value as it is, and with this layer in float. */
  readonly db: number;
  readonly dbInFloat: number;
  readonly gainDb: number;
}

/**
 * Ranks quantised layers by what the graph's end would gain if the layer stayed in float: its
 * weights as the baseline has them, its input not quantised. Measured, one layer at a time.
 */
export async function rankQuantisedLayers(
  divergence: Divergence,
  feeds: readonly PairFeeds[],
): Promise<QuantisedLayer[]> {
  const last = divergence.layers.at(-1);
  if (!last) return [];
  const { baseline, candidate } = divergence;
  const wanted = await endValues(
    baseline.model,
    last.baseline.output,
    feeds.map((f) => f.baseline),
  );
  const dbOf = async (model: OnnxModel): Promise<number> => {
    const found = await endValues(
      model,
      last.candidate.output,
      feeds.map((f) => f.candidate),
    );
    return snrDb(wanted, found) ?? 0;
  };
  const db = await dbOf(candidate.model);
  const ranked: QuantisedLayer[] = [];
  for (const pair of likeliest(divergence)) {
    const own = weightOf(candidate, pair.candidate);
    if (!own || own.scales === null) continue;
    const model = inFloat(divergence, pair);
    if (!model) continue;
    const dbInFloat = await dbOf(model);
    ranked.push({
      baseline: pair.baseline.output,
      candidate: pair.candidate.output,
      op: pair.candidate.op,
      weights: own.values.length,
      db,
      dbInFloat,
      gainDb: dbInFloat - db,
    });
  }
  return ranked.sort((a, b) => b.gainDb - a.gainDb);
}

/** Layers that are measured: each asks for a session of its own. */
const mostMeasured = 16;

/** Quantised layers whose value is worst beside the one before it. */
function likeliest({ layers, candidate }: Divergence): LayerAgreement[] {
  const drop = (l: LayerAgreement, i: number): number => (layers[i - 1]?.db ?? 60) - (l.db ?? 0);
  return layers
    .map((layer, i) => ({ layer, drop: drop(layer, i) }))
    .filter(({ layer }) => (weightOf(candidate, layer.candidate)?.scales ?? null) !== null)
    .sort((a, b) => b.drop - a.drop)
    .slice(0, mostMeasured)
    .map(({ layer }) => layer);
}

async function endValues(
  model: OnnxModel,
  name: string,
  feeds: readonly InferenceSession.FeedsType[],
): Promise<number[]> {
  const tracer = await ValueTracer.open(model, [name]);
  try {
    const values: number[] = [];
    for (const feed of feeds) values.push(...Array.from((await tracer.run(feed)).get(name)!.data));
    return values;
  } finally {
    await tracer.close();
  }
}

/** The candidate with one layer in float; null where its constants cannot be had. */
function inFloat({ baseline, candidate }: Divergence, pair: StepPair): OnnxModel | null {
  const { model } = candidate;
  const { node, data } = pair.candidate;
  const weights = node.inputs.find((name) => name !== "" && !data.includes(name));
  const [own, theirs] = [weightOf(candidate, pair.candidate), weightOf(baseline, pair.baseline)];
  if (weights === undefined || !own || !theirs || own.values.length !== theirs.values.length)
    return null;
  const makers = new Map(model.graph.nodes.flatMap((n) => n.outputs.map((o) => [o, n] as const)));
  const name = `${weights}/in-float`;
  const inputs = new Map([[weights, name]]);
  const picture = data[0];
  const float = picture === undefined ? null : unquantised(picture, makers);
  if (picture !== undefined && float !== null) inputs.set(picture, float);
  const tensor = floatTensor(name, own.dims, Float32Array.from(theirs.values));
  const bytes = editGraph(model, {
    node: (n) => (n === node ? [renamedNode(n, inputs)] : undefined),
    initializers: new Map([[name, tensorMessage(tensor)]]),
  });
  return parseOnnx(bytes, model.file);
}

/** What a value was before it was quantised and back; null where it was not. */
function unquantised(name: string, makers: ReadonlyMap<string, OnnxNode>): string | null {
  const dequantise = makers.get(name);
  if (dequantise?.op !== "DequantizeLinear") return null;
  const quantise = makers.get(dequantise.inputs[0] ?? "");
  return quantise?.op === "QuantizeLinear" ? (quantise.inputs[0] ?? null) : null;
}
