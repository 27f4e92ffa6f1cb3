import type { Activation } from "./activations.js";
import { convNorm, flatten } from "./blocks.js";
import type { ConvSpec, NetworkBuilder, Value } from "./network-builder.js";

/**
 * MobileNetV2 (Sandler et al. 2018) as PaddleClas has it: its first block keeps an expansion by 1,
 * which the network's own paper lacks. Groups of [expansion, channels, repeats, stride].
 */
const groups: readonly (readonly [number, number, number, number])[] = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
];
const parts = { conv: "_conv", norm: "_batch_norm" };

export function mobilenetV2(
  b: NetworkBuilder,
  x: Value,
  { width, classes }: { width: number; classes: number },
): Value {
  const wide = (channels: number): number => Math.floor(channels * width);
  const layer = (y: Value, spec: ConvSpec, act: Activation | null = "relu6"): Value =>
    convNorm(b, y, { ...spec, act, parts });
  let y = layer(x, { name: "conv1", out: wide(32), kernel: 3, stride: 2 });
  for (const [g, [expansion, channels, repeats, firstStride]] of groups.entries()) {
    for (let i = 0; i < repeats; i++) {
      const name = `conv${g + 2}.${i === 0 ? "_first_block" : `conv${g + 2}_${i + 1}`}`;
      const stride = i === 0 ? firstStride : 1;
      const inside = y.dims[0]! * expansion;
      let z = layer(y, { name: `${name}._expand_conv`, out: inside });
      z = layer(z, {
        name: `${name}._bottleneck_conv`,
        out: inside,
        groups: inside,
        kernel: 3,
        stride,
      });
      z = layer(z, { name: `${name}._linear_conv`, out: wide(channels) }, null);
      y = i === 0 ? z : b.add(y, z);
    }
  }
  y = layer(y, { name: "conv9", out: width > 1 ? wide(1280) : 1280 });
  return b.linear(flatten(b, b.globalAveragePool(y)), { name: "out", out: classes });
}
