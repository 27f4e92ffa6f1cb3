import { levelText } from "npm:shitu-bench/src/eval/record/interval-text";
import type { Interval } from "../../src/eval/types.js";
import { formatBytes, formatMs, formatShare, formatValue } from "./format.js";
import { drawnVectors } from "./index-choice.js";
import { roleOf } from "./series.js";
import { overallMedian } from "./system-rows.js";
import {
  codesOf,
  completedCells,
  isMedian,
  known,
  labelValues,
  mainScore,
  scoreOf,
  valueOf,
  type CompletedCell,
  type RecordView,
} from "./record-view.js";

/**
 * The one thing that a record says, as a sentence made of its numbers; null where it says nothing
 * that a sentence holds.
 */
export function headlineOf(record: RecordView, kind?: string): string | null {
  const kinds =
    kind === undefined
      ? ["pipeline", "latency", "index", "retrieval", "detection", "classification"]
      : [kind];
  for (const one of kinds) {
    if (completedCells(record, one).length === 0) continue;
    const text = sentences[one]?.(record) ?? null;
    if (text !== null) return text;
  }
  return null;
}

const sentences: Readonly<Record<string, (record: RecordView) => string | null>> = {
  pipeline: systems,
  latency: systems,
  detection,
  retrieval,
  classification,
  index: indexes,
};

const sets = (n: number): string => (n === 1 ? "one set" : `${n} sets`);

function systems(record: RecordView): string | null {
  const timed = completedCells(record, "latency").flatMap((cell) => {
    const ms = overallMedian(cell)?.value;
    return ms === undefined ? [] : [{ name: cell.labels.system ?? cell.labels.model ?? "", ms }];
  });
  const scored = completedCells(record, "pipeline").flatMap((cell) => {
    const score = known(mainScore(cell));
    return score
      ? [{ name: cell.labels.system ?? "", f1: score.value, n: score.n, interval: score.interval }]
      : [];
  });
  const of = <T extends { name: string }>(rows: readonly T[], role: string): T | undefined =>
    rows.find((r) => roleOf(r.name) === role);
  const [serverMs, lightMs, serverF1, lightF1] = [
    of(timed, "server"),
    of(timed, "light"),
    of(scored, "server"),
    of(scored, "light"),
  ];
  // Turns taken on the same pictures tell more than two medians one after the other.
  const ratio =
    serverMs && lightMs
      ? known(
          completedCells(record, "latency-comparison")
            .flatMap((cell) => cell.scores)
            .find(
              (s) =>
                s.metric === "latency-ratio" &&
                s.of?.first === serverMs.name &&
                s.of.second === lightMs.name &&
                s.of.stage === undefined,
            ),
        )
      : undefined;
  const times = ratio
    ? `${formatShare(ratio.value)} of the time a picture${turnsText(ratio.interval)}`
    : serverMs && lightMs
      ? `${formatShare(lightMs.ms / serverMs.ms)} of the time (${formatMs(lightMs.ms)} of ` +
        `${formatMs(serverMs.ms)} a picture)`
      : null;
  const together = overlap(lightF1?.interval ?? null, serverF1?.interval ?? null);
  const scores =
    serverF1 && lightF1 && serverF1.f1 > 0
      ? `${formatShare(lightF1.f1 / serverF1.f1)} of the server system's F1 ` +
        `(${formatValue(lightF1.f1, "ratio")} of ${formatValue(serverF1.f1, "ratio")}, n = ` +
        `${serverF1.n}${together ? "; their intervals overlap" : ""})`
      : null;
  if (times !== null && scores !== null) return `The light system keeps ${scores} at ${times}.`;
  if (times !== null)
    return `The light system takes ${times.replace("of the time", "of the server system's time")}.`;
  if (scores !== null) return `The light system keeps ${scores}.`;
  const best = [...scored].sort((a, b) => b.f1 - a.f1)[0];
  if (best)
    return (
      `${best.name} reaches an F1 of ${formatValue(best.f1, "ratio")} (box and label, n ` +
      `= ${best.n}).`
    );
  const fastest = [...timed].sort((a, b) => a.ms - b.ms)[0];
  return fastest ? `${fastest.name} takes ${formatMs(fastest.ms)} a picture in the median.` : null;
}

/** Where systems took turns: the ratio's interval. */
function turnsText(interval: Interval | null): string {
  if (!interval) return "";
  const bounds = `${formatShare(interval.low)} to ${formatShare(interval.high)}`;
  return ` (${levelText(interval.level)} interval ${bounds}, systems taking turns)`;
}

function overlap(a: Interval | null, b: Interval | null): boolean {
  return a !== null && b !== null && a.low <= b.high && b.low <= a.high;
}

