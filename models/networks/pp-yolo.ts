import { divisible, convNorm, upsample } from "./blocks.js";
import { v3Block, v3Blocks } from "./mobilenet-v3.js";
import type { NetworkBuilder, Value } from "./network-builder.js";
import { coordConv, pyramidPool, yoloConv } from "./pp-yolo-blocks.js";
import { yoloHead } from "./yolo-head.js";

/**
 * PP-YOLO on MobileNetV3-large (what Table 3 calls "PP-YOLO tiny", going by its size and its mAP).
 */

const act = "leaky-relu-0.1";
const anchors = [
  [
    [115, 71],
    [120, 195],
    [254, 235],
  ],
  [
    [11, 18],
    [34, 47],
    [51, 126],
  ],
] as const;

/** Maps of the backbone behind the blocks that PaddleDetection counts from 2. */
export function v3Maps(
  b: NetworkBuilder,
  x: Value,
  width: number,
  taken: readonly number[],
): Value[] {
  let y = convNorm(b, x, {
    name: "backbone.conv1",
    out: divisible(16 * width),
    kernel: 3,
    stride: 2,
    act: "hard-swish",
  });
  const maps: Value[] = [];
  for (const [i, block] of v3Blocks.large.entries()) {
    y = v3Block(b, y, { size: "large", width, block, name: `backbone.conv${i + 2}` });
    if (taken.includes(i + 2)) maps.push(y);
  }
  return maps;
}

export function ppYoloMobilenet(
  b: NetworkBuilder,
  x: Value,
  { classes }: { classes: number },
): Record<string, Value> {
  const maps = v3Maps(b, x, 1, [13, 16]).reverse();
  const tips: Value[] = [];
  let route: Value | null = null;
  for (const [i, map] of maps.entries()) {
    const name = `neck.yolo_block.${i}`;
    const channels = 256 / 2 ** i;
    let y = route === null ? map : b.concat([route, map]);
    if (i === 0) y = pyramidPool(b, y, { name: `${name}.conv_module.spp`, out: y.dims[0]!, act });
    y = coordConv(b, y, { name: `${name}.conv_module.route`, out: channels, act });
    tips.push(coordConv(b, y, { name: `${name}.tip`, out: 2 * channels, kernel: 3, act }));
    if (i === 0) {
      route = upsample(b, yoloConv(b, y, { name: "neck.yolo_transition.0", out: 256, act }));
    }
  }
  return yoloHead(b, tips, { anchors, classes, iouFactor: null });
}
