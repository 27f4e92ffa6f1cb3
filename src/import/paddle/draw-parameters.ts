import { bytesPerElement } from "../../pipeline/onnx/read-tensor.js";
import { rawOf } from "../../pipeline/onnx/write-model.js";
import { uniform } from "../../pipeline/seeded-random.js";
import { elementsOf } from "../graph/values.js";
import type { Program } from "./program.js";
import type { Parameter, Parameters } from "./read-parameters.js";

/**
 * Parameters for a graph that came without: drawn by shape, so that it can be counted and timed,
 * never so that it recognises anything. Weights are uniform with a variance of 2 / fan in, which
 * keeps values in range through many layers; variances of batch norms are positive.
 */
export function drawParameters(program: Program, seed: number): Parameters {
  const next = uniform(seed);
  const roles = rolesOf(program);
  const drawn = program.parameters.map(({ name, dtype, shape }): Parameter => {
    const dims = (shape ?? []).map((d) => Math.max(1, d));
    const role = roles.get(name) ?? "weight";
    if (dtype !== "float32") {
      const width = bytesPerElement[dtype ?? "float32"] ?? 4;
      const raw = new Uint8Array(elementsOf(dims) * width);
      return { name, dtype: dtype ?? "float32", dims, raw };
    }
    const draw = drawers[role];
    const values = Float32Array.from({ length: elementsOf(dims) }, () => draw(next(), dims));
    return { name, dtype, dims, raw: rawOf(values) };
  });
  return new Map(drawn.map((parameter) => [parameter.name, parameter]));
}

type Role = "weight" | "bias" | "scale" | "variance";

const drawers: Readonly<Record<Role, (u: number, dims: readonly number[]) => number>> = {
  weight: (u, dims) => (2 * u - 1) * Math.sqrt(6 / fanIn(dims)),
  bias: (u) => (u - 0.5) / 5,
  scale: (u) => 0.75 + u / 2,
  variance: (u) => 0.5 + u,
};

/** Of a convolution [out, in, h, w]; of a matrix [in, out]. */
function fanIn(dims: readonly number[]): number {
  if (dims.length === 2) return dims[0]!;
  return Math.max(1, elementsOf(dims.slice(1)));
}

/** What operators use a parameter for. */
function rolesOf(program: Program): Map<string, Role> {
  const roles = new Map<string, Role>();
  const slots: Readonly<Record<string, Role>> = {
    Bias: "bias",
    Mean: "bias",
    Scale: "scale",
    Variance: "variance",
  };
  for (const operator of program.blocks.flatMap((block) => block.operators)) {
    for (const [slot, names] of operator.inputs) {
      const sum = operator.type === "elementwise_add" && slot === "Y";
      const role = sum ? "bias" : slots[slot];
      for (const name of names) if (role) roles.set(name, role);
    }
  }
  return roles;
}