/** Means over the data sets that all named models have. */
function meansByModel(
  cells: readonly CompletedCell[],
  metric: string,
): { name: string; mean: number; sets: number }[] {
  const names = labelValues(cells, "model");
  return names
    .map((name) => {
      const values = cells
        .filter((cell) => cell.labels.model === name)
        .flatMap((cell) => valueOf(cell, metric) ?? []);
      return { name, mean: values.reduce((a, b) => a + b, 0) / values.length, sets: values.length };
    })
    .filter((m) => m.sets > 0)
    .sort((a, b) => b.sets - a.sets || b.mean - a.mean);
}

function detection(record: RecordView): string | null {
  const cells = completedCells(record, "detection");
  const means = meansByModel(cells, "AP");
  const [server, light] = ["server", "light"].map((role) =>
    means.find((m) => roleOf(m.name) === role),
  );
  const ms = (name: string): number | null => {
    const values = cells
      .filter((c) => c.labels.model === name)
      .flatMap((c) => valueOf(c, "latency") ?? []);
    return values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length;
  };
  if (server && light && server.sets === light.sets && server.mean > 0) {
    const [slow, fast] = [ms(server.name), ms(light.name)];
    const time =
      slow !== null && fast !== null
        ? ` at ${formatShare(fast / slow)} of its time (${formatMs(fast)} of ${formatMs(slow)})`
        : "";
    return (
      `${light.name} keeps ${formatShare(light.mean / server.mean)} of the AP of ` +
      `${server.name} (${formatValue(light.mean, "ratio")} of ` +
      `${formatValue(server.mean, "ratio")}, mean of ` +
      `${sets(light.sets)})${time}.`
    );
  }
  const best = means[0];
  return best
    ? `${best.name} finds objects with an AP of ` +
        `${formatValue(best.mean, "ratio")}${best.sets > 1 ? `, mean of ${sets(best.sets)}` : ""}.`
    : null;
}

function retrieval(record: RecordView): string | null {
  const cells = completedCells(record, "retrieval");
  const codes = new Set(cells.map(codesOf));
  if (codes.size === 2) {
    const pair = bestBinary(cells);
    if (pair) {
      const smaller =
        pair.realBytes !== null && pair.binaryBytes !== null
          ? ` in an index of 1/${Math.round(pair.realBytes / pair.binaryBytes)} of the size ` +
            `(${formatBytes(pair.binaryBytes)} of ${formatBytes(pair.realBytes)})`
          : "";
      const picked = pair.of > 1 ? `, the best of ${pair.of},` : "";
      return (
        `The binary codes of ${pair.binary}${picked} keep ` +
        `${formatShare(pair.binaryRecall / pair.realRecall)} of the recall@1 of real ` +
        `vectors (${formatValue(pair.binaryRecall, "ratio")} of ` +
        `${formatValue(pair.realRecall, "ratio")}, mean of ` +
        `${sets(pair.sets)})${smaller}.`
      );
    }
  }
  const means = meansByModel(
    cells.filter((c) => codesOf(c) === "real"),
    "recall@1",
  );
  const [server, light] = ["server", "light"].map((role) =>
    means.find((m) => roleOf(m.name) === role),
  );
  if (server && light && server.sets === light.sets && server.mean > 0)
    return (
      `${light.name} keeps ${formatShare(light.mean / server.mean)} of the recall@1 of ` +
      `${server.name} (${formatValue(light.mean, "ratio")} of ` +
      `${formatValue(server.mean, "ratio")}, mean of ${sets(light.sets)}).`
    );
  const best = means[0];
  return best
    ? `${best.name} puts the right label first for ${formatShare(best.mean)} of the ` +
        `queries${best.sets > 1 ? ` (recall@1, mean of ${sets(best.sets)})` : " (recall@1)"}.`
    : null;
}

/**
 * The real cells beside the binary model that keeps most of their recall, over the sets that both
 * have.
 */
export function bestBinary(cells: readonly CompletedCell[]): {
  binary: string;
  /** Binary models that it was picked from, on these very figures. */
  of: number;
  sets: number;
  realRecall: number;
  binaryRecall: number;
  realBytes: number | null;
  binaryBytes: number | null;
} | null {
  const real = new Map(
    cells.filter((c) => codesOf(c) === "real").map((c) => [c.labels.dataset ?? "", c]),
  );
  const mean = (list: readonly (number | null)[]): number | null =>
    list.length === 0 || list.includes(null)
      ? null
      : (list as number[]).reduce((a, b) => a + b, 0) / list.length;
  const found = labelValues(
    cells.filter((c) => codesOf(c) === "binary"),
    "model",
  ).flatMap((binary) => {
    const own = cells.filter(
      (c) =>
        codesOf(c) === "binary" && c.labels.model === binary && real.has(c.labels.dataset ?? ""),
    );
    const beside = own.map((c) => real.get(c.labels.dataset ?? "")!);
    const [binaryRecall, realRecall] = [
      mean(own.map((c) => valueOf(c, "recall@1"))),
      mean(beside.map((c) => valueOf(c, "recall@1"))),
    ];
    return binaryRecall === null || realRecall === null || realRecall === 0
      ? []
      : [
          {
            binary,
            sets: own.length,
            realRecall,
            binaryRecall,
            realBytes: mean(beside.map((c) => valueOf(c, "index-size"))),
            binaryBytes: mean(own.map((c) => valueOf(c, "index-size"))),
          },
        ];
  });
  const best = found.sort((a, b) => b.sets - a.sets || b.binaryRecall - a.binaryRecall)[0];
  return best ? { ...best, of: found.length } : null;
}

