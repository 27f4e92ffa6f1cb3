import type { Tensor } from "onnxruntime-node";
import { decodedRoles } from "../../../pipeline/forms/decoded.js";
import type { FormRoles, Output } from "../../../pipeline/forms/detector-form.js";
import { rawRoles } from "../../../pipeline/forms/raw.js";
import type { Chain } from "./chain.js";

/** A detector's outputs as they would be without a mistake of its export's box decoding. */
export function alteredOutputs(
  found: Readonly<Record<string, Tensor>>,
  roles: FormRoles,
  chain: Chain,
  strides: readonly number[],
): ReadonlyMap<string, Output> {
  const outputs = new Map(
    Object.entries(found).map(([name, { data, dims }]) => [
      name,
      { data: data as Float32Array, dims },
    ]),
  );
  const change = (name: string, by: (data: Float32Array) => Float32Array): void => {
    const { data, dims } = outputs.get(name)!;
    outputs.set(name, { data: by(data), dims });
  };
  for (const { scores, distances, columns, rows } of rawRoles(roles)?.levels ?? []) {
    if (chain.sigmoid) change(scores, sigmoid);
    const order = cellOrder(chain, columns, rows);
    for (const name of [scores, distances]) {
      if (chain.heads === "transposed") change(name, (data) => turned(data, columns * rows));
      if (order !== null) change(name, (data) => cellsBy(data, order));
    }
  }
  const boxes = decodedRoles(roles);
  if (boxes && chain.sigmoid) change(boxes.scores, sigmoid);
  if (boxes && chain.centreShift !== 0)
    change(boxes.boxes, (data) => shifted(data, chain, strides));
  return outputs;
}

/** Where the cells of a grid lie that was walked down first; null where it was not. */
function cellOrder({ heads }: Chain, columns: number, rows: number): number[] | null {
  if (heads !== "grid transposed") return null;
  return Array.from(
    { length: columns * rows },
    (_, i) => (i % columns) * rows + Math.floor(i / columns),
  );
}

function sigmoid(data: Float32Array): Float32Array {
  return data.map((x) => 1 / (1 + Math.exp(-x)));
}

/** [cells, channels] out of what lies there as [channels, cells]. */
function turned(data: Float32Array, cells: number): Float32Array {
  const channels = data.length / cells;
  return data.map((_, i) => data[(i % channels) * cells + Math.floor(i / channels)]!);
}

function cellsBy(data: Float32Array, order: readonly number[]): Float32Array {
  const channels = data.length / order.length;
  return data.map((_, i) => data[order[Math.floor(i / channels)]! * channels + (i % channels)]!);
}

/** Boxes moved by a share of the stride of the level that their anchor belongs to. */
function shifted(data: Float32Array, chain: Chain, strides: readonly number[]): Float32Array {
  const { width, height, centreShift } = chain;
  const of = strides.flatMap((stride) => {
    const cells = Math.ceil(width / stride) * Math.ceil(height / stride);
    return new Array<number>(cells).fill(stride);
  });
  return data.map((x, i) => x + centreShift * (of[i >> 2] ?? 0));
}
