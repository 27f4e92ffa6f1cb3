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
  readonly verdict: RatioVerdict;
  /** How ours was measured. */
  readonly how: string;
  /** One sentence: both ratios, how ours was measured, and what differs. */
  readonly why: string;
  /** Our time of the paper's cell. */
  readonly time: Omit<TimeOf, "name">;
}

export type RatioVerdict = "agrees" | "differs" | "cannot tell";

/** A time of ours, and where it stands. */
export interface TimeOf {
  readonly name: string;
  readonly record: string;
  readonly cell: string;
  readonly value: number;
  readonly n: number;
  readonly interval: Interval | null;
}

type Completed = Extract<Cell, { state: "completed" }>;

export interface Candidate {
  readonly key: string;
  readonly cell: Completed;
}

/**
 * How far beyond the paper's own rounding an interval that holds its ratio may reach before it
 * holds too much: a run so noisy that it agrees with everything agrees with nothing.
 */
export const agreementMargin = 0.1;

/** What ours is measured with where the paper's has Paddle, ten threads and its own processor. */
const differs =
  "engine (ONNX Runtime for Paddle with MKL-DNN), number of threads and processor are not " +
  "the paper's";

/** The name by which a cell's row goes in records. */
export function rowName({ is }: PaperCell): string | undefined {
  return is.model ?? is.system;
}

/**
 * The cell that another is put in proportion to: of its column, else the one of another table that
 * its column names. Null where there is no other number.
 */
export function partnerOf(cell: PaperCell, cells: readonly PaperCell[]): PaperCell | null {
  const place = ({ is }: PaperCell): string =>
    JSON.stringify([is.metric, is.dataset, is.stage, is.processor]);
  const column = cells.filter((c) => c.value !== null && place(c) === place(cell));
  const last = column.at(-1);
  if (column.length < 2 || !last) return elsewhere(cell);
  return rowName(last) === rowName(cell) ? column[0]! : last;
}

function elsewhere({ beside, ...cell }: PaperCell): PaperCell | null {
  if (beside === null) return null;
  const { row, value, rounding, printed, table } = beside;
  const is = { ...cell.is, model: row };
  return { ...cell, is, row: `${row} of Table ${table}`, printed, value, rounding, beside: null };
}

/**
 * The ratio of two cells' times where one record holds both. Only rounds in which both ran, beside
 * a passed noise certificate of each, can agree or differ; of what else there is "cannot tell" is
 * said, with the reason.
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
  const { objection, ...ratio } = found;
  const printed = printedRange(cell, partner);
  const { verdict, reason } = judgeRatio(ratio.ci, printed, objection);
  const paper = cell.value! / partner.value!;
  const against = partner.row === cell.row ? partner.column : partner.row;
  const text = `${digits(paper)} times as long as ${against}; here ${digits(ratio.ours)} times`;
  const [from, to] = ratio.ci.map(digits);
  const said = `the paper: ${text} [${from}, ${to}], ${ratio.how}`;
  const why = reason === null ? `${said}; ${differs}` : `${reason}; ${said}`;
  return { ...ratio, against, paper, verdict, why };
}

/** What the printed digits of two numbers leave open of their ratio. */
function printedRange(a: PaperCell, b: PaperCell): readonly [number, number] {
  return [
    (a.value! - a.rounding) / (b.value! + b.rounding),
    (a.value! + a.rounding) / Math.max(b.value! - b.rounding, Number.MIN_VALUE),
  ];
}

/**
 * In three words. Differs: the interval does not reach what the paper's digits allow. Agrees: it
 * does, and reaches no further than `agreementMargin` beyond them.
 */
export function judgeRatio(
  [low, high]: readonly [number, number],
  [least, most]: readonly [number, number],
  objection: string | null = null,
): { readonly verdict: RatioVerdict; readonly reason: string | null } {
  if (objection !== null) return { verdict: "cannot tell", reason: objection };
  if (high < least || low > most) return { verdict: "differs", reason: null };
  const within = low >= least / (1 + agreementMargin) && high <= most * (1 + agreementMargin);
  if (within) return { verdict: "agrees", reason: null };
  const wide = `more than ${100 * agreementMargin}% beyond the paper's digits`;
  return { verdict: "cannot tell", reason: `the interval reaches ${wide}` };
}

