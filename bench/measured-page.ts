import type { BenchCell, BenchResult, BenchTable } from "./result.js";
import { subjects } from "./result.js";

const widest = 100;
const titles: Readonly<Record<(typeof subjects)[number], string>> = {
  pictures: "Pictures",
  preprocessing: "Preprocessing",
  models: "Models",
  detection: "Detection",
  retrieval: "Retrieval",
  "end-to-end": "End to end",
  "search-engines": "Search engines",
  intervals: "Intervals",
  latency: "Latency",
  experiments: "Experiments",
  reports: "Reports",
  "embedded-benchmark": "Embedded benchmark",
};

/** docs/measured.md: every result by subject, each under a heading that is its name's anchor. */
export function measuredPage(results: readonly BenchResult[]): string {
  const parts = subjects.flatMap((subject) => {
    const own = results
      .filter((r) => r.subject === subject)
      .sort((a, b) => a.name.localeCompare(b.name, "en"));
    if (own.length === 0) return [];
    return [
      `## ${titles[subject]}`,
      `What these numbers mean: [${subject}](methodology/${subject}.md).`,
      ...own.map(section),
    ];
  });
  return [
    "# Measured",
    "<!-- Made by `npm run measured` of the files in bench/results; do not edit. -->",
    "Figures about this tool itself: the newest result of each program, from the dated files in " +
      "`bench/results/`. Ratios of time are of two things measured in turn in one run; a time " +
      "alone says something about its machine, under its load, only. _Transcribed_ figures were " +
      "read off a page that was written by hand, before programs kept results; running the " +
      "program again replaces them.",
    ...parts,
  ].join("\n\n");
}

function section(result: BenchResult): string {
  const { title, command, tables, findings } = result;
  return [
    `### ${title}`,
    origin(result),
    command === null ? "No program for it was kept." : `Made by \`${command}\``,
    ...tables.map(tableText),
    ...findings,
  ].join("\n\n");
}

function origin({ date, source, machine, load, versions }: BenchResult): string {
  if (source.kind === "transcribed")
    return `${date}, transcribed from ${source.from} (${source.commit}); ${told(machine)}.`;
  const facts = machine as Record<string, { value?: unknown } | undefined>;
  const fact = (name: string): string => String(facts[name]?.value ?? "unknown");
  const loads = load === null ? "unknown" : `${load.before.toFixed(1)} to ${load.after.toFixed(1)}`;
  return (
    `${date}, commit ${source.commit ?? "unknown"}; ${fact("cpuModel")}, ` +
    `${fact("usableCores")} cores, load ${loads}; Node ${versions.node ?? "unknown"}.`
  );
}

function told(machine: BenchResult["machine"]): string {
  return typeof machine.told === "string" ? machine.told : "the machine was not noted";
}

/** A table, or, where one would be wider than a page, a list of its rows. */
function tableText({ caption, columns, rows }: BenchTable): string {
  const texts = rows.map((row) => row.map((value, i) => cellText(value, columns[i]!.unit)));
  const heads = columns.map((c) => c.head);
  const widths = heads.map((head, i) =>
    Math.max(3, head.length, ...texts.map((r) => r[i]!.length)),
  );
  const fits = widths.reduce((sum, width) => sum + width + 3, 1) <= widest;
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = columns.map((c) => (c.unit === "text" ? "---" : "--:"));
  const body = fits ? [line(heads), line(rule), ...texts.map(line)] : list(heads, texts);
  return [...(caption === undefined ? [] : [`${caption}:`, ""]), ...body].join("\n");
}

/** One point for each first cell: what stands beside it, row by row. */
function list(heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const named = (row: readonly string[]): string =>
    row
      .map((text, i) => ({ text, head: heads[i]! }))
      .slice(1)
      .filter(({ text }) => text !== "–")
      .map(({ text, head }) => (head === "" ? text : `${head} ${text}`))
      .join(", ");
  const points = new Map<string, string[]>();
  for (const row of rows) points.set(row[0]!, [...(points.get(row[0]!) ?? []), named(row)]);
  return [...points].map(([first, parts]) => `- **${first}**: ${parts.join("; ")}`);
}

type Unit = BenchTable["columns"][number]["unit"];

function cellText(value: BenchCell, unit: Unit): string {
  if (value === null) return "–";
  if (typeof value === "string") return value.replaceAll("|", "\\|") || "–";
  if (typeof value === "number") return numberText(value, unit);
  const shown = numberText(value.value, unit);
  return value.ci === null
    ? shown
    : `${shown} (${value.ci.map((end) => numberText(end, unit)).join(" to ")})`;
}

/** Three digits that count, more where a whole number has them; shares in percent. */
function numberText(value: number, unit: Unit): string {
  if (unit === "share") return `${threeDigits(100 * value)}%`;
  if (unit === "bytes") return `${threeDigits(value / 2 ** 20)} MiB`;
  if (unit === "ms" || unit === "s") return `${threeDigits(value)} ${unit}`;
  return threeDigits(value);
}

function threeDigits(value: number): string {
  if (value !== 0 && Math.abs(value) < 0.001) return value.toExponential(1);
  if (Number.isInteger(value)) return value.toLocaleString("en-US");
  const whole = Math.abs(value) >= 1 ? Math.floor(Math.log10(Math.abs(value))) + 1 : 0;
  return value.toLocaleString("en-US", {
    minimumFractionDigits: Math.max(0, 3 - whole),
    maximumFractionDigits: Math.max(0, 3 - whole),
  });
}
