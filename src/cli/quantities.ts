import { UserError } from "../pipeline/errors.js";

/** Numbers with units, as the command line takes them. */

const times = { us: 1e-3, ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000 } as const;
const sizes = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
} as const;
const counts = { "": 1, k: 1e3, K: 1e3, M: 1e6, G: 1e9, B: 1e9 } as const;

/** `5ms`, `30s`, `10m` as milliseconds. */
export function duration(option: string, text: string): number {
  return quantity(option, text, times, "a time such as 5ms, 30s or 10m");
}

/** `500MB`, `2GiB` as bytes: MB is 10^6, MiB 2^20. */
export function byteSize(option: string, text: string): number {
  return quantity(option, text, sizes, "a size such as 500MB or 2GiB");
}

/** `145235`, `10M` as a number of things. */
export function count(option: string, text: string): number {
  return Math.round(quantity(option, text, counts, "a number such as 145235 or 10M"));
}

/** `0.95` or `95%`, above 0 and up to 1. */
export function ratio(option: string, text: string): number {
  const value = quantity(option, text, { "": 1, "%": 0.01 }, "a ratio such as 0.95");
  if (value > 1) throw bad(option, text, "a ratio above 0 and up to 1, such as 0.95");
  return value;
}

function quantity(
  option: string,
  text: string,
  units: Readonly<Record<string, number>>,
  expected: string,
): number {
  const [, digits, unit = ""] = /^(\d+(?:\.\d+)?|\.\d+)\s*([a-zA-Z%]*)$/.exec(text.trim()) ?? [];
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  const value = Number(digits) * (factor ?? NaN);
  if (!(value > 0) || !Number.isFinite(value)) throw bad(option, text, expected);
  return value;
}

function bad(option: string, text: string, expected: string): UserError {
  return new UserError({
    code: "bad-option",
    message: `${option} takes ${expected}`,
    found: JSON.stringify(text),
  });
}
