import { UserError } from "../../src/pipeline/errors.js";
import type { Vectors } from "../../src/pipeline/types.js";

/**
 * Every value must be a finite number: one NaN makes every comparison with its row false, silently.
 *
 * @throws UserError `vector-not-finite` with the first such row and column, and how many there are.
 */
export function requireFinite({ data, dim }: Vectors, file?: string): void {
  let first = -1;
  let count = 0;
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (value - value !== 0) {
      if (first < 0) first = i;
      count++;
    }
  }
  if (first < 0) return;
  throw new UserError({
    code: "vector-not-finite",
    message: `${count} of ${data.length} values are not finite numbers`,
    ...(file !== undefined && { file }),
    path: `row ${Math.floor(first / dim)}, column ${first % dim}`,
    expected: "finite float32 values",
    found: String(data[first]),
    fix:
      "look at the picture of that row: an overflow in float16, or a division by a zero " +
      "norm, makes such values",
  });
}
