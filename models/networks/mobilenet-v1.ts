import { convNorm, flatten } from "./blocks.js";
import type { NetworkBuilder, Value } from "./network-builder.js";

/** MobileNetV1 (Howard et al. 2017): depthwise separable blocks of [channels, stride]. */
const blocks: readonly (readonly [channels: number, stride: number])[] = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  ...Array<readonly [number, number]>(5).fill([512, 1]),
  [1024, 2],
  [1024, 1],
];

export function mobilenetV1(
  b: NetworkBuilder,
  x: Value,
  { width, classes }: { width: number; classes: number },
): Value {
  const act = "relu";
  let y = convNorm(b, x, { name: "conv", out: Math.floor(32 * width), kernel: 3, stride: 2, act });
  for (const [i, [channels, stride]] of blocks.entries()) {
    const inside = y.dims[0]!;
    const deep = {
      name: `blocks.${i}.depthwise_conv`,
      out: inside,
      groups: inside,
      kernel: 3,
      stride,
    };
    y = convNorm(b, y, { ...deep, act });
    y = convNorm(b, y, {
      name: `blocks.${i}.pointwise_conv`,
      out: Math.floor(channels * width),
      act,
    });
  }
  return b.linear(flatten(b, b.globalAveragePool(y)), { name: "fc", out: classes });
}
