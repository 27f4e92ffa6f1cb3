// analysis/: records in; rows, sentences and choices for the pages out. It never sees the DOM or a
// file.
import { levelText } from "npm:shitu-bench/src/eval/record/interval-text";
import type { ChoiceView } from "./choice-view.js";
import type { Cell, RecordedScore, RunRecord } from "../../src/eval/record/record.js";

/**
 * What the pages know of the run records: the loaders write these shapes, the pages read them.
 * Nothing here touches a file or the DOM.
 */

/** 101 quantiles (0, 1 … 100 %) stand for the samples of one timed thing, in milliseconds. */
export interface SampleSummary {
  readonly n: number;
  readonly quantiles: readonly number[];
}

/** A curve by name of its coordinate: { recall: […], precision: […] }, all of one length. */
export type Curve = Readonly<Record<string, readonly number[]>>;

/**
 * What a detection cell loses by type of error (TIDE's), judged on the boxes that its cases keep.
 */
export interface ErrorTypes {
  readonly pictures: number;
  readonly objects: number;
  readonly ap50: number | null;
  readonly classes: number;
  /** `loss` is the AP50 that mending this type alone would win. */
  readonly types: readonly {
    readonly type: string;
    readonly count: number;
    readonly loss: number | null;
  }[];
}

export interface RecordView extends RunRecord {
  /**
   * Unique among all records shown: the folder's name, with `reference/` before a committed one.
   */
  readonly key: string;
  readonly reference: boolean;
  /** What could not be read beside run.json. */
  readonly warnings: readonly string[];
  readonly samples: Readonly<Record<string, Readonly<Record<string, SampleSummary>>>>;
  readonly curves: Readonly<Record<string, Curve>>;
  readonly errorTypes: Readonly<Record<string, ErrorTypes>>;
  /** What a choice of an index says beyond its points; null where the record is none. */
  readonly choice: ChoiceView | null;
  /** `byCell` counts the cases of each cell that the site holds. */
  readonly cases: {
    readonly total: number;
    readonly shown: number;
    readonly byCell: Readonly<Record<string, number>>;
  };
}

/** A folder that looks like a record and cannot be read as one. */
export interface BrokenRecord {
  readonly key: string;
  readonly problem: string;
}

export interface RunsView {
  readonly records: readonly RecordView[];
  readonly broken: readonly BrokenRecord[];
}

export type CompletedCell = Extract<Cell, { state: "completed" }>;
export type FailedCell = Extract<Cell, { state: "failed" }>;
export type KnownScore = Extract<RecordedScore, { value: number }>;

export function completedCells(record: RecordView, kind?: string): CompletedCell[] {
  return record.cells.filter(
    (cell): cell is CompletedCell =>
      cell.state === "completed" && (kind === undefined || cell.kind === kind),
  );
}

export function failedCells(record: RecordView, kind?: string): FailedCell[] {
  return record.cells.filter(
    (cell): cell is FailedCell =>
      cell.state === "failed" && (kind === undefined || cell.kind === kind),
  );
}

/**
 * The records that measured something of a kind: those with the most of it first, the newest first
 * among equals.
 */
export function recordsWith(
  records: readonly RecordView[],
  ...kinds: readonly string[]
): RecordView[] {
  const amount = (record: RecordView): number =>
    completedCells(record).filter((cell) => kinds.includes(cell.kind)).length;
  return records
    .filter((record) => record.cells.some((cell) => kinds.includes(cell.kind)))
    .sort(
      (a, b) =>
        amount(b) - amount(a) || b.provenance.startedAt.localeCompare(a.provenance.startedAt),
    );
}

/** Older names of metrics. */
const earlier: Readonly<Record<string, string>> = {
  "index-size": "index-bytes",
  "model-size": "model-bytes",
  memory: "memory-bytes",
};

/**
 * The score of that name that is of the given coordinates: the one with no further coordinate where
 * there is one (recall@1 before recall@1 of pessimistic ties), else the median, else the first.
 */
export function scoreOf(
  cell: CompletedCell,
  metric: string,
  of: Readonly<Record<string, string>> = {},
): RecordedScore | undefined {
  const named = (name: string): RecordedScore[] =>
    cell.scores.filter(
      (score) =>
        score.metric === name &&
        Object.entries(of).every(([key, value]) => score.of?.[key] === value),
    );
  const found = named(metric);
  const scores = found.length > 0 ? found : named(earlier[metric] ?? metric);
  const count = Object.keys(of).length;
  return (
    scores.find((score) => Object.keys(score.of ?? {}).length === count) ??
    scores.find((score) => isMedian(score)) ??
    scores[0]
  );
}

export function isMedian(score: RecordedScore): boolean {
  return /^p?50$/.test(score.of?.percentile ?? "");
}

export function known(score: RecordedScore | undefined): KnownScore | undefined {
  return score !== undefined && score.value !== null ? score : undefined;
}

/** The interval of a score for a chart; nulls where there is none. */
export function whiskers(score: RecordedScore | undefined): {
  readonly low: number | null;
  readonly high: number | null;
  readonly level: number | null;
} {
  const { low = null, high = null, level = null } = known(score)?.interval ?? {};
  return { low, high, level };
}

/** The level of a record's intervals in words: `95%`. */
export function confidenceOf({ experiment }: RecordView): string {
  return levelText(experiment.intervals.level);
}

export function valueOf(
  cell: CompletedCell,
  metric: string,
  of?: Readonly<Record<string, string>>,
): number | null {
  return known(scoreOf(cell, metric, of))?.value ?? null;
}

