import type { Cell, RecordedScore } from "../record/record.js";
import type { Interval } from "../types.js";
import type { PaperCell } from "./paper-tables.js";

/**
 * Times of two machines do not compare; the ratio of two rows on one machine does. Each time of a
 * column is put in proportion to the column's last, the paper's own; the last to the first.
 */
export interface RatioComparison {
  /** What the paper's cell is in proportion to. */
  readonly against: string;
  readonly paper: number;
  readonly ours: number;
  readonly ci: readonly [number, number];
  /** Rounds or samples. */
  readonly n: number;
  readonly agrees: boolean;
  /** How ours was measured. */
  readonly how: string;
  /** One sentence: both ratios, how ours was measured, and what differs. */
  readonly why: string;
  /** Our time of the paper's cell. */
  readonly time: Omit<TimeOf, "name">;
}

/** A time of ours, and where it stands. */
export interface TimeOf {
  readonly name: string;
  readonly record: string;
  readonly cell: string;
  readonly value: number;
  readonly n: number;
  readonly interval: Interval | null;
}

export interface Candidate {
  readonly key: string;
  readonly cell: Extract<Cell, { state: "completed" }>;
}

/** What ours is measured with where the paper's has Paddle, ten threads and its own processor. */
const differs =
  "engine (ONNX Runtime for Paddle with MKL-DNN), number of threads and processor are not " +
  "the paper's";

/** The name by which a cell's row goes in records. */
export function rowName({ is }: PaperCell): string | undefined {
  return is.model ?? is.system;
}

/** The cell that another is put in proportion to; null where its column has no other number. */
export function partnerOf(cell: PaperCell, cells: readonly PaperCell[]): PaperCell | null {
  const place = ({ is }: PaperCell): string =>
    JSON.stringify([is.metric, is.dataset, is.stage, is.processor]);
  const column = cells.filter((c) => c.value !== null && place(c) === place(cell));
  const last = column.at(-1);
  if (column.length < 2 || !last) return null;
  return rowName(last) === rowName(cell) ? column[0]! : last;
}

/**
 * The ratio of two cells' times where one record holds both: from rounds in which both ran, else
 * from two times of one run, whose intervals are then taken at their far ends.
 */
export function compareRatio(
  cell: PaperCell,
  partner: PaperCell,
  candidates: readonly Candidate[],
  timeOf: (cell: PaperCell, among: readonly Candidate[]) => TimeOf | null,
): RatioComparison | null {
  const usable = candidates.filter((c) => c.cell.labels.notComparable === undefined);
  const found = interleaved(cell, partner, usable) ?? apart(cell, partner, usable, timeOf);
  if (found === null) return null;
  const [a, b] = [cell.value!, partner.value!];
  const low = (a - cell.rounding) / (b + partner.rounding);
  const high = (a + cell.rounding) / Math.max(b - partner.rounding, Number.MIN_VALUE);
  const agrees = high >= found.ci[0] && low <= found.ci[1];
  const against = partner.row === cell.row ? partner.column : partner.row;
  const text = `${timesText(a / b)} as long as ${against}; here ${timesText(found.ours)}`;
  const [from, to] = found.ci.map(digits);
  const why = `the paper: ${text} [${from}, ${to}], ${found.how}; ${differs}`;
  return { ...found, against, paper: a / b, agrees, why };
}

type Found = Pick<RatioComparison, "ours" | "ci" | "n" | "time"> & { readonly how: string };

function interleaved(a: PaperCell, b: PaperCell, candidates: readonly Candidate[]): Found | null {
  // Rounds hold whole runs of a model or a system, no stages of theirs.
  if (a.is.stage !== undefined && a.is.stage !== "overall") return null;
  const names = [rowName(a)!, rowName(b)!] as const;
  const threads = ({ cell }: Candidate): number => Number(cell.labels.threads ?? Infinity);
  for (const candidate of [...candidates].sort((x, y) => threads(x) - threads(y))) {
    const { key, cell } = candidate;
    const score = cell.scores.find((s) => isRatioOf(s, names));
    const time = cell.scores.find((s) => s.metric === "round-latency" && s.of?.system === names[0]);
    if (!score || score.value === null || score.interval === null) continue;
    if (!time || time.value === null) continue;
    const same = score.of?.second === names[0];
    const ours = same ? score.value : 1 / score.value;
    const { low, high } = score.interval;
    const ci: [number, number] = same ? [low, high] : [1 / high, 1 / low];
    const how = `run in turns, ${score.n} rounds on ${threads(candidate)} threads`;
    const { value, n, interval } = time;
    return {
      ours,
      ci,
      n: score.n,
      how,
      time: { record: key, cell: cell.id, value, n, interval },
    };
  }
  return null;
}

function isRatioOf({ metric, of }: RecordedScore, [a, b]: readonly [string, string]): boolean {
  if (metric !== "latency-ratio") return false;
  return (of?.first === a && of.second === b) || (of?.first === b && of.second === a);
}

function apart(
  a: PaperCell,
  b: PaperCell,
  candidates: readonly Candidate[],
  timeOf: (cell: PaperCell, among: readonly Candidate[]) => TimeOf | null,
): Found | null {
  for (const key of new Set(candidates.map((c) => c.key))) {
    const own = candidates.filter((c) => c.key === key);
    const [mine, other] = [timeOf(a, own), timeOf(b, own)];
    if (!mine?.interval || !other?.interval || mine.name === other.name) continue;
    const [at, over] = [mine.interval, other.interval];
    const ci: [number, number] = [at.low / over.high, at.high / over.low];
    const { record, cell, value } = mine;
    const time = { record, cell, value, n: mine.n, interval: mine.interval };
    const n = Math.min(mine.n, other.n);
    return { ours: mine.value / other.value, ci, n, how: "one after the other in one run", time };
  }
  return null;
}

function digits(ratio: number): string {
  return ratio.toPrecision(3);
}

function timesText(ratio: number): string {
  return `${digits(ratio)} times`;
}
