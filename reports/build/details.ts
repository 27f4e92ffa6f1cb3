import { packBoxes, packNeighbours } from "../analysis/packed-cases.js";
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
  columns.score = shown.map(({ score }) =>
    score === null ? null : Math.round(score * 1000) / 1000,
  );
  columns.neighbours = shown.map(({ neighbours }) => packNeighbours(neighbours ?? []));
  columns.boxes = shown.map(({ boxes }) => boxes && packBoxes(boxes));
  return JSON.stringify(columns);
}

/** Columns of few distinct values: each value once, and its place for every row. */
const repeated = ["record", "cell", "dataset", "outcome", "lostAt"] as const;

function coded(column: readonly (string | null)[]): { values: (string | null)[]; at: number[] } {
  const values = [...new Set(column)];
  const places = new Map(values.map((value, i) => [value, i]));
  return { values, at: column.map((value) => places.get(value)!) };
}