/** Labels that say nothing without their name. */
const bare = new Set(["nprobe", "efSearch", "threads", "k", "bits"]);
/** Labels of the join with the paper, which are no coordinates of the sweep. */
const hidden = /^(paper[A-Z]|notComparable$)/;

/**
 * What tells a cell from the others of its kind: `model · data set · index`, without the labels
 * that all of them share.
 */
export function cellName(cell: Cell, among: readonly Cell[] = []): string {
  const names = Object.keys(cell.labels).filter((name) => !hidden.test(name));
  const peers = among.filter((other) => other.kind === cell.kind);
  const telling = names.filter(
    (name) => peers.length > 1 && peers.some((other) => other.labels[name] !== cell.labels[name]),
  );
  const plain = names.filter((name) => ["model", "system", "dataset", "index"].includes(name));
  const chosen = telling.length > 0 ? telling : plain.length > 0 ? plain : names;
  // An index may carry its parameters in its name already: IVF nprobe 8.
  const said = (name: string): string =>
    bare.has(name) ? `${name} ${cell.labels[name]}` : (cell.labels[name] ?? "");
  const parts = chosen.map(said);
  return (
    parts
      .filter(
        (part, i) =>
          part !== "" && !(bare.has(chosen[i]!) && (cell.labels.index ?? "").endsWith(part)),
      )
      .join(" · ") || cell.id
  );
}

const titles: Readonly<Record<string, string>> = {
  "retrieval-time": "retrieval time",
  "index-size": "index size",
  "index-bytes": "index size",
  "memory-bytes": "memory",
  "model-size": "model size",
  "model-bytes": "model size",
  "build-time": "build time",
  params: "parameters",
  macs: "multiply-adds",
  "single-stream-latency": "single-stream latency, at most",
  "server-rate": "server rate",
  "server-latency": "server latency",
  "cold-start": "cold start",
  "model-load": "loading",
  "peak-memory": "peak memory",
  "start-memory": "memory at the start",
  "crop-recall@1": "recall@1 on true boxes",
  "crop-recall@5": "recall@5 on true boxes",
};

/** The F1 definitions of a pipeline by what has to be right. */
export const f1Definitions: Readonly<Record<string, string>> = {
  A: "best answer",
  B: "set of labels",
  C: "box and label",
  D: "set of labels, mean of labels",
};

/** The stages of the waterfall at which a pipeline loses an object, in words. */
const lostNames: Readonly<Record<string, string>> = {
  correct: "recognised",
  missed: "not detected",
  "wrong-crop": "wrong crop",
  embedding: "wrong embedding",
  index: "missed by the index",
  threshold: "below the threshold",
};

export function stageName(stage: string): string {
  return lostNames[stage] ?? stage;
}

/** A metric's name as a heading shows it. */
export function metricTitle(metric: string): string {
  return titles[metric] ?? metric;
}

/** `recall@1`, `latency (detect, p90)`: a metric with what it is of. */
export function metricName(score: Pick<RecordedScore, "metric" | "of">): string {
  const { stage, percentile, definition, boundMs, rate, process, ...rest } = score.of ?? {};
  const parts = [
    stage,
    percentile === undefined ? undefined : `p${percentile.replace(/^p/, "")}`,
    definition === undefined ? undefined : (f1Definitions[definition] ?? definition),
    rate === undefined ? undefined : `at ${rate} /s`,
    boundMs === undefined ? undefined : `within ${boundMs} ms`,
    process === undefined ? undefined : `${process} process`,
    ...Object.values(rest),
  ].filter((part) => part !== undefined);
  return parts.length > 0
    ? `${metricTitle(score.metric)} (${parts.join(", ")})`
    : metricTitle(score.metric);
}

/** The distinct values of a label over cells, in order of first appearance. */
export function labelValues(cells: readonly Cell[], label: string): string[] {
  return [...new Set(cells.flatMap((cell) => cell.labels[label] ?? []))];
}

/** The score that a cell of a kind is judged by first. */
export function mainScore(cell: CompletedCell): RecordedScore | undefined {
  const metric = {
    detection: "AP",
    retrieval: "recall@1",
    index: "label-recall@1",
    pipeline: "F1",
    classification: "top-1",
    latency: "latency",
  }[cell.kind];
  if (metric === undefined) return cell.scores[0];
  const all = cell.scores.filter((score) => score.metric === metric);
  return (
    all.find(
      (s) =>
        s.of?.definition?.startsWith("C") === true || (s.of?.stage === "overall" && isMedian(s)),
    ) ?? scoreOf(cell, metric)
  );
}

/** recall@1 under the worst and the best order of equal distances, and its expected value. */
export function tieBand(cell: CompletedCell): {
  readonly pessimistic: number;
  readonly expected: number;
  readonly optimistic: number;
  readonly n: number;
} | null {
  const of = (ties: string): KnownScore | undefined =>
    known(
      cell.scores.find(
        (s) => (s.metric === "recall@1" && s.of?.ties === ties) || s.metric === `recall@1-${ties}`,
      ),
    );
  const [pessimistic, optimistic, expected] = [
    of("pessimistic"),
    of("optimistic"),
    of("expected") ?? known(scoreOf(cell, "recall@1")),
  ];
  return pessimistic && optimistic && expected
    ? {
        pessimistic: pessimistic.value,
        expected: expected.value,
        optimistic: optimistic.value,
        n: expected.n,
      }
    : null;
}

/** The data set whose pictures a cell's cases show. */
export function pictureSet(cell: Cell): string {
  return cell.labels.dataset ?? cell.labels.images ?? "";
}

/** `real` or `binary`, whatever way the codes were made. */
export function codesOf(cell: Cell): "real" | "binary" {
  return (cell.labels.codes ?? "real") === "real" ? "real" : "binary";
}
