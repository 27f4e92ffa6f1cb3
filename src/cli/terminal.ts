import Table from "cli-table3";
import pc from "picocolors";
import { directionMarks, shownMark, UserError } from "../pipeline/errors.js";

/** Colours on a terminal only (and never under NO_COLOR). */
const paint = pc.createColors(pc.isColorSupported && process.stdout.isTTY === true);
export const colour = paint;

export type Cell = string | number | null;

export interface Column {
  readonly head: string;
  readonly align?: "left" | "right";
}

/** An aligned text table without frames; escape sequences in cells are made visible. */
export function table(columns: readonly Column[], rows: readonly (readonly Cell[])[]): string {
  const blank = {
    top: "",
    "top-mid": "",
    "top-left": "",
    "top-right": "",
    bottom: "",
    "bottom-mid": "",
    "bottom-left": "",
    "bottom-right": "",
    left: "",
    "left-mid": "",
    mid: "",
    "mid-mid": "",
    right: "",
    "right-mid": "",
    middle: "  ",
  };
  const t = new Table({
    head: columns.map((c) => paint.bold(c.head)),
    colAligns: columns.map((c) => c.align ?? "left"),
    chars: blank,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
  });
  for (const row of rows) t.push(row.map((cell) => (cell === null ? "-" : visible(String(cell)))));
  return t
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

/** Control characters and direction marks as \\xNN, so that no name can drive the terminal. */
export function visible(text: string): string {
  return text
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, shownMark)
    .replace(directionMarks, shownMark);
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** One JSON document on standard output, ended by a newline. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

export function warn(text: string): void {
  process.stderr.write(`${paint.yellow("warning:")} ${visible(text)}\n`);
}

/** A UserError as one line (or JSON under --json); anything else is ours, with its stack. */
export function printError(error: unknown, { json }: { json: boolean }): void {
  if (error instanceof UserError) {
    if (json) process.stderr.write(`${JSON.stringify({ error: error.complaint })}\n`);
    else process.stderr.write(`shitu: ${error.message}\n`);
    return;
  }
  const stack = error instanceof Error ? error.stack : String(error);
  process.stderr.write(`shitu: internal error, please report it: ${stack}\n`);
}

/** Bytes for people, in the binary units that the paper's "M" means (MiB). */
export function bytes(n: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  let value = n;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toPrecision(value < 1000 ? 3 : 4)} ${units[unit]}`;
}

/** Milliseconds for people. */
export function ms(value: number): string {
  return value >= 1000 ? `${(value / 1000).toPrecision(3)} s` : `${value.toPrecision(3)} ms`;
}
