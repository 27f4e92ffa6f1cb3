import type { Change } from "./change.js";
import { measureNamed, type Finding, type Measure } from "./measures.js";
import { itemsToTell, judgeLoss } from "./non-inferiority.js";
import type { Verdict } from "./verdict.js";

/** A limit: one number for all kinds of change, or one for each that has any. */
export type Limit = number | Partial<Readonly<Record<Change, number>>>;

export interface LimitResult {
  readonly measure: string;
  readonly dataset: string | null;
  readonly kind: Measure["kind"];
  readonly unit: Measure["unit"];
  readonly limit: number;
  readonly verdict: Verdict;
  /** One sentence. */
  readonly why: string;
  /** Items that would tell, where more of them would; null where that is no matter of items. */
  readonly itemsToTell: number | null;
  readonly finding: Finding;
}

/** The limit for a kind of change; null where there is none. */
export function limitFor(limit: Limit | undefined, change: Change): number | null {
  if (limit === undefined) return null;
  return typeof limit === "number" ? limit : (limit[change] ?? null);
}

/**
 * Holds each limit against every finding of its measure. A limit that nothing was measured for
 * cannot be told; it never passes by being left out.
 */
export function judgeLimits(
  limits: Readonly<Record<string, Limit>>,
  findings: readonly Finding[],
  { change, level }: { readonly change: Change; readonly level: number },
): LimitResult[] {
  return Object.entries(limits).flatMap(([name, given]) => {
    const limit = limitFor(given, change);
    if (limit === null) return [];
    const own = findings.filter((f) => f.measure === name);
    const list = own.length > 0 ? own : [notMeasured(name)];
    return list.map((finding) => judgeLimit(measureNamed(name), limit, finding, level));
  });
}

function notMeasured(measure: string): Finding {
  return { measure, dataset: null, value: null, why: "not measured" };
}

/** One limit against one finding. */
export function judgeLimit(
  measure: Measure,
  limit: number,
  finding: Finding,
  level: number,
): LimitResult {
  const { name, kind, unit } = measure;
  const head = { measure: name, dataset: finding.dataset, kind, unit, limit, finding };
  const cannot = (why: string, items: number | null = null): LimitResult => ({
    ...head,
    verdict: "cannot tell",
    why,
    itemsToTell: items,
  });
  if (finding.value === null) return cannot(finding.why ?? "not measured");
  if (finding.caution !== undefined) return cannot(finding.caution);
  const settled = { ...head, itemsToTell: null };
  if (kind === "loss") return judgeLossFinding(finding, limit, level, { cannot, settled });
  const bounds = finding.bounds ?? [finding.value, finding.value];
  // Higher is better from here on.
  const [low, high] = kind === "least" ? bounds : [-bounds[1], -bounds[0]];
  const bar = kind === "least" ? limit : -limit;
  if (low >= bar) return { ...settled, verdict: "pass", why: within(finding, kind, limit) };
  if (high < bar) return { ...settled, verdict: "fail", why: beyond(finding, kind, limit) };
  return cannot(`between ${show(bounds[0])} and ${show(bounds[1])}, the limit is ${show(limit)}`);
}

interface Words {
  cannot(why: string, items?: number | null): LimitResult;
  readonly settled: Omit<LimitResult, "verdict" | "why">;
}

function judgeLossFinding(
  finding: Finding,
  limit: number,
  level: number,
  { cannot, settled }: Words,
): LimitResult {
  const { value, bounds, deviation } = finding;
  if (!bounds) return cannot("no interval could be had of the difference");
  const percent = `${(100 * level).toPrecision(3)}%`;
  const verdict = judgeLoss({ bounds }, limit);
  if (verdict === "pass") {
    const least = signed(bounds[0]);
    const why = `not worse by more than ${show(limit)}, at ${percent} (${least} at least)`;
    return { ...settled, verdict, why };
  }
  if (verdict === "fail") {
    const why = `worse by more than ${show(limit)}, at ${percent} (${signed(bounds[1])} at most)`;
    return { ...settled, verdict, why };
  }
  const seen = `${signed(bounds[0])} to ${signed(bounds[1])} holds the limit`;
  if (deviation === undefined) return cannot(seen);
  const { items, why } = itemsToTell({ difference: value!, deviation }, limit, { level });
  return cannot(`${seen}; ${why} items`, items);
}

function within({ value }: Finding, kind: "least" | "most", limit: number): string {
  return kind === "least"
    ? `${show(value!)} is ${show(limit)} or more`
    : `${show(value!)} is ${show(limit)} or less`;
}

function beyond({ value }: Finding, kind: "least" | "most", limit: number): string {
  return `${show(value!)} is ${kind === "least" ? "below" : "above"} ${show(limit)}`;
}

/** A number as sentences show it: four digits, but never a miss rounded onto its limit. */
export function show(value: number): string {
  if (Number.isInteger(value)) return String(value);
  const short = Number(value.toPrecision(4));
  return Math.abs(value) < 1 && Math.abs(value) > 0.999 ? value.toFixed(6) : String(short);
}

function signed(value: number): string {
  return `${value > 0 ? "+" : ""}${show(value)}`;
}
