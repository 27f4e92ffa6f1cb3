import { concatBytes, integerField } from "../../src/pipeline/onnx/wire.js";
import type { Parameter, Parameters } from "../../src/import/paddle/read-parameters.js";

/** Writes parameters as Paddle's `save_combine` does, for graphs that came without. */

const paddleTypes: Readonly<Record<string, number>> = {
  bool: 0,
  int16: 1,
  int32: 2,
  int64: 3,
  float16: 4,
  float32: 5,
  float64: 6,
  uint8: 20,
  int8: 21,
};

export function combinedParameters(parameters: Parameters): Uint8Array {
  return concatBytes([...parameters.values()].map(parameterBytes));
}

export function parameterBytes({ dtype, dims, raw }: Parameter): Uint8Array {
  const desc = concatBytes([
    integerField(1, paddleTypes[dtype]!),
    ...dims.map((d) => integerField(2, d)),
  ]);
  const head = new DataView(new ArrayBuffer(20));
  head.setInt32(16, desc.length, true);
  // Version, levels of detail (none), version: all zero, then the description's length.
  return concatBytes([new Uint8Array(head.buffer), desc, raw]);
}
