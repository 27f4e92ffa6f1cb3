import { axisPlace, placeLabels } from "../analysis/label-places.js";

/** A mark in the units of its axes. */
export interface AxisMark<Row> {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  /** The ends of its whisker on the y axis. */
  readonly whisker?: readonly [number, number] | undefined;
  readonly row: Row;
}

export interface AxisRange {
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
  readonly logX?: boolean;
  /** Of the whole chart, in pixels. */
  readonly width: number;
  readonly height: number;
}

/** What the y axis with its title takes of a chart's width. */
const axisWidth = 56;

/**
 * A Vega-Lite layer with the names of marks, moved apart; a name that has no room is left to the
 * tooltip and the table. The layer's `x` and `y` are those of its chart.
 */
export function namesBeside<Row extends object>(
  marks: readonly AxisMark<Row>[],
  { x, y, logX = false, width, height }: AxisRange,
): Record<string, unknown> {
  const plot = { width: Math.max(100, width - axisWidth), height };
  const down = (value: number): number => (1 - axisPlace(value, y)) * height;
  const places = placeLabels(
    marks.map((mark) => ({
      name: mark.name,
      x: axisPlace(mark.x, x, logX) * plot.width,
      y: down(mark.y),
      ...(mark.whisker && { whisker: [down(mark.whisker[1]), down(mark.whisker[0])] as const }),
    })),
    plot,
  );
  const values = marks.flatMap(({ name, row }, i) => {
    const place = places[i];
    return place ? [{ ...row, label: name, ...place }] : [];
  });
  return {
    data: { values },
    mark: {
      type: "text",
      fontSize: 10.5,
      baseline: "middle",
      tooltip: false,
      align: { expr: "datum.align" },
      dx: { expr: "datum.dx" },
      dy: { expr: "datum.dy" },
    },
    encoding: { text: { field: "label" } },
  };
}
