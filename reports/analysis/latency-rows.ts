import {
  cellName,
  metricName,
  whiskers,
  type CompletedCell,
  type RecordView,
} from "./record-view.js";

/** The timed cells of a record as the rows that the latency page draws. */

type Score = CompletedCell["scores"][number];

export interface StageSamples {
  readonly system: string;
  readonly stage: string;
  readonly n: number;
  /** Milliseconds at 0, 1 … 100 %. */
  readonly quantiles: readonly number[];
}

/** The samples of the stages that the cells score, each cell as a system. */
export function stageSamples(record: RecordView, cells: readonly CompletedCell[]): StageSamples[] {
  const stages = new Set(stageNames(cells));
  return cells.flatMap((cell) =>
    Object.entries(record.samples[cell.id] ?? {})
      .filter(([stage]) => stages.has(stage))
      .map(([stage, samples]) => ({ system: cellName(cell, cells), stage, ...samples })),
  );
}

/** The stages that the cells score, the whole picture first. */
export function stageNames(cells: readonly CompletedCell[]): string[] {
  const names = new Set(cells.flatMap((cell) => latencies(cell).map(stageOf)));
  return [...names].sort((a, b) => Number(b === "overall") - Number(a === "overall"));
}

export interface Percentiles {
  readonly system: string;
  readonly stage: string;
  readonly n: number | null;
  /** By percentile, or "mean". */
  readonly scores: ReadonlyMap<string, Score>;
}

/** One row a system and stage. */
export function percentileRows(cells: readonly CompletedCell[]): Percentiles[] {
  return cells.flatMap((cell) => {
    const all = latencies(cell);
    const stages = [...new Set(all.map(stageOf))];
    return stages.map((stage): Percentiles => {
      const own = all.filter((score) => stageOf(score) === stage);
      const scores = new Map(own.map((score) => [score.of?.percentile ?? "mean", score]));
      const [first] = own;
      const n = first !== undefined && first.value !== null ? first.n : null;
      return { system: cellName(cell, cells), stage, n, scores };
    });
  });
}

export interface OtherScore {
  readonly system: string;
  readonly what: string;
  readonly score: Score;
}

/** Throughput, scenarios and resources: what is neither a stage's time nor a server rate's. */
export function otherScores(cells: readonly CompletedCell[]): OtherScore[] {
  return cells.flatMap((cell) =>
    cell.scores
      .filter(({ metric }) => metric !== "latency" && metric !== "server-latency")
      .map((score) => ({ system: cellName(cell, cells), what: metricName(score), score })),
  );
}

export interface Ratio {
  readonly name: string;
  readonly group: string;
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly level: number | null;
  readonly n: number;
}

/** The ratios of interleaved rounds: a system's to itself, or one's to another. */
export function ratioRows(
  comparisons: readonly CompletedCell[],
  metric: "self-ratio" | "latency-ratio",
): Ratio[] {
  return comparisons.flatMap(({ scores }) =>
    scores.flatMap((score): Ratio[] => {
      if (score.metric !== metric || score.value === null || score.of?.stage) return [];
      const { system = "", first = "", second = "" } = score.of ?? {};
      const name = metric === "self-ratio" ? `${system}, twice` : `${second} / ${first}`;
      return [{ name, group: metric, value: score.value, ...whiskers(score), n: score.n }];
    }),
  );
}

/** Findings about one thing, each with its cell's name; of comparisons those of whole pictures. */
export function findingsAbout(
  cells: readonly CompletedCell[],
  about: string,
): { readonly system: string; readonly finding: Finding }[] {
  return cells.flatMap((cell) =>
    (cell.findings ?? [])
      .filter((f) => f.about === about && (about === "drift" || f.of.stage === undefined))
      .map((finding) => ({ system: cellName(cell, cells), finding })),
  );
}
type Finding = NonNullable<CompletedCell["findings"]>[number];

/** Notes by the name of their cell; a comparison's say what its findings say already. */
export function latencyNotes(
  cells: readonly CompletedCell[],
  comparisons: readonly CompletedCell[],
): { readonly name: string; readonly note: string }[] {
  const silent = comparisons.filter(({ findings }) => (findings ?? []).length === 0);
  return [
    ...cells.flatMap((c) => c.notes.map((note) => ({ name: cellName(c, cells), note }))),
    ...silent.flatMap((c) => c.notes.map((note) => ({ name: "comparison", note }))),
  ];
}

const latencies = (cell: CompletedCell): Score[] =>
  cell.scores.filter(({ metric }) => metric === "latency");
const stageOf = (score: Score): string => score.of?.stage ?? "overall";
