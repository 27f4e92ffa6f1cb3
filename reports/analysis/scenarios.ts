import { cellName, type CompletedCell } from "./record-view.js";

/** One rate of the Server scenario that was tried. */
export interface ServerRate {
  readonly system: string;
  /** Pictures a second. */
  readonly rate: number;
  readonly percentile: string;
  readonly boundMs: number;
  readonly ms: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly n: number;
  readonly verdict: string;
}

/** Every rate that was tried, by system and rate, with the verdict that the record gives it. */
export function serverRates(cells: readonly CompletedCell[]): ServerRate[] {
  return cells
    .flatMap((cell) =>
      cell.scores.flatMap((score): ServerRate[] => {
        const { rate, percentile, boundMs } = score.of ?? {};
        if (
          score.metric !== "server-latency" ||
          score.value === null ||
          !(Number(rate) > 0) ||
          !(Number(boundMs) > 0)
        )
          return [];
        const finding = cell.findings?.find(
          (f) =>
            f.about === "server" &&
            f.of.rate === rate &&
            f.of.percentile === percentile &&
            f.of.boundMs === boundMs,
        );
        return [
          {
            system: cellName(cell, cells),
            rate: Number(rate),
            percentile: percentile ?? "",
            boundMs: Number(boundMs),
            ms: score.value,
            low: score.interval?.low ?? null,
            high: score.interval?.high ?? null,
            n: score.n,
            verdict: finding?.verdict ?? (score.value <= Number(boundMs) ? "met" : "missed"),
          },
        ];
      }),
    )
    .sort((a, b) => a.system.localeCompare(b.system) || a.rate - b.rate);
}
