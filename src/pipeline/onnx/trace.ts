import { Tensor, type InferenceSession } from "onnxruntime-node";
import { UserError } from "../errors.js";
import { uniform } from "../seeded-random.js";
import { cutGraph, exposeShapes, shapeSuffix } from "./derive-graph.js";
import type { OnnxModel, ValueInfo } from "./read-model.js";
import { openSession, runSession } from "./session.js";

/**
 * Looks inside a model while it runs: the shape, or the contents, of every value in its graph,
 * unoptimised.
 */

export type Shapes = ReadonlyMap<string, readonly number[]>;

/**
 * The shape of every value of the main graph for these feeds (values inside If and Loop bodies
 * aside). Where the whole graph cannot run on them, only what `needed` depends on is run.
 * @throws UserError `onnx-unsupported` or `model-run-failed` where even that cannot run.
 */
export async function traceShapes(
  model: OnnxModel,
  feeds: InferenceSession.FeedsType,
  needed: readonly string[],
): Promise<Shapes> {
  const shapes = new Map<string, readonly number[]>();
  for (const [name, tensor] of model.graph.initializers) shapes.set(name, tensor.dims);
  for (const [name, tensor] of Object.entries(feeds)) shapes.set(name, tensor.dims);
  const computed = new Set(nodeOutputs(model));
  const all = [...computed];
  const some = needed.filter((name) => computed.has(name));
  let found: InferenceSession.ReturnType;
  try {
    found = await runOnce(exposeShapes(model.bytes, all), model.file, feeds);
  } catch (error) {
    if (!(error instanceof UserError) || some.length === 0) throw error;
    found = await runOnce(exposeShapes(cutGraph(model, some), some), model.file, feeds);
  }
  for (const [name, value] of Object.entries(found)) {
    if (name.endsWith(shapeSuffix))
      shapes.set(
        name.slice(0, -shapeSuffix.length),
        Array.from(value.data as BigInt64Array, Number),
      );
  }
  return shapes;
}

/**
 * The contents of named values for these feeds, with graph optimisation off so that every value
 * exists as the file has it. Ask for as many at once as memory holds.
 * @throws UserError `onnx-unsupported` or `model-run-failed`; RangeError for a name that the graph
 * does not compute.
 */
export async function traceTensors(
  model: OnnxModel,
  feeds: InferenceSession.FeedsType,
  names: readonly string[],
): Promise<ReadonlyMap<string, Tensor>> {
  const found = await runOnce(cutGraph(model, names), model.file, feeds);
  return new Map(names.map((name) => [name, found[name] as Tensor]));
}

/** Every value that a node of the main graph makes, in the order of computation. */
export function nodeOutputs(model: OnnxModel): string[] {
  return model.graph.nodes.flatMap((node) => node.outputs.filter((name) => name !== ""));
}

async function runOnce(
  bytes: Uint8Array,
  file: string,
  feeds: InferenceSession.FeedsType,
): Promise<InferenceSession.ReturnType> {
  const session = await openSession(bytes, file, { optimise: false });
  try {
    const declared = Object.fromEntries(session.inputNames.map((name) => [name, feeds[name]!]));
    return await runSession(session, declared, file);
  } finally {
    await session.release();
  }
}

/** Sizes for inputs, by name; the batch need not be given. */
export type InputShapes = Readonly<Record<string, readonly number[]>>;

/**
 * Feeds that let a model run once: an open first dimension becomes 1, other open ones must be
 * given. Pictures (rank 4) get seeded noise in 0..1, everything else ones.
 * @throws UserError `shape-needed` naming the input.
 */
export function probeFeeds(
  inputs: readonly ValueInfo[],
  file: string,
  given: InputShapes = {},
): Record<string, Tensor> {
  return Object.fromEntries(
    inputs.map((input) => {
      const dims =
        given[input.name] ??
        input.shape?.map((d, i) => (typeof d === "number" ? d : i === 0 ? 1 : null));
      if (!dims || dims.some((d) => d === null)) {
        throw new UserError({
          code: "shape-needed",
          message: `the size of input ${JSON.stringify(input.name)} is open`,
          file,
          found:
            input.shape === null ? "no shape" : `[${input.shape.map((d) => d ?? "?").join(", ")}]`,
          fix: `give it, as in --shape ${input.name}=1,3,224,224`,
        });
      }
      return [input.name, probeTensor(input, dims as number[], file)];
    }),
  );
}

function probeTensor({ name, dtype }: ValueInfo, dims: number[], file: string): Tensor {
  const n = dims.reduce((product, d) => product * d, 1);
  switch (dtype) {
    case "float32":
      return new Tensor(
        "float32",
        dims.length === 4 ? noise(n) : new Float32Array(n).fill(1),
        dims,
      );
    case "float64":
      return new Tensor("float64", new Float64Array(n).fill(1), dims);
    case "uint8":
      return new Tensor("uint8", new Uint8Array(n).fill(1), dims);
    case "int8":
      return new Tensor("int8", new Int8Array(n).fill(1), dims);
    case "int32":
      return new Tensor("int32", new Int32Array(n).fill(1), dims);
    case "int64":
      return new Tensor("int64", new BigInt64Array(n).fill(1n), dims);
    case "bool":
      return new Tensor("bool", new Uint8Array(n).fill(1), dims);
    default:
      throw new UserError({
        code: "onnx-unsupported",
        message: `input ${JSON.stringify(name)} takes ${dtype ?? "no tensor"}`,
        file,
        expected: "float32, float64, uint8, int8, int32, int64 or bool",
        fix: "export the model with float32 inputs",
      });
  }
}

function noise(n: number): Float32Array {
  const next = uniform(1);
  return Float32Array.from({ length: n }, next);
}
