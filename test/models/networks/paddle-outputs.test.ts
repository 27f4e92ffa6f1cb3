import { readFileSync } from "node:fs";
import { Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { networkModel } from "../../../models/networks/build-network.js";
import { networkNamed } from "../../../models/networks/catalogue.js";
import { drawnWeights } from "../../../models/networks/drawn-weights.js";
import { openSession, runSession } from "../../../src/pipeline/onnx/session.js";
import { concatBytes } from "../../../src/pipeline/onnx/wire.js";
import { modelParts } from "../../../src/pipeline/onnx/write-model.js";

/**
 * What PaddleClas and PaddleDetection compute with the same weights: test/golden/networks/make.py.
 */
interface Golden {
  readonly size: number;
  readonly outputs: Readonly<Record<string, KeptOutput>>;
}
interface KeptOutput {
  readonly shape: readonly number[];
  readonly largest: number;
  readonly places: readonly number[];
  readonly values: readonly number[];
}
const file = new URL("../../golden/networks/outputs.json", import.meta.url);
const goldens = JSON.parse(readFileSync(file, "utf8")) as Record<string, Golden>;

/** The input of make.py. */
function pattern(size: number): Tensor {
  const data = Float32Array.from(
    { length: 3 * size * size },
    (_, i) => ((i * 7919) % 1000) / 500 - 1,
  );
  return new Tensor("float32", data, [1, 3, size, size]);
}

describe("networks beside Paddle's own, the same weights in both", () => {
  it.each(Object.entries(goldens))("%s", async (name, { size, outputs }) => {
    const { model } = networkModel(networkNamed(name), drawnWeights(1), size);
    const session = await openSession(concatBytes(modelParts(model)), name, { threads: 2 });
    const found = await runSession(session, { image: pattern(size) }, name);
    await session.release();
    expect(Object.keys(found).sort()).toEqual(Object.keys(outputs).sort());
    for (const [output, { shape, largest, places, values }] of Object.entries(outputs)) {
      const { data, dims } = found[output]!;
      expect(dims).toEqual(shape);
      const worst = places.map((place, i) => Math.abs((data as Float32Array)[place]! - values[i]!));
      // Scores are shares of 1: near 0 they are exponentials, which multiply what rounding leaves.
      const scores = output.startsWith("scores");
      expect(Math.max(...worst) / (scores ? 1 : largest), output).toBeLessThan(1e-5);
      expect(Math.max(...worst) / largest, output).toBeLessThan(1e-4);
    }
  });
});
