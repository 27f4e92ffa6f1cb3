import { Tensor } from "onnxruntime-node";
import { openSession, runSession } from "../../src/pipeline/onnx/session.js";
import { concatBytes } from "../../src/pipeline/onnx/wire.js";
import {
  floatTensor,
  intTensor,
  modelParts,
  type DraftModel,
  type DraftNode,
  type DraftTensor,
} from "../../src/pipeline/onnx/write-model.js";
import { uniform } from "../../src/pipeline/seeded-random.js";

/**
 * Running statistics as a training leaves them: those of the maps themselves, here of one drawn
 * picture. With them every layer's values vary over the picture at the scale of a trained
 * network's, which weights alone do not bring about over dozens of layers.
 */
export async function settleNorms(model: DraftModel): Promise<DraftModel> {
  const norms = model.graph.nodes.filter((n) => n.op === "BatchNormalization");
  const found = await batchStatistics(model, norms);
  const tensors = new Map(model.graph.initializers.map((t) => [t.name, t]));
  for (const [i, norm] of norms.entries()) {
    const { mean, variance } = found[i]!;
    for (const [slot, values] of [
      [3, mean],
      [4, variance],
    ] as const) {
      const before = tensors.get(norm.inputs[slot]!)!;
      tensors.set(before.name, floatTensor(before.name, before.dims, values));
    }
  }
  return { ...model, graph: { ...model.graph, initializers: [...tensors.values()] } };
}

interface Statistics {
  readonly mean: Float32Array;
  readonly variance: Float32Array;
}

/** One run in which each norm takes the statistics of the very map that it gets. */
async function batchStatistics(
  model: DraftModel,
  norms: readonly DraftNode[],
): Promise<Statistics[]> {
  const { graph } = model;
  const constants: DraftTensor[] = [
    intTensor("map axes", [0, 2, 3]),
    floatTensor("epsilon", [], Float32Array.of(1e-5)),
  ];
  const perChannel = new Set(norms.flatMap((n) => n.inputs.slice(1, 3)));
  const initializers = graph.initializers.map((t) =>
    perChannel.has(t.name) ? { ...t, dims: [1, t.dims[0]!, 1, 1] } : t,
  );
  const nodes = graph.nodes.flatMap((n) =>
    n.op === "BatchNormalization" ? adaptive(n, norms.indexOf(n)) : [n],
  );
  const outputs = norms.flatMap((_, i) =>
    ["mean", "variance"].map((what) => ({
      name: `${what} ${i}`,
      dtype: "float32" as const,
      shape: null,
    })),
  );
  // Reductions take their axes as an input from opset 18 on.
  const opset = Math.max(18, model.opset);
  const probed: DraftModel = {
    ...model,
    opset,
    graph: { ...graph, nodes, initializers: [...initializers, ...constants], outputs },
  };
  const session = await openSession(concatBytes(modelParts(probed)), graph.name, {
    optimise: false,
  });
  try {
    const { name, shape } = graph.inputs[0]!;
    const size = shape![2] as number;
    const picture = new Tensor("float32", drawnPicture(size), [1, 3, size, size]);
    const results = await runSession(session, { [name]: picture }, graph.name);
    const values = (what: string): Float32Array => results[what]!.data as Float32Array;
    return norms.map((_, i) => settled(values(`mean ${i}`), values(`variance ${i}`)));
  } finally {
    await session.release();
  }
}

/** (x - mean) / sqrt(variance + epsilon) x scale + shift, all of the map at hand. */
function adaptive({ inputs, outputs }: DraftNode, i: number): DraftNode[] {
  const [x, scale, shift] = inputs as [string, string, string];
  const name = (what: string): string => `${what} ${i}`;
  return [
    { op: "ReduceMean", inputs: [x, "map axes"], outputs: [name("mean")] },
    { op: "Sub", inputs: [x, name("mean")], outputs: [name("centred")] },
    { op: "Mul", inputs: [name("centred"), name("centred")], outputs: [name("squares")] },
    { op: "ReduceMean", inputs: [name("squares"), "map axes"], outputs: [name("variance")] },
    { op: "Add", inputs: [name("variance"), "epsilon"], outputs: [name("raised")] },
    { op: "Sqrt", inputs: [name("raised")], outputs: [name("deviation")] },
    { op: "Div", inputs: [name("centred"), name("deviation")], outputs: [name("normal")] },
    { op: "Mul", inputs: [name("normal"), scale], outputs: [name("scaled")] },
    { op: "Add", inputs: [name("scaled"), shift], outputs },
  ];
}

/**
 * Rounded so coarsely (a step of 9% in variance, a sixteenth of a deviation in mean) that
 * processors whose sums differ in their last bits come to the same numbers. One picture tells how a
 * channel varies within it, not from picture to picture: the square of its mean stands for that,
 * and a channel that hardly varies gets a quarter of the layer's variance.
 */
function settled(mean: Float32Array, variance: Float32Array): Statistics {
  const steps = 8;
  const rounded = (v: number): number => 2 ** (Math.round(steps * Math.log2(v)) / steps);
  const all = variance.map((v, c) => v + mean[c]! ** 2);
  const usual = all.reduce((sum, v) => sum + v, 0) / all.length;
  const least = rounded(Math.max(usual / 4, 1e-3));
  const variances = all.map((v) => Math.max(rounded(Math.max(v, 1e-6)), least));
  const means = mean.map((m, c) => {
    const step = Math.sqrt(variances[c]!) / 16;
    return Math.round(m / step) * step;
  });
  return { mean: means, variance: variances };
}

/**
 * Noise at every scale from a pixel to half the picture, the coarser the stronger: flat areas
 * beside fine grain, as photographs have them. Three planes of deviation 1.
 */
export function drawnPicture(size: number): Float32Array {
  const planes = new Float32Array(3 * size * size);
  const next = uniform(20211101);
  for (let cell = 1; cell <= size / 2; cell *= 2) {
    const side = Math.ceil(size / cell);
    const strength = Math.sqrt(cell);
    const grid = Float32Array.from({ length: 3 * side * side }, () => strength * (next() - 0.5));
    for (let i = 0; i < planes.length; i++) {
      const [plane, place] = [Math.floor(i / (size * size)), i % (size * size)];
      const [row, column] = [Math.floor(place / size), place % size];
      const from = (plane * side + Math.floor(row / cell)) * side + Math.floor(column / cell);
      planes[i] = planes[i]! + grid[from]!;
    }
  }
  const deviation = Math.sqrt(planes.reduce((sum, v) => sum + v * v, 0) / planes.length);
  return planes.map((v) => v / deviation);
}
