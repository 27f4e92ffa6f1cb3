import type { ChoiceAnswer, FamilyAnswer, PointAnswer } from "../eval/choose/answer.js";
import type { Growth } from "../eval/choose/growth/growth.js";
import { figureUnits, type FigureName } from "../eval/choose/point.js";
import type { Score } from "../eval/types.js";
import { bytes, colour, ms, table, visible } from "./terminal.js";

/** An answer for people. */
export function choiceText(answer: ChoiceAnswer): string {
  const parts = [heading(answer), picked(answer), families(answer), points(answer)];
  if (answer.growth) parts.push(growth(answer.growth), beyond(answer));
  if (answer.snippets) parts.push(snippets(answer.snippets));
  return parts.filter((part) => part !== "").join("\n\n");
}

function heading({ gallery, k, faiss, threads, spentMs }: ChoiceAnswer): string {
  const unit = gallery.kind === "real" ? "floats" : "bits";
  const queries = gallery.heldOut ? "held out of the gallery" : "given";
  const labels = gallery.labelled ? "" : "; no labels, so neighbour recall only";
  return [
    `${gallery.name}: ${gallery.vectors} vectors of ${gallery.dim} ${unit}, ${gallery.metric}; ` +
      `${gallery.queries} queries ${queries}; recall@${k}${labels}`,
    `measured in ${ms(spentMs)} with ${faiss}, ${threads} threads; one query at a time on one`,
  ].join("\n");
}

function picked({ pick, sure, runnerUp, nearest }: ChoiceAnswer): string {
  if (pick === null) {
    const list = nearest.map((p) => `  ${visible(p.name)}: ${missed(p)}`);
    return [colour.bold("Nothing keeps all limits. Nearest:"), ...list].join("\n");
  }
  const caution = sure ? "" : `\n  not sure: ${missed(pick)}`;
  const second = runnerUp ? `\nRunner-up: ${visible(runnerUp.name)}, ${costs(runnerUp)}` : "";
  return `${colour.bold(`Pick: ${visible(pick.name)}`)}, ${costs(pick)}${caution}${second}`;
}

function costs(point: PointAnswer): string {
  const { figures } = point;
  const parts = [
    `recall ${value("neighbourRecall", figures.neighbourRecall)}`,
    ...(known(figures.labelRecall)
      ? [`label recall@1 ${value("labelRecall", figures.labelRecall)}`]
      : []),
    `${value("p50Ms", figures.p50Ms)} a query (p99 ${value("p99Ms", figures.p99Ms)})`,
    `${value("memoryBytes", figures.memoryBytes)} in memory`,
    `built in ${value("buildMs", figures.buildMs)}`,
    ...throughputOf(point),
  ];
  return parts.join(", ");
}

function throughputOf({ throughput }: PointAnswer): string[] {
  const rates = throughput.flatMap(({ threads, perSecond }) =>
    perSecond.value === null
      ? []
      : [`${shownAs("per-second", perSecond.value)} on ${threads === 1 ? "one" : threads}`],
  );
  return rates.length === 0 ? [] : [`queries a second in batches ${rates.join(", ")} threads`];
}

function missed(point: PointAnswer): string {
  const limits = point.missed.map(({ option, what, needs, found, unit }) => {
    if (unit === "flag") return "cannot remove entries";
    const shown = found === null ? "not measured" : shownAs(unit, found);
    return `${what} ${shown}, ${option} ${shownAs(unit, needs)}`;
  });
  return limits.join("; ") || "keeps every limit";
}

function families({ families: list }: ChoiceAnswer): string {
  const rows = list.map(({ family, why, best }: FamilyAnswer) => [family, best?.name ?? null, why]);
  return table([{ head: "family" }, { head: "its best" }, { head: "why" }], rows);
}

const columns: readonly (readonly [string, FigureName])[] = [
  ["recall", "neighbourRecall"],
  ["label@1", "labelRecall"],
  ["p50", "p50Ms"],
  ["p99", "p99Ms"],
  ["queries/s", "queriesPerSecond"],
  ["disk", "diskBytes"],
  ["memory", "memoryBytes"],
  ["build", "buildMs"],
  ["load", "coldLoadMs"],
  ["after deletes", "churnRecall"],
];

/** The front, and the best of each family. */
function points({ points: all, families: list, runnerUp }: ChoiceAnswer): string {
  const best = new Set([...list.map((f) => f.best?.name), runnerUp?.name]);
  const shown = all.filter((p) => p.onFront || best.has(p.name)).sort(byTime);
  const rows = shown.map((p) => [
    p.onFront ? "*" : "",
    p.name,
    ...columns.map(([, name]) => value(name, p.figures[name])),
  ]);
  const heads = columns.map(([head]) => ({ head, align: "right" as const }));
  const body = table([{ head: "" }, { head: "index" }, ...heads], rows);
  return `${body}\n* on the front of recall and time; ${all.length} points measured`;
}

function byTime(a: PointAnswer, b: PointAnswer): number {
  return (a.figures.p50Ms?.value ?? Infinity) - (b.figures.p50Ms?.value ?? Infinity);
}

function growth(found: Growth): string {
  if ("why" in found) return `Growth: ${found.why}`;
  const rows = found.figures.flatMap(({ figure, predictions }) =>
    predictions.map(({ size, value: v, ci }) => [
      figure,
      size.toLocaleString("en-US"),
      shownAs(figureUnits[figure], v),
      ci && ci[0] !== ci[1] ? ci.map((x) => shownAs(figureUnits[figure], x)).join(" to ") : null,
    ]),
  );
  if (rows.length === 0) return "";
  const heads = [
    { head: "growth (extrapolated)" },
    { head: "vectors" },
    { head: "" },
    { head: "95%" },
  ];
  return table(heads, rows);
}

/** What was filled with drawn vectors is no measurement of the gallery. */
function beyond({ beyond: found }: ChoiceAnswer): string {
  if (found === null) return "";
  const { sizes, why } = found;
  const list = sizes.map((size) => size.toLocaleString("en-US")).join(", ");
  const filled =
    sizes.length === 0
      ? "No size beyond the gallery's own was measured"
      : `Measured at ${list}, too, filled with vectors drawn from a mixture fitted to these`;
  return `${filled}${why === null ? "" : `; ${why}`}.`;
}

function snippets({ yaml, paddleclas, python, typescript }: NonNullable<ChoiceAnswer["snippets"]>) {
  const blocks: [string, string | null][] = [
    ["YAML, an entry of `indexes`", yaml],
    ["PaddleClas", paddleclas],
    ["Python", python],
    ["TypeScript", typescript],
  ];
  return blocks
    .flatMap(([head, text]) => (text === null ? [] : [`${colour.bold(head)}\n${text}`]))
    .join("\n\n");
}

function known(score: Score | undefined): boolean {
  return score !== undefined && score.value !== null;
}

function value(name: FigureName, score: Score | undefined): string {
  if (score === undefined || score.value === null) return "-";
  return shownAs(figureUnits[name], score.value);
}

function shownAs(unit: string, v: number): string {
  if (unit === "ms") return ms(v);
  if (unit === "bytes") return bytes(Math.round(v));
  return unit === "ratio" ? v.toFixed(4) : v.toPrecision(3);
}
