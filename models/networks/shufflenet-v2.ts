import type { Activation } from "./activations.js";
import { convNorm, flatten, maxPool } from "./blocks.js";
import { mapOf, type ConvSpec, type NetworkBuilder, type Value } from "./network-builder.js";

/** ShuffleNetV2 (Ma et al. 2018): channels of the three stages and of the last convolution. */
export const shuffleWidths: Readonly<Record<string, readonly [number, number, number, number]>> = {
  "0.25": [24, 48, 96, 512],
  "0.33": [32, 64, 128, 512],
  "0.5": [48, 96, 192, 1024],
  "1": [116, 232, 464, 1024],
  "1.5": [176, 352, 704, 1024],
  "2": [244, 488, 976, 2048],
};
const repeats = [4, 8, 4];
const parts = { conv: "_conv", norm: "_batch_norm" };

function layer(
  b: NetworkBuilder,
  x: Value,
  spec: ConvSpec,
  act: Activation | null = "relu",
): Value {
  return convNorm(b, x, { ...spec, act, parts });
}

/** The branch that every block has: 1x1, depthwise, 1x1. */
function deepBranch(
  b: NetworkBuilder,
  x: Value,
  names: readonly string[],
  stride: number,
  half: number,
): Value {
  let y = layer(b, x, { name: names[0]!, out: half });
  y = layer(b, y, { name: names[1]!, out: half, groups: half, kernel: 3, stride }, null);
  return layer(b, y, { name: names[2]!, out: half });
}

/** Halves the map: both branches see all channels. */
function reduce(b: NetworkBuilder, x: Value, name: string, out: number): Value {
  const inside = x.dims[0]!;
  const spec = { name: `${name}._conv_dw_1`, out: inside, groups: inside, kernel: 3, stride: 2 };
  const short = layer(b, layer(b, x, spec, null), { name: `${name}._conv_linear_1`, out: out / 2 });
  const names = ["_conv_pw_2", "_conv_dw_2", "_conv_linear_2"].map((part) => `${name}.${part}`);
  return shuffle(b, b.concat([short, deepBranch(b, x, names, 2, out / 2)]));
}

/** Keeps the size: one half of the channels passes by. */
function keep(b: NetworkBuilder, x: Value, name: string): Value {
  const [channels, height, width] = mapOf(x);
  const half = channels / 2;
  const halves = [half, height, width];
  const split = b.shape([half, half]);
  const spec = { attributes: { axis: 1 }, power: x.power };
  const [left, right] = b.nodeWithOutputs("Split", [x, split], [halves, halves], spec);
  const names = ["_conv_pw", "_conv_dw", "_conv_linear"].map((part) => `${name}.${part}`);
  return shuffle(b, b.concat([left!, deepBranch(b, right!, names, 1, half)]));
}

/** Channels of two groups, taken in turns. */
function shuffle(b: NetworkBuilder, x: Value): Value {
  const [channels, height, width] = mapOf(x);
  const grouped = b.reshape(x, [2, channels / 2, height, width]);
  return b.reshape(b.transpose(grouped, [1, 0, 2, 3]), [channels, height, width]);
}

export function shufflenetV2(
  b: NetworkBuilder,
  x: Value,
  { width, classes }: { width: number; classes: number },
): Value {
  const widths = shuffleWidths[String(width)];
  if (!widths) throw new RangeError(`ShuffleNetV2 has no width ${width}`);
  let y = maxPool(b, layer(b, x, { name: "_conv1", out: 24, kernel: 3, stride: 2 }), 3, 2);
  for (const [s, count] of repeats.entries()) {
    y = reduce(b, y, `${s + 2}_1`, widths[s]!);
    for (let i = 1; i < count; i++) y = keep(b, y, `${s + 2}_${i + 1}`);
  }
  y = layer(b, y, { name: "_last_conv", out: widths[3] });
  return b.linear(flatten(b, b.globalAveragePool(y)), { name: "_fc", out: classes });
}
