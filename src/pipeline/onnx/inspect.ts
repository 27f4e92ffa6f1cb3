import { createHash } from "node:crypto";
import { UserError } from "../errors.js";
import { checkGraph } from "./check-graph.js";
import { countMacs, shapesNeeded, type Work } from "./macs.js";
import { readOnnx, type Dimension, type DType, type OnnxModel } from "./read-model.js";
import { probeFeeds, traceShapes, type InputShapes } from "./trace.js";
import { allNodes, countWeights, quantisation, type WeightCount } from "./weights.js";

export interface Port {
  readonly name: string;
  readonly dtype: DType | null;
  readonly shape: readonly Dimension[] | null;
}

/** What an ONNX file is, read from the file itself; `work` needs one run of it. */
export interface Inspection extends WeightCount {
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly irVersion: number;
  readonly producer: string;
  readonly opsets: readonly { readonly domain: string; readonly version: number }[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Nodes by operator, the most frequent first. */
  readonly operators: Readonly<Record<string, number>>;
  readonly nodes: number;
  readonly initializers: number;
  readonly quantisation: "qdq" | "integer-operators" | null;
  /**
   * The work of one forward pass at the `batch` that the shapes were traced with, or why it is
   * unknown.
   */
  readonly work:
    | (Work & { readonly batch: number; readonly macsPerImage: number })
    | { readonly macs: null; readonly why: string };
  /** Shapes that the outputs really had in that run. */
  readonly tracedOutputs: readonly Port[] | null;
}

export interface InspectOptions {
  /** Sizes of inputs that the file leaves open. */
  readonly shapes?: InputShapes;
  /** Size of the picture that goes in, for an open input of four dimensions. */
  readonly picture?: {
    readonly width: number;
    readonly height: number;
    readonly layout: "nchw" | "nhwc";
  };
}

/**
 * Inspects an ONNX file; runs it once, on noise, to learn the shapes inside (a first dimension that
 * is open becomes 1).
 * @throws UserError `file-unreadable`, `onnx-unreadable`, `onnx-external-data`, `onnx-graph`.
 */
export async function inspectOnnx(file: string, options: InspectOptions = {}): Promise<Inspection> {
  const model = await readOnnx(file);
  checkGraph(model);
  const { work, tracedOutputs } = await measureWork(model, options);
  const counts = new Map<string, number>();
  const nodes = allNodes(model.graph);
  for (const { op, domain } of nodes) {
    const name = domain === "" ? op : `${domain}.${op}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return {
    file,
    sha256: createHash("sha256").update(model.bytes).digest("hex"),
    bytes: model.bytes.length,
    irVersion: model.irVersion,
    producer: [model.producer, model.producerVersion].filter(Boolean).join(" "),
    opsets: model.opsets,
    inputs: model.graph.inputs.map(port),
    outputs: model.graph.outputs.map(port),
    operators: Object.fromEntries([...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))),
    nodes: nodes.length,
    initializers: model.graph.initializers.size,
    quantisation: quantisation(model),
    ...countWeights(model),
    work,
    tracedOutputs,
  };
}

async function measureWork(
  model: OnnxModel,
  { shapes: given, picture }: InspectOptions,
): Promise<Pick<Inspection, "work" | "tracedOutputs">> {
  try {
    const pictures = model.graph.inputs.filter(
      (i) => picture !== undefined && i.shape?.length === 4,
    );
    const sized = Object.fromEntries(
      pictures.map((i) => [i.name, pictureShape(i.shape!, picture!)]),
    );
    const feeds = probeFeeds(model.graph.inputs, model.file, { ...sized, ...given });
    const shapes = await traceShapes(model, feeds, shapesNeeded(model));
    const work = countMacs(model, shapes);
    const batch = Object.values(feeds).find((t) => t.dims.length >= 2)?.dims[0] ?? 1;
    const tracedOutputs = model.graph.outputs.map(({ name, dtype }) => ({
      name,
      dtype,
      shape: shapes.get(name) ?? null,
    }));
    return {
      work: { ...work, batch, macsPerImage: work.macs / Math.max(1, batch) },
      tracedOutputs,
    };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { work: { macs: null, why: error.message }, tracedOutputs: null };
  }
}

/** What the file states stays; what it leaves open comes from the picture, at a batch of 1. */
function pictureShape(
  stated: readonly Dimension[],
  { width, height, layout }: NonNullable<InspectOptions["picture"]>,
): number[] {
  const wanted = layout === "nchw" ? [1, 3, height, width] : [1, height, width, 3];
  return stated.map((d, i) => (typeof d === "number" ? d : wanted[i]!));
}

function port({ name, dtype, shape }: Port): Port {
  return { name, dtype, shape };
}
