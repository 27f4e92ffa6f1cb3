import type { InferenceSession, Tensor } from "onnxruntime-node";
import { cutGraph } from "../../../pipeline/onnx/derive-graph.js";
import { halfToFloat } from "../../../pipeline/onnx/half.js";
import type { OnnxModel } from "../../../pipeline/onnx/read-model.js";
import { openSession, runSession } from "../../../pipeline/onnx/session.js";

/** One value of a graph in one run. */
export interface TracedValue {
  readonly data: ArrayLike<number>;
  readonly dims: readonly number[];
}

/** Runs a graph with some of its inner values as outputs, as the file has them: unoptimised. */
export class ValueTracer {
  readonly #session: InferenceSession;
  readonly #file: string;

  private constructor(session: InferenceSession, file: string) {
    this.#session = session;
    this.#file = file;
  }

  /** @throws UserError `onnx-unsupported` where ONNX Runtime refuses the graph. */
  static async open(model: OnnxModel, names: readonly string[]): Promise<ValueTracer> {
    const bytes = cutGraph(model, names);
    return new ValueTracer(await openSession(bytes, model.file, { optimise: false }), model.file);
  }

  /** @throws UserError `model-run-failed`. */
  async run(feeds: InferenceSession.FeedsType): Promise<ReadonlyMap<string, TracedValue>> {
    const asked = Object.fromEntries(this.#session.inputNames.map((name) => [name, feeds[name]!]));
    const found = await runSession(this.#session, asked, this.#file);
    return new Map(Object.entries(found).map(([name, value]) => [name, numbers(value as Tensor)]));
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}

function numbers({ data, dims, type }: Tensor): TracedValue {
  if (type === "float16" && data instanceof Uint16Array) {
    return { data: Float32Array.from(data, halfToFloat), dims };
  }
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    return { data: Float64Array.from(data as BigInt64Array, Number), dims };
  }
  return { data: data as Float32Array, dims };
}
