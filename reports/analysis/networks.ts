import { scoreOf, valueOf, whiskers, type CompletedCell } from "./record-view.js";

/**
 * Light classifiers, measured here and in the paper's Table 6, as points of one plane: cells and
 * the table's rows come in, rows to draw go out.
 */

export interface Network {
  readonly name: string;
  readonly source: "measured here" | "paper";
  readonly family: string;
  /** Its name without its family's, as a mark shows it. */
  readonly short: string;
  readonly top1: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly n: number | null;
  readonly ms: number | null;
  readonly macs: number | null;
  /** Multiply-adds in millions. */
  readonly mega: number | null;
  readonly params: number | null;
}

/** A cell of the paper's table, as the site's data holds it. */
export interface PaperValue {
  readonly row: string;
  readonly value: number | null;
  readonly is: { readonly metric: string };
}

/** By a part of the plain name; MobileNetV1 is looked for after its followers. */
const families = [
  ["lcnet", "PP-LCNet"],
  ["mobilenetv3", "MobileNetV3"],
  ["mobilenetv2", "MobileNetV2"],
  ["mobilenetv1", "MobileNetV1"],
  ["shufflenet", "ShuffleNetV2"],
] as const;

/** In the order in which the legend names them. */
export const familyOrder = [
  "PP-LCNet",
  "MobileNetV1",
  "MobileNetV2",
  "MobileNetV3",
  "ShuffleNetV2",
  "other",
];

export function networkFamily(name: string): string {
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, "");
  return families.find(([part]) => plain.includes(part))?.[1] ?? "other";
}

/** The cells whose top-1 is known. */
export function measuredNetworks(cells: readonly CompletedCell[]): Network[] {
  return cells.flatMap((cell) => {
    const top1 = scoreOf(cell, "top-1");
    if (top1 === undefined || top1.value === null) return [];
    const { value, n } = top1;
    const { low, high } = whiskers(top1);
    return network("measured here", cell.labels.model ?? "", {
      ...{ top1: value, n, low, high },
      ms: valueOf(cell, "latency"),
      macs: valueOf(cell, "macs"),
      params: valueOf(cell, "params"),
    });
  });
}

/** The rows of Table 6 that print a top-1. */
export function paperNetworks(rows: readonly (readonly PaperValue[])[]): Network[] {
  return rows.flatMap((row) => {
    const of = (metric: string): number | null =>
      row.find(({ is }) => is.metric === metric)?.value ?? null;
    const top1 = of("top-1");
    if (top1 === null) return [];
    const none = { n: null, low: null, high: null };
    const costs = { ms: of("latency"), macs: of("macs"), params: of("params") };
    return network("paper", row[0]!.row, { top1, ...none, ...costs });
  });
}

type Measured = Omit<Network, "name" | "source" | "family" | "short" | "mega">;

function network(source: Network["source"], name: string, measured: Measured): Network {
  const { macs } = measured;
  return {
    ...measured,
    name,
    source,
    family: networkFamily(name),
    short: name.replace(/^cls-/, "").replace(/^(pp-lcnet|mobilenet-?v\d|shufflenet-?v2)-/i, ""),
    mega: macs === null ? null : macs / 1e6,
  };
}
