import { floatTensor } from "../../src/pipeline/onnx/write-model.js";
import type { Activation } from "./activations.js";
import { convNorm, maxPool, type ConvNormSpec } from "./blocks.js";
import { mapOf, type NetworkBuilder, type Value } from "./network-builder.js";

/** Blocks that the necks of PP-YOLO, PP-YOLOv2 and PP-YOLO tiny share. */

const parts = { conv: "conv", norm: "batch_norm" };

export function yoloConv(b: NetworkBuilder, x: Value, spec: Omit<ConvNormSpec, "parts">): Value {
  return convNorm(b, x, { ...spec, parts });
}

/**
 * Spatial pyramid pooling: the map beside its largest values over 5, 9 and 13 places, and a 1x1.
 */
export function pyramidPool(
  b: NetworkBuilder,
  x: Value,
  spec: { name: string; out: number; act: Activation },
): Value {
  const pooled = [5, 9, 13].map((kernel) => maxPool(b, x, kernel, 1));
  return yoloConv(b, b.concat([x, ...pooled]), { ...spec, name: `${spec.name}.conv` });
}

/**
 * A convolution that sees where it is (CoordConv, Liu et al. 2018): two more channels hold x and y.
 * They run from -1 to -0.5, as PaddleDetection's `add_coord` makes them.
 */
export function coordConv(b: NetworkBuilder, x: Value, spec: Omit<ConvNormSpec, "parts">): Value {
  const [, rows, columns] = mapOf(x);
  const along = (place: number, length: number): number => place / ((length - 1) * 2) - 1;
  const planes = new Float32Array(2 * rows * columns);
  for (let cell = 0; cell < rows * columns; cell++) {
    planes[cell] = along(cell % columns, columns);
    planes[rows * columns + cell] = along(Math.floor(cell / columns), rows);
  }
  const name = b.constant(floatTensor(`places ${rows}x${columns}`, [1, 2, rows, columns], planes));
  const places: Value = { name, dims: [2, rows, columns], power: 0.5 };
  return yoloConv(b, b.concat([x, places]), { ...spec, name: `${spec.name}.conv` });
}
