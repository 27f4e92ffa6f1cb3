import type { RecordedScore } from "../../src/eval/record/record.js";

/**
 * Numbers for people. Records hold milliseconds, bytes and ratios raw; nothing is rounded before it
 * is printed here.
 */

export type Unit = RecordedScore["unit"];

const minus = (text: string): string => text.replace("-", "−");

/** Three significant digits, never an exponent. */
function significant(value: number): string {
  if (value === 0) return "0";
  const digits = Math.max(0, Math.min(6, 2 - Math.floor(Math.log10(Math.abs(value)))));
  return value.toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** Bytes in the binary units that the paper's "M" means. */
export function formatBytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  let power = 0;
  while (Math.abs(value) >= 1024 && power < units.length - 1) {
    value /= 1024;
    power++;
  }
  return minus(`${power === 0 ? String(value) : significant(value)} ${units[power]}`);
}

export function formatMs(value: number): string {
  return minus(
    Math.abs(value) >= 1000 ? `${significant(value / 1000)} s` : `${significant(value)} ms`,
  );
}

export function formatCount(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e9) return minus(`${significant(value / 1e9)} G`);
  if (size >= 1e6) return minus(`${significant(value / 1e6)} M`);
  return minus(Number.isInteger(value) ? value.toLocaleString("en-US") : significant(value));
}

/** One value with its unit; ratios with three decimals, as the paper prints them. */
export function formatValue(value: number, unit: Unit): string {
  switch (unit) {
    case "ratio":
      return minus(value.toFixed(3));
    case "ms":
      return formatMs(value);
    case "bytes":
      return formatBytes(value);
    case "count":
      return formatCount(value);
    case "per-second":
      return `${minus(significant(value))} /s`;
  }
}

/** A part of a whole in words: `81%`. */
export function formatShare(value: number): string {
  const percent = 100 * value;
  return `${percent.toFixed(percent !== 0 && Math.abs(percent) < 9.95 ? 1 : 0)}%`;
}

/** A difference with its sign: `+0.012`, `−3.40 ms`. */
export function formatDifference(value: number, unit: Unit): string {
  const text = formatValue(value, unit);
  return value > 0 ? `+${text}` : text;
}

/**
 * `0.724 – 0.775`, or `−0.085 to −0.028` where a dash would read as a sign; a shared unit after the
 * second bound only.
 */
export function formatInterval(low: number, high: number, unit: Unit): string {
  const [a, b] = [formatValue(low, unit), formatValue(high, unit)];
  const suffix = /\s\S+$/.exec(b)?.[0] ?? "";
  const first = suffix !== "" && a.endsWith(suffix) ? a.slice(0, -suffix.length) : a;
  return `${first}${low < 0 ? " to " : " – "}${b}`;
}

/** `31 Jan 2026, 14:05 UTC`. */
export function formatTime(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const day = { day: "numeric", month: "short", year: "numeric" } as const;
  const time = { hour: "2-digit", minute: "2-digit" } as const;
  return `${date.toLocaleString("en-GB", { ...day, ...time, timeZone: "UTC" })} UTC`;
}

/** `4 min 12 s` between two instants; an empty text where either is no date. */
export function formatDuration(from: string, to: string): string {
  const seconds = Math.round((Date.parse(to) - Date.parse(from)) / 1000);
  if (!Number.isFinite(seconds) || seconds < 0) return "";
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/**
 * Ticks of a logarithmic axis over some positive values: the wider their range, the fewer a power
 * of ten.
 */
export function logTicks(values: readonly number[]): number[] {
  const positive = values.filter((v) => v > 0);
  if (positive.length === 0) return [];
  const [low, high] = [
    Math.floor(Math.log10(Math.min(...positive))),
    Math.ceil(Math.log10(Math.max(...positive))),
  ];
  const ratio = Math.max(...positive) / Math.min(...positive);
  const steps =
    ratio > 2000 ? [1] : ratio > 200 ? [1, 3] : ratio > 10 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 8];
  return Array.from({ length: high - low + 1 }, (_, i) => low + i).flatMap((power) =>
    steps.map((step) => Number((step * 10 ** power).toPrecision(3))),
  );
}