interface Found extends Pick<RatioComparison, "ours" | "ci" | "n" | "time" | "how"> {
  /** Why nothing can be said of it; null where it can. */
  readonly objection: string | null;
}

/** The fewest threads first, of what is certified before what is not. */
function interleaved(a: PaperCell, b: PaperCell, candidates: readonly Candidate[]): Found | null {
  const found = candidates.flatMap((candidate) => {
    const ratio = ratioIn(candidate, a, b, candidates);
    return ratio === null ? [] : [{ ratio, threads: threadsOf(candidate) }];
  });
  found.sort(
    (x, y) =>
      Number(x.ratio.objection !== null) - Number(y.ratio.objection !== null) ||
      x.threads - y.threads,
  );
  return found[0]?.ratio ?? null;
}

function threadsOf({ cell }: Candidate): number {
  return Number(cell.labels.threads ?? 1);
}

function ratioIn(
  candidate: Candidate,
  a: PaperCell,
  b: PaperCell,
  candidates: readonly Candidate[],
): Found | null {
  const { key, cell } = candidate;
  const own = candidates.filter((c) => c.key === key).map((c) => c.cell);
  const [name, other] = [nameIn(a, own), nameIn(b, own)];
  const within = (of: RecordedScore["of"]): boolean => (of?.stage ?? "overall") === stageOf(a);
  const score = cell.scores.find(
    ({ metric, of }) =>
      metric === "latency-ratio" &&
      within(of) &&
      ((of?.first === name && of.second === other) || (of?.first === other && of.second === name)),
  );
  const time = cell.scores.find(
    ({ metric, of }) => metric === "round-latency" && of?.system === name && within(of),
  );
  if (!score || score.value === null || score.interval === null) return null;
  if (!time || time.value === null) return null;
  const { value, n, interval } = time;
  const same = score.of?.second === name;
  const { low, high } = score.interval;
  const threads = threadsOf(candidate);
  return {
    ours: same ? score.value : 1 / score.value,
    ci: same ? [low, high] : [1 / high, 1 / low],
    n: score.n,
    how: `run in turns, ${score.n} rounds on ${threads} ${threads === 1 ? "thread" : "threads"}`,
    objection: objectionTo(cell, [name, other], within),
    time: { record: key, cell: cell.id, value, n, interval },
  };
}

/** The stage of a system that a time is of; "overall" where it is of all or of a model. */
export function stageOf({ is }: PaperCell): string {
  return is.stage ?? "overall";
}

/** What a record calls the paper's row: comparisons hold several, and have no label for it. */
export function nameIn({ is }: PaperCell, cells: readonly Completed[]): string {
  const cell = cells.find(({ labels }) =>
    is.model === undefined ? labels.paperSystem === is.system : labels.paperModel === is.model,
  );
  const { system, model, codes, index } = cell?.labels ?? {};
  const pair = codes !== undefined && index !== undefined ? `${codes} ${index}` : undefined;
  return system ?? model ?? pair ?? is.model ?? is.system ?? "";
}

/** Where a noise certificate is missing or failed, or the ratio drifts. */
function objectionTo(
  { findings = [] }: Candidate["cell"],
  names: readonly string[],
  within: (of: RecordedScore["of"]) => boolean,
): string | null {
  const here = findings.filter(({ of }) => within(of));
  for (const name of names) {
    const certificate = here.find((f) => f.about === "noise" && f.of.system === name);
    if (!certificate) return `there is no noise certificate of ${name}`;
    if (certificate.verdict !== "passed")
      return `the noise certificate of ${name} ${certificate.verdict} (${certificate.why})`;
  }
  const drift = here.find(
    ({ about, of }) =>
      about === "drift" && [of.first, of.second].every((n) => n !== undefined && names.includes(n)),
  );
  return drift?.why ?? null;
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
    const { record, cell, value, interval } = mine;
    return {
      ours: value / other.value,
      ci: [at.low / over.high, at.high / over.low],
      n: Math.min(mine.n, other.n),
      how: "one after the other in one run",
      objection: "the two were not timed in turns",
      time: { record, cell, value, n: mine.n, interval },
    };
  }
  return null;
}

function digits(ratio: number): string {
  return ratio.toPrecision(3);
}
