import type { Activation } from "./activations.js";
import { convNorm, maxPool, upsample, type ConvNormSpec } from "./blocks.js";
import { mapOf, type NetworkBuilder, type Value } from "./network-builder.js";
import { pyramidPool, yoloConv } from "./pp-yolo-blocks.js";
import { meanOfFour, rectifiedSum } from "./resnet.js";
import { yoloHead } from "./yolo-head.js";

/** PP-YOLOv2 on ResNet50_vd with deformable convolutions in its last stage (DCNv2). */

const anchors = [
  [
    [116, 90],
    [156, 198],
    [373, 326],
  ],
  [
    [30, 61],
    [62, 45],
    [59, 119],
  ],
  [
    [10, 13],
    [16, 30],
    [33, 23],
  ],
] as const;
const stages = [3, 4, 6, 3];
const parts = { conv: "conv", norm: "norm" };

function layer(b: NetworkBuilder, x: Value, spec: Omit<ConvNormSpec, "parts">): Value {
  return convNorm(b, x, { ...spec, parts });
}

/**
 * A 3x3 convolution whose nine places move and are weighted by what another convolution says of the
 * map (Zhu et al. 2019).
 */
function deformable(
  b: NetworkBuilder,
  x: Value,
  { name, out, stride }: { name: string; out: number; stride: number },
): Value {
  const both = b.conv(x, {
    name: `${name}.conv_offset`,
    out: 27,
    kernel: 3,
    stride,
    bias: true,
    gain: 0.5,
  });
  const [, rows, columns] = mapOf(both);
  const dims = [18, 9].map((depth) => [depth, rows, columns]);
  const spec = { attributes: { axis: 1 }, power: both.power };
  const [offset, mask] = b.nodeWithOutputs("Split", [both, b.shape([18, 9])], dims, spec);
  const channels = x.dims[0]!;
  const bound = Math.sqrt(3 / (9 * channels));
  const weight = b.weight(`${name}.conv.weight`, [out, channels, 3, 3], [-bound, bound]);
  // Masks around a half, and places between pixels that blur: about a fifth of the mean square
  // stays.
  const y = b.node("DeformConv", [x, weight, offset!, "", b.sigmoid(mask!)], {
    attributes: { kernel_shape: [3, 3], strides: [stride, stride], pads: [1, 1, 1, 1] },
    dims: [out, rows, columns],
    power: 0.2 * x.power,
  });
  return b.activate(b.batchNorm(y, `${name}.norm`), "relu");
}

interface Stage {
  readonly stage: number;
  readonly count: number;
}

function residualStage(b: NetworkBuilder, x: Value, { stage, count }: Stage): Value {
  const inside = 64 * 2 ** stage;
  let y = x;
  for (let i = 0; i < count; i++) {
    const name = `backbone.res${stage + 2}.res${stage + 2}${String.fromCharCode(97 + i)}`;
    const stride = i === 0 && stage > 0 ? 2 : 1;
    let z = layer(b, y, { name: `${name}.branch2a`, out: inside, act: "relu" });
    const middle = { name: `${name}.branch2b`, out: inside, stride };
    z = stage === 3 ? deformable(b, z, middle) : layer(b, z, { ...middle, kernel: 3, act: "relu" });
    z = layer(b, z, { name: `${name}.branch2c`, out: 4 * inside, act: null });
    y = rectifiedSum(b, z, i > 0 ? y : shortcut(b, y, name, { stride, out: 4 * inside }));
  }
  return y;
}

function shortcut(
  b: NetworkBuilder,
  x: Value,
  name: string,
  { stride, out }: { stride: number; out: number },
): Value {
  if (stride === 1) return layer(b, x, { name: `${name}.short`, out, act: null });
  return layer(b, meanOfFour(b, x, 2), { name: `${name}.short.conv`, out, act: null });
}

/** Maps at strides 8, 16 and 32. */
function resnet50Dcn(b: NetworkBuilder, x: Value): Value[] {
  const stem = (y: Value, place: number, out: number, stride: number): Value =>
    layer(b, y, { name: `backbone.conv1.conv1_${place}`, out, kernel: 3, stride, act: "relu" });
  let y = maxPool(b, stem(stem(stem(x, 1, 32, 2), 2, 32, 1), 3, 64, 1), 3, 2);
  return stages.map((count, stage) => (y = residualStage(b, y, { stage, count }))).slice(1);
}

/** Half of the channels through three pairs of 1x1 and 3x3, the other half beside them. */
function crossStage(
  b: NetworkBuilder,
  x: Value,
  name: string,
  { channels, pool }: { channels: number; pool: boolean },
): Value {
  const act: Activation = "mish";
  let left = yoloConv(b, x, { name: `${name}.conv1`, out: channels, act });
  for (let j = 0; j < 3; j++) {
    const inside = `${name}.conv_module`;
    left = yoloConv(b, left, { name: `${inside}.${j}.0`, out: channels, act });
    if (pool && j === 1) left = pyramidPool(b, left, { name: `${inside}.spp`, out: channels, act });
    else left = yoloConv(b, left, { name: `${inside}.${j}.1`, out: channels, kernel: 3, act });
  }
  const right = yoloConv(b, x, { name: `${name}.conv2`, out: channels, act });
  return yoloConv(b, b.concat([left, right]), { name: `${name}.conv3`, out: 2 * channels, act });
}

/** PAN over the three maps, coarsest first in and out. */
function pan(b: NetworkBuilder, maps: readonly Value[]): Value[] {
  const act: Activation = "mish";
  const down: Value[] = [];
  for (const [i, map] of maps.entries()) {
    const channels = 512 / 2 ** i;
    let y = map;
    if (i > 0) {
      const route = { name: `neck.fpn_transition.${i - 1}`, out: 2 * channels, act };
      y = b.concat([upsample(b, yoloConv(b, down[i - 1]!, route)), map]);
    }
    down.push(crossStage(b, y, `neck.fpn.${i}`, { channels, pool: i === 0 }));
  }
  const up = [down[2]!];
  for (const i of [1, 0]) {
    const from = up[0]!;
    const name = `neck.pan_transition.${i}`;
    const reduced = yoloConv(b, from, {
      name,
      out: down[i + 1]!.dims[0]!,
      kernel: 3,
      stride: 2,
      act,
    });
    const channels = 512 / 2 ** i;
    up.unshift(
      crossStage(b, b.concat([reduced, down[i]!]), `neck.pan.${i}`, { channels, pool: false }),
    );
  }
  return up;
}

export function ppYoloV2(
  b: NetworkBuilder,
  x: Value,
  { classes }: { classes: number },
): Record<string, Value> {
  return yoloHead(b, pan(b, resnet50Dcn(b, x).reverse()), { anchors, classes, iouFactor: 0.5 });
}
