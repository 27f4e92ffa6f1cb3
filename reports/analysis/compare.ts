import { whyNoVerdict } from "npm:shitu-bench/src/eval/compare/unpaired-kinds";
import type { RecordedScore } from "../../src/eval/record/record.js";
import { hitsByCell } from "./model-pairs.js";
import { pairOutcomes, type PairedDifference } from "./paired.js";
import {
  cellName,
  completedCells,
  known,
  mainScore,
  metricName,
  type KnownScore,
  type RecordView,
} from "./record-view.js";

/** Two runs cell by cell. */

export interface OutcomeRow {
  readonly cell: string;
  readonly item: string;
  readonly outcome: string;
}

export interface ComparedScores {
  readonly name: string;
  readonly metric: string;
  readonly beforeCell: string;
  readonly afterCell: string;
  readonly before: KnownScore;
  readonly after: KnownScore;
  readonly difference: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly method: string;
  readonly verdict:
    "better" | "worse" | "unchanged" | "cannot tell" | "no interval" | "not compared";
  /** null where the score is no share of cases. */
  readonly paired: PairedDifference | null;
  /** Items that both runs judged; 0 where one kept no cases of the cell. */
  readonly judged: number;
  /** Items that only the one got right. */
  readonly lost: readonly string[];
  readonly gained: readonly string[];
}

/**
 * Kinds whose first score is the share of cases that are hits, so that the cases themselves can be
 * paired.
 */
const proportions = new Set(["retrieval", "classification"]);

/**
 * The last two runs of one experiment, else the last two: [before, after] of a list that has the
 * newest first.
 */
export function defaultPair(
  records: readonly RecordView[],
): [RecordView | undefined, RecordView | undefined] {
  for (const after of records) {
    const before = records.find(
      (r) =>
        r !== after &&
        r.experiment.name === after.experiment.name &&
        r.provenance.startedAt <= after.provenance.startedAt,
    );
    if (before !== undefined) return [before, after];
  }
  return [records[1], records[0]];
}

/** Every pair of cells with the same kind and labels, by the first score of that kind. */
export function compareRecords(
  before: RecordView,
  after: RecordView,
  beforeRows: readonly OutcomeRow[],
  afterRows: readonly OutcomeRow[],
): ComparedScores[] {
  const key = (cell: { kind: string; labels: Record<string, string> }): string =>
    JSON.stringify([cell.kind, Object.entries(cell.labels).sort(([a], [b]) => (a < b ? -1 : 1))]);
  const afterCells = new Map(completedCells(after).map((cell) => [key(cell), cell]));
  const [beforeHits, afterHits] = [hitsByCell(beforeRows), hitsByCell(afterRows)];
  return completedCells(before).flatMap((a): ComparedScores[] => {
    const b = afterCells.get(key(a));
    const [first, second] = [known(mainScore(a)), known(b && mainScore(b))];
    if (
      b === undefined ||
      first === undefined ||
      second === undefined ||
      first.metric !== second.metric
    )
      return [];
    const common = {
      name: cellName(a, before.cells),
      metric: metricName(first),
      beforeCell: a.id,
      afterCell: b.id,
      before: first,
      after: second,
    };
    const pair = flips(beforeHits.get(a.id), afterHits.get(b.id));
    const unchanged =
      pair !== null && pair.lost.length + pair.gained.length === 0 && first.value === second.value;
    if (pair !== null && proportions.has(a.kind)) {
      const { difference, low, high } = pair.paired;
      return [
        {
          ...common,
          difference,
          low,
          high,
          method: "paired, Bonett and Price",
          verdict: unchanged ? "unchanged" : verdict(first, low, high),
          ...pair,
          judged: pair.paired.n,
        },
      ];
    }
    const difference = second.value - first.value;
    const apart = whyNoVerdict(a.kind);
    const interval = apart === null ? unpaired(first, second) : null;
    const unpairedVerdict = (): ComparedScores["verdict"] =>
      interval ? verdict(first, ...interval) : "no interval";
    return [
      {
        ...common,
        difference,
        low: interval?.[0] ?? null,
        high: interval?.[1] ?? null,
        method: apart ?? (interval ? "unpaired, from both intervals" : "none"),
        verdict: apart !== null ? "not compared" : unchanged ? "unchanged" : unpairedVerdict(),
        paired: null,
        judged: pair?.paired.n ?? 0,
        lost: pair?.lost ?? [],
        gained: pair?.gained ?? [],
      },
    ];
  });
}

function flips(
  a: ReadonlyMap<string, boolean> | undefined,
  b: ReadonlyMap<string, boolean> | undefined,
): { paired: PairedDifference; lost: string[]; gained: string[] } | null {
  const paired = a && b ? pairOutcomes(a, b) : null;
  if (paired === null) return null;
  const both = [...a!.keys()].filter((item) => b!.has(item));
  const lost = both.filter((item) => a!.get(item)! && !b!.get(item)!);
  const gained = both.filter((item) => !a!.get(item)! && b!.get(item)!);
  return { paired, lost, gained };
}

/**
 * The difference of two independent estimates from their own intervals (Zou and Donner 2008,
 * "MOVER"). Items shared by both runs make the true interval narrower, so this one is on the safe
 * side.
 */
function unpaired(a: KnownScore, b: KnownScore): [number, number] | null {
  if (a.interval === null || b.interval === null) return null;
  const difference = b.value - a.value;
  return [
    difference - Math.hypot(b.value - b.interval.low, a.interval.high - a.value),
    difference + Math.hypot(b.interval.high - b.value, a.value - a.interval.low),
  ];
}

function verdict(
  score: RecordedScore,
  low: number,
  high: number,
): "better" | "worse" | "cannot tell" {
  if ((low <= 0 && high >= 0) || score.better === "neither") return "cannot tell";
  return low > 0 === (score.better === "higher") ? "better" : "worse";
}
