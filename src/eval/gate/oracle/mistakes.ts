import type { Task } from "../../../pipeline/model/card.js";
import type { Chain, StageName } from "../chain/chain.js";
import type { Resampling } from "../chain/resample.js";

/** A usual mistake: how the chain looks without it. */
export interface Correction {
  /** Stable, kebab-case: what the mistake is called. */
  readonly fault: string;
  readonly stage: StageName;
  /** A clause that follows "with": "BGR input". */
  readonly with: string;
  /** What is wrong, as the end of a sentence. */
  readonly wrong: string;
  readonly chain: Chain;
}

const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;
const none = { mean: [0, 0, 0], std: [1, 1, 1] } as const;

type Values = Pick<Chain, "scale" | "mean" | "std">;

/** Normalisations that are seen in the wild, the usual one first. */
const normalisations: readonly { readonly name: string; readonly values: Values }[] = [
  { name: "the usual mean and std", values: { scale: 1 / 255, ...imagenet } },
  { name: "values from 0 to 1 and no mean and std", values: { scale: 1 / 255, ...none } },
  { name: "values from 0 to 255 and no mean and std", values: { scale: 1, ...none } },
  { name: "values from 0 to 255 under the usual mean and std", values: { scale: 1, ...imagenet } },
  { name: "values from -1 to 1", values: { scale: 1 / 127.5, mean: [1, 1, 1], std: [1, 1, 1] } },
];

const resamplings: readonly Resampling[] = ["linear", "cubic", "nearest", "area", "antialiased"];

/**
 * Each usual mistake undone, one at a time: what the chain would be if the candidate wanted another
 * setting than its card says. Ordered as a person would ask, the commonest first.
 */
export function corrections(chain: Chain, task: Task): Correction[] {
  return [
    ...colours(chain),
    ...normalising(chain),
    ...resizing(chain),
    layout(chain),
    ...(task === "detection" ? decoding(chain) : []),
    ...(task === "recognition" ? featuring(chain) : []),
  ];
}

function colours(chain: Chain): Correction[] {
  const colour = chain.colour === "rgb" ? "bgr" : "rgb";
  const reversed = <T>([a, b, c]: readonly [T, T, T]) => [c, b, a] as const;
  const [mean, std] = [reversed(chain.mean), reversed(chain.std)];
  const list: Correction[] = [
    {
      fault: "colour-order",
      stage: "decode",
      with: `${colour.toUpperCase()} input`,
      wrong: "the card's colour order is wrong",
      chain: { ...chain, colour },
    },
  ];
  if (JSON.stringify([mean, std]) === JSON.stringify([chain.mean, chain.std])) return list;
  return [
    ...list,
    {
      fault: "mean-order",
      stage: "normalise",
      with: "mean and std the other way round",
      wrong: "the card's mean and std are in another order than its colours",
      chain: { ...chain, mean: [...mean], std: [...std] },
    },
  ];
}

function normalising(chain: Chain): Correction[] {
  const now = JSON.stringify([chain.scale, chain.mean, chain.std]);
  return normalisations
    .filter(({ values }) => JSON.stringify([values.scale, values.mean, values.std]) !== now)
    .map(({ name, values }) => ({
      fault: faultOf(chain, values),
      stage: "normalise",
      with: name,
      wrong: "the card's normalisation is wrong",
      chain: { ...chain, ...values },
    }));
}

/** Another range of values is one mistake, a mean and std too many or too few another. */
function faultOf(chain: Chain, values: Values): string {
  const ratio = values.scale / chain.scale;
  return ratio > 100 || ratio < 1 / 100 ? "value-range" : "normalisation";
}

function resizing(chain: Chain): Correction[] {
  const others = resamplings.filter((r) => r !== chain.resampling);
  const fit = chain.fit === "stretch" ? "letterbox" : "stretch";
  const by = others.map((resampling): Correction => ({
    fault: "interpolation",
    stage: "resize",
    with: `${resampling} interpolation`,
    wrong: "the card's interpolation is wrong",
    chain: { ...chain, resampling },
  }));
  return [
    ...by,
    {
      fault: "letterbox",
      stage: "resize",
      with:
        fit === "letterbox" ? "the aspect ratio kept and grey margins" : "the picture stretched",
      wrong: "the picture is fitted another way than the model wants",
      chain: { ...chain, fit },
    },
  ];
}

function layout(chain: Chain): Correction {
  const other = chain.layout === "nchw" ? "nhwc" : "nchw";
  return {
    fault: "layout",
    stage: "layout",
    with: `floats in ${other.toUpperCase()} order`,
    wrong: "the tensor's layout is wrong",
    chain: { ...chain, layout: other },
  };
}

function decoding(chain: Chain): Correction[] {
  const stage = "box decoding";
  const changed = (fault: string, over: Partial<Chain>, words: readonly [string, string]) =>
    ({
      fault,
      stage,
      with: words[0],
      wrong: words[1],
      chain: { ...chain, ...over },
    }) satisfies Correction;
  return [
    changed("missing-sigmoid", { sigmoid: !chain.sigmoid }, [
      "a sigmoid over the scores",
      "the export lacks the sigmoid",
    ]),
    changed("transposed-heads", { heads: "transposed" }, [
      "the heads' cells and channels exchanged",
      "the export's heads are transposed",
    ]),
    changed("transposed-heads", { heads: "grid transposed" }, [
      "the heads' rows and columns exchanged",
      "the export's heads are transposed",
    ]),
    ...[0.5, -0.5].map((centreShift) =>
      changed("box-centre", { centreShift }, [
        `boxes moved by ${centreShift > 0 ? "half a stride" : "half a stride back"}`,
        "the export's box centres are off by half a cell",
      ]),
    ),
    changed("scale-order", { scaleOrder: chain.scaleOrder === "yx" ? "xy" : "yx" }, [
      "scale_factor across before down",
      "the export takes scale_factor as [x, y]",
    ]),
  ];
}

function featuring(chain: Chain): Correction[] {
  const stage = "features";
  if (chain.binarise === "none") {
    return [
      {
        fault: "missing-l2-norm",
        stage,
        with: chain.normaliseRows ? "no L2 norm" : "the L2 norm",
        wrong: "the card's normalise is wrong",
        chain: { ...chain, normaliseRows: !chain.normaliseRows },
      },
    ];
  }
  const rule = chain.binarise === "sign" ? "round" : "sign";
  return [
    {
      fault: "binarise-rule",
      stage,
      with: `bits by ${rule}`,
      wrong: "the card's binarise is wrong",
      chain: { ...chain, binarise: rule },
    },
    {
      fault: "bits-reversed",
      stage,
      with: "bits packed least significant first",
      wrong: "the export's bits stand in each byte the other way round",
      chain: { ...chain, bitOrder: "least significant first" },
    },
  ];
}
