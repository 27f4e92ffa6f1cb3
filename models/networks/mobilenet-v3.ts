import type { Activation } from "./activations.js";
import { convNorm, divisible, flatten, keptByDropout, squeezeExcite } from "./blocks.js";
import type { NetworkBuilder, Value } from "./network-builder.js";

/** MobileNetV3 (Howard et al. 2019): blocks of [kernel, inside, out, SE, activation, stride]. */
type Block = readonly [number, number, number, boolean, Activation, number];
const swish = "hard-swish";
export type V3Size = "large" | "small";
export const v3Blocks: Readonly<Record<V3Size, readonly Block[]>> = {
  large: [
    [3, 16, 16, false, "relu", 1],
    [3, 64, 24, false, "relu", 2],
    [3, 72, 24, false, "relu", 1],
    [5, 72, 40, true, "relu", 2],
    [5, 120, 40, true, "relu", 1],
    [5, 120, 40, true, "relu", 1],
    [3, 240, 80, false, swish, 2],
    [3, 200, 80, false, swish, 1],
    [3, 184, 80, false, swish, 1],
    [3, 184, 80, false, swish, 1],
    [3, 480, 112, true, swish, 1],
    [3, 672, 112, true, swish, 1],
    [5, 672, 160, true, swish, 2],
    [5, 960, 160, true, swish, 1],
    [5, 960, 160, true, swish, 1],
  ],
  small: [
    [3, 16, 16, true, "relu", 2],
    [3, 72, 24, false, "relu", 2],
    [3, 88, 24, false, "relu", 1],
    [5, 96, 40, true, swish, 2],
    [5, 240, 40, true, swish, 1],
    [5, 240, 40, true, swish, 1],
    [5, 120, 48, true, swish, 1],
    [5, 144, 48, true, swish, 1],
    [5, 288, 96, true, swish, 2],
    [5, 576, 96, true, swish, 1],
    [5, 576, 96, true, swish, 1],
  ],
};
const lastInside: Readonly<Record<V3Size, number>> = { large: 960, small: 576 };

export interface V3Spec {
  readonly size: V3Size;
  readonly width: number;
}

export interface V3Block extends V3Spec {
  readonly name: string;
  readonly block: Block;
}

/**
 * Expansion, depthwise convolution, squeeze-excite, linear projection, and a skip where it fits.
 */
export function v3Block(b: NetworkBuilder, x: Value, { name, width, block }: V3Block): Value {
  const [kernel, grown, channels, squeeze, act, stride] = block;
  const inside = divisible(grown * width);
  const out = divisible(channels * width);
  let y = convNorm(b, x, { name: `${name}.expand_conv`, out: inside, act });
  const deep = { name: `${name}.bottleneck_conv`, out: inside, groups: inside, kernel, stride };
  y = convNorm(b, y, { ...deep, act });
  if (squeeze) y = squeezeExcite(b, y, { name: `${name}.mid_se`, slope: 0.2 });
  y = convNorm(b, y, { name: `${name}.linear_conv`, out, act: null });
  return stride === 1 && x.dims[0] === out ? b.add(x, y) : y;
}

export function mobilenetV3(
  b: NetworkBuilder,
  x: Value,
  spec: V3Spec & { classes: number },
): Value {
  const { size, width, classes } = spec;
  let y = convNorm(b, x, {
    name: "conv",
    out: divisible(16 * width),
    kernel: 3,
    stride: 2,
    act: swish,
  });
  for (const [i, block] of v3Blocks[size].entries()) {
    y = v3Block(b, y, { size, width, block, name: `blocks.${i}` });
  }
  y = convNorm(b, y, {
    name: "last_second_conv",
    out: divisible(lastInside[size] * width),
    act: swish,
  });
  y = b.conv(b.globalAveragePool(y), { name: "last_conv", out: 1280 });
  y = flatten(b, keptByDropout(b, b.activate(y, swish), 0.8));
  return b.linear(y, { name: "fc", out: classes });
}
