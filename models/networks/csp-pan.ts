import type { Activation } from "./activations.js";
import { convNorm, upsample } from "./blocks.js";
import type { NetworkBuilder, Value } from "./network-builder.js";

/** PP-PicoDet's neck: PAN (Liu et al. 2018) of CSP blocks (Wang et al. 2020a). */
export interface CspPanSpec {
  readonly channels: number;
  readonly act: Activation;
  /** Of the depthwise convolutions: 5 in the paper, 3 in the detector that was released. */
  readonly neckKernel: 3 | 5;
}

/** Depthwise and pointwise convolution, an activation behind each. */
function separable(
  b: NetworkBuilder,
  x: Value,
  name: string,
  spec: CspPanSpec & { stride: number },
): Value {
  const { act, stride, neckKernel: kernel } = spec;
  const channels = x.dims[0]!;
  const deep = b.conv(x, {
    name: `${name}.dwconv`,
    out: channels,
    groups: channels,
    kernel,
    stride,
  });
  const y = b.activate(b.batchNorm(deep, `${name}.bn1`), act);
  const mixed = b.conv(y, { name: `${name}.pwconv`, out: channels });
  return b.activate(b.batchNorm(mixed, `${name}.bn2`), act);
}

/** Cross stage partial: one half of the channels through a bottleneck, the other beside it. */
function crossStage(b: NetworkBuilder, x: Value, name: string, spec: CspPanSpec): Value {
  const { channels, act } = spec;
  const half = channels / 2;
  const short = convNorm(b, x, { name: `${name}.short_conv`, out: half, act });
  let main = convNorm(b, x, { name: `${name}.main_conv`, out: half, act });
  main = convNorm(b, main, { name: `${name}.blocks.0.conv1`, out: half, act });
  main = separable(b, main, `${name}.blocks.0.conv2`, { ...spec, stride: 1 });
  return convNorm(b, b.concat([main, short]), { name: `${name}.final_conv`, out: channels, act });
}

/** From maps at strides 8, 16 and 32 to maps of equal depth at 8, 16, 32 and 64. */
export function cspPan(b: NetworkBuilder, maps: readonly Value[], spec: CspPanSpec): Value[] {
  const { channels, act } = spec;
  const [small, middle, large] = maps.map((map, i) =>
    convNorm(b, map, { name: `neck.conv_t.convs.${i}`, out: channels, act }),
  ) as [Value, Value, Value];
  const down = (x: Value, name: string): Value =>
    separable(b, x, `neck.${name}`, { ...spec, stride: 2 });
  const join = (parts: readonly Value[], name: string): Value =>
    crossStage(b, b.concat(parts), `neck.${name}`, spec);

  const inner = join([upsample(b, large), middle], "top_down_blocks.0");
  const first = join([upsample(b, inner), small], "top_down_blocks.1");
  const second = join([down(first, "downsamples.0"), inner], "bottom_up_blocks.0");
  const third = join([down(second, "downsamples.1"), large], "bottom_up_blocks.1");
  const fourth = b.add(down(large, "first_top_conv"), down(third, "second_top_conv"));
  return [first, second, third, fourth];
}
