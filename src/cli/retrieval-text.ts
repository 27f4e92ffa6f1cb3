import {
  classMeans,
  type ClassScore,
  type Confusion,
} from "../eval/metrics/retrieval/retrieval-classes.js";
import type { QuirkEffect } from "../eval/metrics/quirk-effects.js";
import type { RetrievalScores } from "../eval/metrics/retrieval/retrieval-scores.js";
import { intervalHead } from "../eval/record/interval-text.js";
import type { Interval, Score } from "../eval/types.js";
import { table, visible, type Column } from "./terminal.js";

const right = (head: string): Column => ({ head, align: "right" });
const count = (n: number): string => n.toLocaleString("en");
const value = (score: Score): string | null =>
  score.value === null ? null : score.value.toFixed(4);
const range = (pair: readonly [number, number] | null): string | null =>
  pair ? `${pair[0].toFixed(4)} to ${pair[1].toFixed(4)}` : null;
const intervalOf = (score: Score): Interval | null =>
  score.value === null ? null : score.interval;
const between = (score: Score): string | null => {
  const interval = intervalOf(score);
  return interval && range([interval.low, interval.high]);
};

/** What was compared with what, for machines and people. */
export interface Head {
  readonly protocol: string;
  readonly similarity: string;
  readonly queries: number;
  readonly gallery: number;
  readonly labels: number;
  readonly leaveOneOut: boolean;
  readonly junkRule: boolean;
  /** Gallery items that the junk rule took out, over all queries; null where there is none. */
  readonly junk: number | null;
  readonly unanswerable: number;
  readonly undecidedFirst: number;
  readonly intervalLevel: number;
  readonly intervalUnit: string;
}

/** One line on what was compared with what. */
export function summaryLine({
  protocol,
  similarity,
  queries,
  gallery,
  labels,
  leaveOneOut,
  junkRule,
  junk,
  unanswerable,
}: Head): string {
  const sides = leaveOneOut
    ? `${count(gallery)} rows, each left out once`
    : `${count(queries)} queries, ${count(gallery)} gallery rows`;
  const rule = junkRule ? `; same label and uid not valid (${count(junk ?? 0)} taken out)` : "";
  const queriesWithout = unanswerable === 1 ? "query" : "queries";
  const without = `; ${count(unanswerable)} ${queriesWithout} without a positive`;
  return (
    `${sides}, ${count(labels)} labels; ${similarity}; protocol ${protocol}${rule}` +
    (unanswerable > 0 ? without : "")
  );
}

/** Metric, value, interval, n; where ties matter what they could have made of it. */
export function scoreTable({ scores }: RetrievalScores): string {
  const tied = scores.some((s) => s.bounds && s.bounds[0].toFixed(4) !== s.bounds[1].toFixed(4));
  return table(
    [
      { head: "metric" },
      right("value"),
      right(intervalHead(scores.map(intervalOf))),
      right("n"),
      ...(tied ? [right("ties: worst to best")] : []),
    ],
    scores.map((s) => [
      s.metric,
      value(s),
      between(s),
      s.value === null ? null : count(s.n),
      ...(tied ? [range(s.bounds)] : []),
    ]),
  );
}

/** Worst labels first. */
export function classTable(classes: readonly ClassScore[], most: number): string {
  const sorted = [...classes].sort(
    (a, b) =>
      (a.recallAt1.value ?? 2) - (b.recallAt1.value ?? 2) ||
      (a.meanAveragePrecision.value ?? 2) - (b.meanAveragePrecision.value ?? 2),
  );
  const rows = sorted
    .slice(0, most)
    .map((c) => [
      c.label,
      count(c.queries),
      count(c.galleryItems),
      value(c.recallAt1),
      between(c.recallAt1),
      value(c.meanAveragePrecision),
    ]);
  return [
    table(
      [
        { head: "label" },
        right("queries"),
        right("gallery"),
        right("recall@1"),
        right(intervalHead(classes.map((c) => intervalOf(c.recallAt1)))),
        right("mAP"),
      ],
      rows,
    ),
    ...more(sorted.length, most, "labels"),
    meansLine(classes),
  ].join("\n");
}

/** Each label counted once: the mean that tables "over classes" report. */
function meansLine(classes: readonly ClassScore[]): string {
  const { recallAt1, meanAveragePrecision } = classMeans(classes);
  if (recallAt1.value === null) return `mean over labels: ${recallAt1.why}`;
  return (
    `mean over ${recallAt1.n} labels: recall@1 ${value(recallAt1)}, ` +
    `mAP ${value(meanAveragePrecision)}`
  );
}

export function confusionTable(list: readonly Confusion[], most: number): string {
  if (list.length === 0) return "the first neighbour confuses no labels";
  const rows = list
    .slice(0, most)
    .map((c) => [c.label, c.predicted, count(c.count), count(c.queries)]);
  return [
    table([{ head: "label" }, { head: "taken for" }, right("times"), right("of queries")], rows),
    ...more(list.length, most, "pairs"),
  ].join("\n");
}

/** Standard values and what each quirk adds to them. */
export function quirkTable(effects: readonly QuirkEffect[]): string {
  const names = effects[0]?.deltas.map((d) => d.quirk) ?? [];
  const signed = (delta: number | null) => {
    if (delta === null) return null;
    const size = Math.abs(delta).toFixed(6);
    return Number(size) === 0 ? "0" : `${delta > 0 ? "+" : "-"}${size}`;
  };
  const text = table(
    [{ head: "metric" }, right("standard"), ...names.map(right)],
    effects.map((e) => [
      e.metric,
      e.standard?.toFixed(6) ?? null,
      ...e.deltas.map((d) => signed(d.delta)),
    ]),
  );
  const whys = [
    ...new Set(
      effects.flatMap((e) =>
        e.deltas.flatMap((d) =>
          d.why === undefined ? [] : [`-: ${e.metric}, ${d.quirk}: ${d.why}`],
        ),
      ),
    ),
  ];
  return [text, ...whys.map(visible)].join("\n");
}

function more(all: number, most: number, what: string): string[] {
  return all > most ? [`(${count(all - most)} more ${what}: --json lists all)`] : [];
}
