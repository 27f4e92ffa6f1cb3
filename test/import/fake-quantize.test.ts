import { Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { buildModel } from "../../src/import/paddle/build-model.js";
import type { AttributeValue, Program, Variable } from "../../src/import/paddle/program.js";
import type { Parameter } from "../../src/import/paddle/read-parameters.js";
import { openSession } from "../../src/pipeline/onnx/session.js";
import { concatBytes } from "../../src/pipeline/onnx/wire.js";
import { modelParts } from "../../src/pipeline/onnx/write-model.js";

/**
 * Paddle's older quantisation, one operator a program. The expected numbers are what PaddlePaddle
 * 3.3.1 gives (`paddle._C_ops`, with `is_test`).
 */

const x = [-9, -1, -0.37, 0.011, 0.5, 0.999, 3];
const weights = [0.5, -1, 0.26, 2, 0.3, -4];

function parameter(name: string, values: number[], dims: number[]): Parameter {
  const raw = new Uint8Array(Float32Array.from(values).buffer);
  return { name, dtype: "float32", dims, raw };
}

async function run(
  type: string,
  attributes: Readonly<Record<string, AttributeValue>>,
  input: { readonly values: number[]; readonly shape: number[] },
  scale: { readonly slot: string; readonly value: number } | null,
): Promise<number[]> {
  const variable = (name: string, shape: number[], persistable = false): Variable => ({
    name,
    dtype: "float32",
    shape,
    persistable,
  });
  const parameters = new Map(
    scale ? [["scale", parameter("scale", [scale.value], [1])] as const] : [],
  );
  const held = scale ? [variable("scale", [1], true)] : [];
  const operator = {
    type,
    inputs: new Map([["X", ["x"]], ...(scale ? [[scale.slot, ["scale"]] as const] : [])]),
    outputs: new Map([
      ["Out", ["out"]],
      ["OutScale", ["out_scale"]],
    ]),
    attributes: new Map(Object.entries({ bit_length: 8, is_test: true, ...attributes })),
    place: "operator 0 of block 0",
  };
  const variables = [variable("x", input.shape), variable("out", input.shape), ...held];
  const program: Program = {
    format: "ProgramDesc",
    file: "hand-made",
    blocks: [{ variables: new Map(variables.map((v) => [v.name, v])), operators: [operator] }],
    feeds: [variables[0]!],
    fetches: ["out"],
    parameters: held,
  };
  const options = { opset: 17, sizes: { batch: null, fixed: new Map() }, keepNorms: false };
  const { model } = await buildModel(program, parameters, options);
  const session = await openSession(concatBytes(modelParts(model)), "hand-made");
  try {
    const tensor = new Tensor("float32", Float32Array.from(input.values), input.shape);
    const found = await session.run({ [session.inputNames[0]!]: tensor });
    return Array.from(found[session.outputNames[0]!]!.data as Float32Array);
  } finally {
    await session.release();
  }
}

const activations = { values: x, shape: [1, 7] };
const matrix = { values: weights, shape: [2, 3] };
const inScale = { slot: "InScale", value: 1 };
const close = (found: number[], expected: number[]): void => {
  expect(found).toHaveLength(expected.length);
  found.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 6));
};

describe("Paddle's older quantisation", () => {
  const steps = [-47, 1, 64, 127, 127];

  it.each(["fake_quantize_moving_average_abs_max", "fake_quantize_range_abs_max"])(
    "%s hands integers on as floats",
    async (type) => {
      close(await run(type, {}, activations, inScale), [-127, -127, ...steps]);
      close(await run(type, { round_type: 0 }, activations, inScale), [-128, -127, ...steps]);
    },
  );

  it("fake_quantize_dequantize_moving_average_abs_max gives multiples of a step", async () => {
    const type = "fake_quantize_dequantize_moving_average_abs_max";
    const expected = [-127, -127, ...steps].map((n) => n / 127);
    close(await run(type, {}, activations, inScale), expected);
  });

  it("fake_quantize_dequantize_abs_max finds the scale of weights", async () => {
    const found = await run("fake_quantize_dequantize_abs_max", {}, matrix, null);
    close(found, [0.503937, -1.007874, 0.2519685, 2.015748, 0.31496063, -4]);
  });

  it("fake_channel_wise_quantize_dequantize_abs_max finds one a channel", async () => {
    const type = "fake_channel_wise_quantize_dequantize_abs_max";
    const found = await run(type, { quant_axis: 0 }, matrix, null);
    close(found, [0.503937, -1, 0.25984251, 2.015748, 0.31496063, -4]);
  });

  it("fake_dequantize_max_abs multiplies by a step", async () => {
    const input = { values: [127, -64], shape: [1, 2] };
    const scale = { slot: "Scale", value: 2 };
    close(await run("fake_dequantize_max_abs", { max_range: 127 }, input, scale), [2, -1.007874]);
  });
});
