import { convNorm, flatten, maxPool } from "./blocks.js";
import { mapOf, type NetworkBuilder, type Value } from "./network-builder.js";

/** ResNet50 (He et al. 2016), as it is or with the stem and shortcuts of "vd" (He et al. 2019). */
export interface ResNetSpec {
  readonly version: "plain" | "vd";
  /** 1: the last stage keeps the size of its maps, the footnote of the paper's Table 5. */
  readonly lastStride: 1 | 2;
  /** Before the names of all tensors. */
  readonly prefix?: string;
}

const depths = [3, 4, 6, 3];

/** The mean of 2 x 2 places, the last row and column of fewer where the stride is 1. */
export function meanOfFour(b: NetworkBuilder, x: Value, stride: number): Value {
  const [channels, height, width] = mapOf(x);
  const pad = stride === 1 ? 1 : 0;
  return b.node("AveragePool", [x], {
    attributes: {
      kernel_shape: [2, 2],
      strides: [stride, stride],
      pads: [0, 0, pad, pad],
      count_include_pad: 0,
    },
    dims: [channels, Math.floor(height / stride), Math.floor(width / stride)],
    power: 0.5 * x.power,
  });
}

function stem(b: NetworkBuilder, x: Value, { version, prefix = "" }: ResNetSpec): Value {
  const layer = (y: Value, place: number, out: number, kernel: number): Value =>
    convNorm(b, y, {
      name: `${prefix}stem.${place}`,
      out,
      kernel,
      stride: place === 0 ? 2 : 1,
      act: "relu",
    });
  if (version === "plain") return layer(x, 0, 64, 7);
  return layer(layer(layer(x, 0, 32, 3), 1, 32, 3), 2, 64, 3);
}

interface BottleneckSpec {
  readonly name: string;
  readonly inside: number;
  readonly stride: number;
  /**
   * How the input comes to the output's shape: as it is, by a strided 1x1, or by a mean and a 1x1.
   */
  readonly shortcut: "identity" | "strided" | "mean";
}

function bottleneck(
  b: NetworkBuilder,
  x: Value,
  { name, inside, stride, shortcut }: BottleneckSpec,
): Value {
  const act = "relu";
  let y = convNorm(b, x, { name: `${name}.conv0`, out: inside, act });
  y = convNorm(b, y, { name: `${name}.conv1`, out: inside, kernel: 3, stride, act });
  y = convNorm(b, y, { name: `${name}.conv2`, out: 4 * inside, act: null });
  if (shortcut === "identity") return rectifiedSum(b, y, x);
  const short = shortcut === "mean" ? meanOfFour(b, x, stride) : x;
  const shortStride = shortcut === "mean" ? 1 : stride;
  const spec = { name: `${name}.short`, out: 4 * inside, stride: shortStride, act: null };
  return rectifiedSum(b, y, convNorm(b, short, spec));
}

/** What passes by is not negative, so that its mean square stays behind the rectifier. */
export function rectifiedSum(b: NetworkBuilder, y: Value, short: Value): Value {
  const sum = b.add(y, short);
  return b.node("Relu", [sum], { dims: sum.dims, power: sum.power });
}

function stageStride(stage: number, lastStride: 1 | 2): 1 | 2 {
  if (stage === 0) return 1;
  return stage === 3 ? lastStride : 2;
}

/** The map behind the last stage. */
export function resnet50Map(b: NetworkBuilder, x: Value, spec: ResNetSpec): Value {
  const { version, lastStride, prefix = "" } = spec;
  let y = maxPool(b, stem(b, x, spec), 3, 2);
  let place = 0;
  for (const [s, count] of depths.entries()) {
    for (let i = 0; i < count; i++) {
      const first = version === "vd" && s > 0 ? "mean" : "strided";
      const stride = i > 0 ? 1 : stageStride(s, lastStride);
      const shortcut = i > 0 ? "identity" : first;
      const name = `${prefix}blocks.${place++}`;
      y = bottleneck(b, y, { name, inside: 64 * 2 ** s, stride, shortcut });
    }
  }
  return y;
}

export function resnet50(
  b: NetworkBuilder,
  x: Value,
  spec: ResNetSpec & { classes: number },
): Value {
  const pooled = b.globalAveragePool(resnet50Map(b, x, spec));
  return b.linear(flatten(b, pooled), { name: "fc", out: spec.classes });
}
