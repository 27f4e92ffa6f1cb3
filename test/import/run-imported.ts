import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Tensor } from "onnxruntime-node";
import {
  importModel,
  type Imported,
  type ImportOptions,
} from "../../src/import/paddle/import-model.js";
import { openSource } from "../../src/import/paddle/source.js";
import { openSession } from "../../src/pipeline/onnx/session.js";
import { concatBytes } from "../../src/pipeline/onnx/wire.js";
import { npyTensor } from "./npy-tensor.js";

const usual: ImportOptions = {
  name: "model",
  opset: 17,
  batch: null,
  size: null,
  form: null,
  keepNorms: false,
  drawSeed: null,
};

export async function importFolder(
  folder: string,
  options: Partial<ImportOptions> = {},
): Promise<Imported> {
  return await importModel(await openSource(folder), { ...usual, ...options });
}

/** Runs an imported model in ONNX Runtime on inputs by place; outputs by place. */
export async function runImported(
  { parts, model }: Imported,
  inputs: readonly Tensor[],
): Promise<Tensor[]> {
  const session = await openSession(concatBytes(parts), "imported");
  try {
    const feeds = model.graph.inputs.map((input, i) => [input.name, inputs[i]!] as const);
    const found = await session.run(Object.fromEntries(feeds));
    return model.graph.outputs.map((output) => found[output.name] as Tensor);
  } finally {
    await session.release();
  }
}

/** `PREFIX0.npy`, `PREFIX1.npy` and so on of a folder. */
export function numbered(folder: string, prefix: string): Tensor[] {
  const tensors: Tensor[] = [];
  for (let i = 0; existsSync(join(folder, `${prefix}${i}.npy`)); i++) {
    tensors.push(npyTensor(join(folder, `${prefix}${i}.npy`)));
  }
  return tensors;
}

/** The largest difference of two tensors, relative to the reference's largest value. */
export function relativeDifference(found: Tensor, reference: Tensor): number {
  const a = Array.from(found.data as Float32Array, Number);
  const b = Array.from(reference.data as Float32Array, Number);
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  const most = (values: readonly number[]): number =>
    values.reduce((max, v) => Math.max(max, Math.abs(v)), 0);
  const difference = most(b.map((v, i) => a[i]! - v));
  return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference / (most(b) || 1);
}
