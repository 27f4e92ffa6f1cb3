import {
  convNorm,
  divisible,
  flatten,
  keptByDropout,
  squeezeExcite,
  type ConvNormSpec,
} from "./blocks.js";
import type { NetworkBuilder, Value } from "./network-builder.js";

/** PP-LCNet (Cui et al. 2021a; section 2.1, Figure 3). Stages of [kernel, channels, stride, SE]. */
type Block = readonly [kernel: number, channels: number, stride: number, squeeze: boolean];
const stages: readonly (readonly Block[])[] = [
  [[3, 32, 1, false]],
  [
    [3, 64, 2, false],
    [3, 64, 1, false],
  ],
  [
    [3, 128, 2, false],
    [3, 128, 1, false],
  ],
  [[3, 256, 2, false], ...Array<Block>(5).fill([5, 256, 1, false])],
  [
    [5, 512, 2, true],
    [5, 512, 1, true],
  ],
];

/** The maps behind each of the five stages, at 1/2, 1/4, 1/8, 1/16 and 1/32 of the picture. */
export function ppLcnetStages(b: NetworkBuilder, x: Value, width: number, prefix = ""): Value[] {
  const act = "hard-swish";
  let y = convNorm(b, x, {
    name: `${prefix}conv1`,
    out: divisible(16 * width),
    kernel: 3,
    stride: 2,
    act,
  });
  return stages.map((stage, s) => {
    for (const [i, [kernel, channels, stride, squeeze]] of stage.entries()) {
      const name = `${prefix}blocks${s + 2}.${i}`;
      const deep: ConvNormSpec = {
        name: `${name}.dw_conv`,
        out: y.dims[0]!,
        groups: y.dims[0]!,
        kernel,
        stride,
        act,
      };
      y = convNorm(b, y, deep);
      if (squeeze) y = squeezeExcite(b, y, { name: `${name}.se`, slope: 1 / 6 });
      y = convNorm(b, y, { name: `${name}.pw_conv`, out: divisible(channels * width), act });
    }
    return y;
  });
}

/** Mean over places, 1x1 convolution to 1280, h-swish: what classifier and recogniser end with. */
export function ppLcnetFeatures(b: NetworkBuilder, x: Value, width: number, prefix = ""): Value {
  const last = ppLcnetStages(b, x, width, prefix).at(-1)!;
  const grown = b.conv(b.globalAveragePool(last), { name: `${prefix}last_conv`, out: 1280 });
  return flatten(b, keptByDropout(b, b.activate(grown, "hard-swish"), 0.8));
}

export function ppLcnet(
  b: NetworkBuilder,
  x: Value,
  { width, classes }: { width: number; classes: number },
): Value {
  return b.linear(ppLcnetFeatures(b, x, width), { name: "fc", out: classes });
}
