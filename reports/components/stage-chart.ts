import { formatMs } from "../analysis/format.js";
import { cellName, isMedian, known, type CompletedCell } from "../analysis/record-view.js";
import { chart } from "./chart.js";

export interface StageRow {
  readonly system: string;
  readonly stage: string;
  readonly ms: number;
  readonly n: number;
  readonly place: number;
}

/** The order of the pipeline; other stages follow as the record names them. */
const order = ["decode", "preprocess", "detect", "crop", "embed", "search", "suppress"];

/** The median of each stage (or the mean, where a record holds no median) of timed cells. */
export function stageRows(cells: readonly CompletedCell[]): StageRow[] {
  const rank = (stage: string): number =>
    order.includes(stage) ? order.indexOf(stage) : order.length;
  return cells.flatMap((cell) => {
    const stages = [
      ...new Set(
        cell.scores.filter((s) => s.metric === "latency").flatMap((s) => s.of?.stage ?? []),
      ),
    ]
      .filter((stage) => stage !== "overall")
      .sort((a, b) => rank(a) - rank(b));
    return stages.flatMap((stage, place): StageRow[] => {
      const of = cell.scores.filter((s) => s.metric === "latency" && s.of?.stage === stage);
      const score = known(
        of.find((s) => isMedian(s)) ??
          of.find((s) => s.of?.percentile === undefined || s.of.percentile === "mean"),
      );
      return score === undefined
        ? []
        : [{ system: cellName(cell, cells), stage, ms: score.value, n: score.n, place }];
    });
  });
}

/** Stacked bars, one a system, with the stages in the pipeline's order. */
export function stageChart(cells: readonly CompletedCell[]): HTMLElement {
  const rows = stageRows(cells);
  const stages = [...new Set(rows.map((r) => r.stage))];
  const most = [...rows].sort((a, b) => b.ms - a.ms)[0];
  const systems = new Set(rows.map((r) => r.system)).size;
  return chart({
    title: "Time of one picture by stage",
    description:
      most === undefined
        ? "No stage was timed."
        : `Stacked medians of ${stages.length} stages. The longest is ${most.stage} of ` +
          `${most.system} with ${formatMs(most.ms)}.`,
    rows,
    height: 46 * systems + 10,
    columns: [
      { head: "Stage", value: (r) => r.stage },
      { head: "System", value: (r) => r.system },
      { head: "Median", value: (r) => r.ms, text: (r) => formatMs(r.ms) },
      { head: "n", value: (r) => r.n },
    ],
    spec: (colours, width) => ({
      mark: {
        type: "bar",
        height: { band: 0.62 },
        cornerRadiusEnd: 0,
        stroke: colours.background,
        strokeWidth: 1,
      },
      encoding: {
        y: {
          field: "system",
          type: "nominal",
          sort: null,
          title: null,
          axis: { labelLimit: width < 500 ? 90 : 200 },
        },
        x: { field: "ms", type: "quantitative", title: "time (ms)", stack: "zero" },
        color: {
          field: "stage",
          type: "nominal",
          sort: stages,
          legend: { columns: width < 500 ? 3 : 0 },
        },
        order: { field: "place", type: "quantitative" },
        tooltip: [
          { field: "system", type: "nominal" },
          { field: "stage", type: "nominal" },
          { field: "ms", type: "quantitative", format: ".3f", title: "median (ms)" },
          { field: "n", type: "quantitative" },
        ],
      },
    }),
  });
}
