/**
 * What PaddlePaddle 3.3.1 says of PaddleClas's own models (develop, October 2024) at 224 x 224 and
 * 1000 classes: all parameters, those without running statistics, multiply-adds of convolutions and
 * fully connected layers, `paddle.flops`; and what Table 6 of the paper prints (both in millions).
 */
export interface PaddleReference {
  readonly network: string;
  readonly all: number;
  readonly trainable: number;
  readonly macs: number;
  readonly flops: number;
  /**
   * Whether PaddleClas now pools by a class of its own, which `paddle.flops` does not know and
   * leaves out. When the paper was written it was Paddle's, and counted.
   */
  readonly ownPool: boolean;
  readonly printed?: { readonly params: string; readonly flops: string };
}

type Row = [string, number, number, number, number, boolean, string?, string?];
const rows: readonly Row[] = [
  ["mobilenet-v2-0.25x", 1527856, 1517392, 30480864, 34178704, false, "1.5", "34"],
  ["mobilenet-v3-small-0.35x", 1670226, 1665954, 13161528, 14437322, true, "1.7", "15"],
  ["shufflenet-v2-0.33x", 652264, 647272, 22454592, 24041920, false, "0.6", "24"],
  ["pp-lcnet-0.25x", 1523936, 1521184, 16773440, 18235056, true, "1.5", "18"],
  ["mobilenet-v2-0.5x", 1984104, 1965736, 92271040, 99477280, false, "2.0", "99"],
  ["mobilenet-v3-large-0.35x", 2112920, 2104328, 37188872, 40681000, true, "2.1", "41"],
  ["shufflenet-v2-0.5x", 1374744, 1366792, 40476448, 42575456, false, "1.4", "43"],
  ["pp-lcnet-0.5x", 1885048, 1879576, 44731008, 47252832, true, "1.9", "47"],
  ["mobilenet-v1-1x", 4253864, 4231976, 568740352, 578876928, false, "4.3", "578"],
  ["mobilenet-v2-1x", 3540136, 3505960, 313619328, 327842368, false, "3.5", "327"],
  ["mobilenet-v3-small-1.25x", 3642650, 3627370, 95364424, 99661218, true, "3.6", "100"],
  ["shufflenet-v2-1.5x", 3527064, 3503624, 295759392, 301345632, false, "3.5", "301"],
  ["pp-lcnet-1x", 2963464, 2952520, 155700480, 160744128, true, "3.0", "161"],
  ["pp-lcnet-2.5x", 9044920, 9017560, 893719680, 906328800, true],
  ["resnet50-vd", 25629512, 25576264, 4328824832, 4353009664, true],
  ["mobilenet-v3-large-1x", 5504638, 5480206, 219799200, 229005294, true],
];

export const paddleReferences: readonly PaddleReference[] = rows.map(
  ([network, all, trainable, macs, flops, ownPool, params, printedFlops]) => {
    const reference = { network, all, trainable, macs, flops, ownPool };
    if (params === undefined || printedFlops === undefined) return reference;
    return { ...reference, printed: { params, flops: printedFlops } };
  },
);
