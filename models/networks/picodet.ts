import type { Activation } from "./activations.js";
import { convNorm } from "./blocks.js";
import { cspPan } from "./csp-pan.js";
import { mapOf, type NetworkBuilder, type Value } from "./network-builder.js";
import { ppLcnetStages } from "./pp-lcnet.js";

/** PP-PicoDet on PP-LCNet (section 2.1): CSP-PAN and a head of its own at each of four strides. */
export interface PicoDetSpec {
  /** Of the backbone. */
  readonly width: number;
  /** Of neck and head. */
  readonly channels: number;
  readonly classes: number;
  readonly act: Activation;
  /** Pairs of depthwise and pointwise convolutions before each head's last. */
  readonly headDepth: number;
  readonly neckKernel: 3 | 5;
}

/** Distances to the four sides are distributions over 0 to 7 strides (`reg_max` 7). */
const bins = 8;
/**
 * Logit of the share of places that hold an object, with a deviation of about 1 around it: a few
 * hundred candidates, a few boxes.
 */
const priorLogit = -6;
const parts = { conv: "conv", norm: "norm" };

function head(b: NetworkBuilder, x: Value, level: number, spec: PicoDetSpec): [Value, Value] {
  const { channels, classes, act, headDepth } = spec;
  let y = x;
  for (let i = 0; i < headDepth; i++) {
    const name = (kind: string): string => `head.conv_feat.cls_conv_${kind}${level}.${i}`;
    y = convNorm(b, y, {
      name: name("dw"),
      out: channels,
      groups: channels,
      kernel: 5,
      act,
      parts,
    });
    y = convNorm(b, y, { name: name("pw"), out: channels, act, parts });
  }
  const bias = (channel: number): number => (channel < classes ? priorLogit : 0);
  y = b.conv(y, { name: `head.head_cls${level}`, out: classes + 4 * bins, bias, gain: 3.5 });
  const [, rows, columns] = mapOf(y);
  const split = b.shape([classes, 4 * bins]);
  const dims = [classes, 4 * bins].map((depth) => [depth, rows, columns]);
  const [scores, distances] = b.nodeWithOutputs("Split", [y, split], dims, {
    attributes: { axis: 1 },
    power: y.power,
  });
  const rowsOf = (v: Value): Value =>
    b.transpose(b.reshape(v, [v.dims[0]!, rows * columns]), [1, 0]);
  return [rowsOf(b.sigmoid(scores!)), rowsOf(distances!)];
}

/** The raw form: at each stride scores [HW, classes] and logits of the distances [HW, 32]. */
export function picodet(b: NetworkBuilder, x: Value, spec: PicoDetSpec): Record<string, Value> {
  const maps = ppLcnetStages(b, x, spec.width, "backbone.").slice(2);
  const outputs: Record<string, Value> = {};
  for (const [level, map] of cspPan(b, maps.slice(-3), spec).entries()) {
    const [scores, distances] = head(b, map, level, spec);
    outputs[`scores_${8 * 2 ** level}`] = scores;
    outputs[`distances_${8 * 2 ** level}`] = distances;
  }
  return outputs;
}
