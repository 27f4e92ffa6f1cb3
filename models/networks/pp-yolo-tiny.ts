import { upsample } from "./blocks.js";
import type { NetworkBuilder, Value } from "./network-builder.js";
import { pyramidPool, yoloConv } from "./pp-yolo-blocks.js";
import { v3Maps } from "./pp-yolo.js";
import { yoloHead } from "./yolo-head.js";

/** PP-YOLO tiny: MobileNetV3-large at half its width, depthwise convolutions in neck and head. */

const act = "leaky-relu-0.1";
const depths = [160, 128, 96];
const anchors = [
  [
    [220, 125],
    [128, 222],
    [264, 266],
  ],
  [
    [35, 87],
    [102, 96],
    [60, 170],
  ],
  [
    [10, 15],
    [24, 36],
    [72, 42],
  ],
] as const;

/** 1x1, 5x5 depthwise, 1x1, 5x5 depthwise. */
function block(b: NetworkBuilder, x: Value, name: string, out: number): Value {
  const inside = `${name}.conv_module.${name.replace("neck.", "")}`;
  const deep = { out, groups: out, kernel: 5, act } as const;
  let y = yoloConv(b, x, { name: `${inside}.0`, out, act });
  y = yoloConv(b, y, { ...deep, name: `${inside}.1` });
  y = yoloConv(b, y, { name: `${inside}.2`, out, act });
  return yoloConv(b, y, { ...deep, name: `${inside}.route` });
}

export function ppYoloTiny(
  b: NetworkBuilder,
  x: Value,
  { classes }: { classes: number },
): Record<string, Value> {
  const maps = v3Maps(b, x, 0.5, [7, 13, 16]).reverse();
  const tips: Value[] = [];
  let route: Value | null = null;
  for (const [i, map] of maps.entries()) {
    const out = depths[i]!;
    const pooled =
      i === 0 ? pyramidPool(b, map, { name: "neck.spp", out: map.dims[0]!, act }) : map;
    const y = block(
      b,
      route === null ? pooled : b.concat([route, pooled]),
      `neck.yolo_block.${i}`,
      out,
    );
    tips.push(yoloConv(b, y, { name: `neck.yolo_block.${i}.tip`, out, act }));
    if (i < 2) route = upsample(b, yoloConv(b, y, { name: `neck.yolo_transition.${i}`, out, act }));
  }
  return yoloHead(b, tips, { anchors, classes, iouFactor: null });
}