/** A named score of a headline, with where the truth may lie. */
interface Ranked {
  readonly name: string;
  readonly value: number;
  readonly interval: Interval | null;
}

/**
 * Those that the first is not told apart from, itself among them: whose interval reaches into its
 * own, or which has none. Two intervals that do not meet differ by more than a paired test at the
 * same level asks for, with room for ten such tests (Holm).
 */
export function notToldApart(ranked: readonly Ranked[]): Ranked[] {
  const [best] = ranked;
  if (!best) return [];
  return ranked.filter((r) => r === best || !apart(best.interval, r.interval));
}

function apart(a: Interval | null, b: Interval | null): boolean {
  return a !== null && b !== null && !overlap(a, b);
}

function namesOf(ranked: readonly Ranked[]): string {
  const names = ranked.map((r) => r.name);
  if (names.length > 4) return `${names.length} of them`;
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

function classification(record: RecordView): string | null {
  const cells = completedCells(record, "classification")
    .flatMap((cell) => {
      const top1 = known(scoreOf(cell, "top-1"));
      const time = known(cell.scores.find((s) => s.metric === "latency" && isMedian(s)));
      return top1 ? [{ name: cell.labels.model ?? "", ...top1, time }] : [];
    })
    .sort((a, b) => b.value - a.value);
  const best = cells[0];
  if (!best) return null;
  const level = notToldApart(cells);
  const time = best.time ? ` in ${formatMs(best.time.value)}` : "";
  const first =
    level.length > 1
      ? `Of ${cells.length} networks measured, ${namesOf(level)} are not told apart at the top: ` +
        `top-1 ${formatValue(level.at(-1)!.value, "ratio")} to ${formatValue(best.value, "ratio")}`
      : cells.length === 1
        ? `${best.name} is the only network measured: top-1 ${formatValue(best.value, "ratio")}` +
          time
        : `Of ${cells.length} networks measured, ${best.name} is the most accurate: top-1 ` +
          `${formatValue(best.value, "ratio")}${time}`;
  const times = cells
    .flatMap(({ name, time: t }) => (t ? [{ name, value: t.value, interval: t.interval }] : []))
    .sort((a, b) => a.value - b.value);
  const quick = notToldApart(times);
  return quick.length === 1 && times.length > 1 && times[0]!.name !== best.name
    ? `${first}; ${times[0]!.name} is the fastest, ${formatMs(times[0]!.value)}.`
    : `${first} (n = ${best.n.toLocaleString("en-US")}).`;
}

interface IndexPoint {
  readonly cell: CompletedCell;
  readonly recall: Known;
  readonly time: Known;
}

type Known = NonNullable<ReturnType<typeof known>>;

function indexes(record: RecordView): string | null {
  const points = completedCells(record, "index").flatMap((cell): IndexPoint[] => {
    const recall = known(scoreOf(cell, "label-recall@1"));
    const time = known(scoreOf(cell, "retrieval-time"));
    return recall && time ? [{ cell, recall, time }] : [];
  });
  const exact = points.find(
    (p) => codesOf(p.cell) === "real" && /^Flat/.test(p.cell.labels.index ?? ""),
  );
  if (!exact) return null;
  const ms = exact.time.value;
  const fast = points
    .filter((p) => p !== exact && p.recall.value >= exact.recall.value - 0.01)
    .filter((p) => p.time.value < ms && apart(p.time.interval, exact.time.interval))
    .sort((a, b) => a.time.value - b.time.value)[0];
  const drawn = drawnVectors(exact.cell);
  // Recall of drawn vectors says nothing of a user's: that comes first.
  const on = drawn === null ? "" : `On ${drawn} drawn vectors, not embedded pictures: `;
  if (!fast)
    return (
      `${on}${drawn === null ? "No" : "no"} index is shown to be faster than exact search ` +
      `(${formatMs(ms)} a query) without losing more than 0.01 of its label recall.`
    );
  const { labels } = fast.cell;
  const parameters = ["nprobe", "efSearch"]
    .filter((p) => labels[p] && !labels.index?.includes(`${p} `))
    .map((p) => `${p} ${labels[p]}`);
  return (
    `${on}${[labels.index, ...parameters].join(" ")} over ${codesOf(fast.cell)} codes answers ` +
    `${(ms / fast.time.value).toPrecision(2)} ` +
    `times as fast as exact search (${formatMs(fast.time.value)} against ${formatMs(ms)} ` +
    "a query, one after the other) with its label recall@1 within 0.01 " +
    `(${formatValue(fast.recall.value, "ratio")} against ` +
    `${formatValue(exact.recall.value, "ratio")}), picked from ${points.length} on these figures.`
  );
}
