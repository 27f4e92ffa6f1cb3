import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { Tensor, type InferenceSession } from "onnxruntime-node";
import { readNpy, type NpyArray } from "../../../datasets/formats/npy.js";
import { UserError } from "../../pipeline/errors.js";
import type { OnnxModel } from "../../pipeline/onnx/read-model.js";
import { snrDb } from "./agreement/vectors.js";
import type { Change } from "./change.js";
import { floors } from "./layers/divergence.js";
import { ValueTracer, type TracedValue } from "./layers/trace-values.js";

/**
 * Tensors that another framework gave for a model, beside what its export gives on the same inputs:
 * `x0.npy`, `x1.npy` ... are the graph's inputs and `y0.npy` ... its outputs by place; any other
 * `NAME.npy` is the value of that name (`%2F` stands for a slash).
 */

export interface DumpRow {
  readonly file: string;
  /** In the graph. */
  readonly value: string;
  readonly shape: readonly number[];
  /** Signal to noise; null where the tensor holds no signal, or sizes differ. */
  readonly db: number | null;
  /** The largest difference over the dump's largest value; null where sizes differ. */
  readonly relative: number | null;
  readonly fine: boolean;
}

export interface DumpComparison {
  readonly sentence: string;
  readonly healthy: boolean;
  readonly floorDb: number;
  readonly rows: readonly DumpRow[];
  /** Dumps whose value the graph does not have: fused, or named otherwise. */
  readonly unknown: readonly string[];
}

/** Whether a path is a folder of such tensors. */
export function isDumpFolder(path: string): boolean {
  if (!existsSync(path) || !statSync(path).isDirectory()) return false;
  return readdirSync(path).some((name) => name.endsWith(".npy"));
}

/**
 * Runs a model on dumped inputs and holds its values beside the dumped ones.
 * @throws UserError `dump-inputs` where an input is missing or of another type, `dump-empty` where
 *   there is nothing to compare, and those of reading tensors and running the model.
 */
export async function compareDumps(
  folder: string,
  model: OnnxModel,
  change: Change,
): Promise<DumpComparison> {
  const files = readdirSync(folder).filter((name) => name.endsWith(".npy"));
  const { inputs, outputs, nodes } = model.graph;
  const feeds = await feedsOf(folder, model);
  const computed = new Set(nodes.flatMap((node) => node.outputs));
  const named = files
    .filter((name) => !/^x\d+\.npy$/.test(name) && !inputs.some((i) => `${i.name}.npy` === name))
    .map((file) => ({ file, value: valueOf(file, outputs) }));
  const known = named.filter(({ value }) => computed.has(value));
  if (known.length === 0) {
    throw new UserError({
      code: "dump-empty",
      message: "no tensor of the folder is a value of the model",
      file: folder,
      expected: `y0.npy to y${outputs.length - 1}.npy, or NAME.npy of a value`,
      found: named.map(({ file }) => file).join(", ") || "inputs alone",
      fix: "dump the outputs of the same run",
    });
  }
  const tracer = await ValueTracer.open(model, [...new Set(known.map((k) => k.value))]);
  try {
    const found = await tracer.run(feeds);
    const rows: DumpRow[] = [];
    for (const { file, value } of known) {
      const reference = await readNpy(join(folder, file));
      rows.push(rowOf({ file, value }, reference, found.get(value)!, floors[change]));
    }
    const order = new Map([...computed].map((name, i) => [name, i]));
    rows.sort((a, b) => order.get(a.value)! - order.get(b.value)!);
    const unknown = named.filter(({ value }) => !computed.has(value)).map(({ file }) => file);
    return { ...told(rows, floors[change]), floorDb: floors[change], rows, unknown };
  } finally {
    await tracer.close();
  }
}

/** `y0.npy` is the first output; another name is a value's own. */
function valueOf(file: string, outputs: OnnxModel["graph"]["outputs"]): string {
  const place = /^y(\d+)\.npy$/.exec(file)?.[1];
  if (place !== undefined) return outputs[Number(place)]?.name ?? file;
  return decodeURIComponent(basename(file, ".npy"));
}

async function feedsOf(
  folder: string,
  { graph, file }: OnnxModel,
): Promise<InferenceSession.FeedsType> {
  const feeds: Record<string, Tensor> = {};
  for (const [place, { name, dtype }] of graph.inputs.entries()) {
    const path = [`${name}.npy`, `x${place}.npy`]
      .map((n) => join(folder, n))
      .find((p) => existsSync(p));
    if (path === undefined) throw noInput(folder, name, place);
    feeds[name] = tensorOf(await readNpy(path), dtype, path, file);
  }
  return feeds;
}

function noInput(folder: string, name: string, place: number): UserError {
  return new UserError({
    code: "dump-inputs",
    message: "the folder lacks an input of the model",
    file: folder,
    expected: `x${place}.npy or ${name}.npy`,
    fix: "dump the tensors that the model was fed",
  });
}

function tensorOf(
  { data, shape }: NpyArray,
  dtype: string | null,
  path: string,
  model: string,
): Tensor {
  const dims = [...shape];
  if (dtype === "float32") return new Tensor("float32", Float32Array.from(data), dims);
  if (dtype === "int32") return new Tensor("int32", Int32Array.from(data), dims);
  if (dtype === "int64") {
    return new Tensor("int64", BigInt64Array.from(Array.from(data, (v) => BigInt(v))), dims);
  }
  throw new UserError({
    code: "dump-inputs",
    message: "tensors of this type cannot be fed",
    file: path,
    expected: "float32, int32 or int64",
    found: `${dtype ?? "no type"} in ${model}`,
    fix: "compare an export whose inputs are of these types",
  });
}

function rowOf(
  names: Pick<DumpRow, "file" | "value">,
  { data, shape }: NpyArray,
  found: TracedValue,
  floorDb: number,
): DumpRow {
  const head = { ...names, shape };
  if (found.data.length !== data.length) {
    return { ...head, db: null, relative: null, fine: false };
  }
  let most = 0;
  let difference = 0;
  for (let i = 0; i < data.length; i++) {
    most = Math.max(most, Math.abs(data[i]!));
    const apart = Math.abs(found.data[i]! - data[i]!);
    difference = Number.isNaN(apart) ? Infinity : Math.max(difference, apart);
  }
  const db = snrDb(data, found.data);
  const relative = most === 0 ? difference : difference / most;
  // A tensor without signal is fine where the export gives none either.
  return { ...head, db, relative, fine: db === null ? difference === 0 : db >= floorDb };
}

function told(
  rows: readonly DumpRow[],
  floorDb: number,
): Pick<DumpComparison, "sentence" | "healthy"> {
  const first = rows.find((row) => !row.fine);
  const worst = rows.reduce((most, row) => Math.max(most, row.relative ?? Infinity), 0);
  if (!first) {
    const most = `${worst.toExponential(1)} of the largest value`;
    const sentence = `all ${rows.length} tensors agree: differences up to ${most}`;
    return { sentence, healthy: true };
  }
  const how =
    first.relative === null
      ? "has another size"
      : `agrees to ${first.db === null ? "-" : first.db.toFixed(1)} dB where ${floorDb} are usual`;
  return { sentence: `${first.file}: ${first.value} ${how}`, healthy: false };
}
