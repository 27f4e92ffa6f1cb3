import { readFileSync } from "node:fs";
import { Tensor } from "onnxruntime-node";

/** Reads an `.npy` file that numpy wrote (version 1, little endian, C order) as a tensor. */
export function npyTensor(file: string): Tensor {
  const bytes = readFileSync(file);
  const length = bytes.readUInt16LE(8);
  const header = bytes.subarray(10, 10 + length).toString("latin1");
  const type = /'descr': '(.*?)'/.exec(header)?.[1];
  const shape = /'shape': \(([^)]*)\)/.exec(header)?.[1] ?? "";
  const dims = [...shape.matchAll(/\d+/g)].map(([digits]) => Number(digits));
  const raw = new Uint8Array(bytes.subarray(10 + length)).buffer;
  if (type === "<f4") return new Tensor("float32", new Float32Array(raw), dims);
  if (type === "<i4") return new Tensor("int32", new Int32Array(raw), dims);
  if (type === "<i8") return new Tensor("int64", new BigInt64Array(raw), dims);
  throw new Error(`${file} holds ${type}`);
}
