import type { ShownCase } from "./shown-cases.js";

/**
 * The cases that are shown with neighbours and boxes. Columns, not rows: names once. Coordinates to
 * the pixel, scores to three digits.
 */
export function detailsJson(shown: readonly ShownCase[]): string {
  const plain = ["item", "image", "truth", "prediction", "rank", "width", "height"] as const;
  const columns: Record<string, unknown> = Object.fromEntries([
    ...repeated.map((name) => [name, coded(shown.map((row) => row[name]))]),
    ...plain.map((name) => [name, shown.map((row) => row[name])]),
  ]);
  columns.score = shown.map((row) => (row.score === null ? null : rounded(row.score)));
  columns.neighbours = shown.map(neighbours);
  columns.boxes = shown.map(boxes);
  return JSON.stringify(columns);
}

/** Columns of few distinct values: each value once, and its place for every row. */
const repeated = ["record", "cell", "dataset", "outcome", "lostAt"] as const;

function coded(column: readonly (string | null)[]): { values: (string | null)[]; at: number[] } {
  const values = [...new Set(column)];
  const places = new Map(values.map((value, i) => [value, i]));
  return { values, at: column.map((value) => places.get(value)!) };
}

function parsed(json: string | null): unknown {
  try {
    return json === null ? null : (JSON.parse(json) as unknown);
  } catch {
    return null;
  }
}

function rounded(x: number): number {
  return Math.round(x * 1000) / 1000;
}

/** The best three as [label, score, picture], whatever the record held. */
function neighbours(row: ShownCase): [string, number, string | null][] {
  return bestThree(parsed(row.neighbours));
}

function bestThree(list: unknown): [string, number, string | null][] {
  return Array.isArray(list)
    ? list
        .slice(0, 3)
        .flatMap((n: unknown): [string, number, string | null][] =>
          Array.isArray(n)
            ? [
                [
                  String(n[0]),
                  typeof n[1] === "number" ? rounded(n[1]) : 0,
                  typeof n[2] === "string" ? n[2] : null,
                ],
              ]
            : [],
        )
    : [];
}

function boxes(row: ShownCase): string | null {
  const value = parsed(row.boxes) as { truth?: unknown; found?: unknown } | null;
  if (value === null || typeof value !== "object") return null;
  const compact = (list: unknown): unknown[] =>
    Array.isArray(list)
      ? list
          .filter(Array.isArray)
          .filter((box: unknown[]) => box[6] !== "unused")
          .map((box: unknown[]) => [
            ...box
              .slice(0, 7)
              .map((x, i) => (typeof x !== "number" ? x : i < 4 ? Math.round(x) : rounded(x))),
            ...(box[6] === "kept" && Array.isArray(box[7]) ? [bestThree(box[7])] : []),
          ])
      : [];
  return JSON.stringify({ truth: compact(value.truth), found: compact(value.found) });
}
