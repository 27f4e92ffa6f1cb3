import type { DType } from "../../pipeline/onnx/read-tensor.js";
import type { Shape, ValueType } from "./values.js";

/** Results of one element type and shape. */
export const shaped = (dtype: DType, shape: Shape | null): ValueType[] => [{ dtype, shape }];

/** The shape of an elementwise result, as numpy broadcasts. */
export function broadcast(shapes: readonly (Shape | null)[]): Shape | null {
  if (shapes.some((s) => s === null)) return null;
  const known = shapes as readonly Shape[];
  const rank = Math.max(...known.map((s) => s.length));
  return Array.from({ length: rank }, (_, place) => {
    const reaching = known.filter((s) => place - rank + s.length >= 0);
    const dims = reaching.map((s) => s[place - rank + s.length]!).filter((d) => d !== 1);
    const number = dims.find((d) => typeof d === "number");
    return number ?? (dims.length === 0 ? 1 : (dims.find((d) => d !== null) ?? null));
  });
}
