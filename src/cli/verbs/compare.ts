import {
  compareRecords,
  type ComparedPair,
  type Flip,
  type LabelMap,
  type RecordComparison,
} from "../../eval/compare/compare-records.js";
import { levelText } from "../../eval/record/interval-text.js";
import { UserError } from "../../pipeline/errors.js";
import { ExitCode } from "../exit-code.js";
import { addIntervalOptions, intervalPlan, type IntervalOptions } from "../interval-options.js";
import { choice, whole } from "../options.js";
import { loadRecord } from "../record-folder.js";
import { print, printJson, table } from "../terminal.js";
import type { Verb } from "../verb.js";

interface Options extends IntervalOptions {
  map: string[];
  flips: string;
  failOn?: string;
  runs?: string;
  json?: boolean;
}

export const verb: Verb = {
  build(command) {
    addIntervalOptions(command)
      .description(
        "Compare two records cell by cell on the same items: paired tests, corrected over " +
          "the table, and the cases that flipped.",
      )
      .argument(
        "<first>",
        "a record: its id, its folder, or an experiment's name (its newest record)",
      )
      .argument("<second>", "another, or the same with --map")
      .option(
        "--map <label:a=b>",
        "a in the first record stands for b in the second, as model:light=light-int8; may be " +
          "given often",
        (v: string, all: string[]) => [...all, v],
        [] as string[],
      )
      .option("--flips <n>", "flipped cases listed for each cell", "0")
      .option("--fail-on <verdict>", "exit code 1 where a cell got worse: worse")
      .option("--runs <folder>", "where records are (default: runs/, or SHITU_RUNS)")
      .option("--json", "machine output")
      .action(compare);
  },
};

async function compare(a: string, b: string, options: Options): Promise<void> {
  const flips = whole("--flips", options.flips, 0);
  const failOn =
    options.failOn === undefined ? null : choice("--fail-on", options.failOn, ["worse"]);
  const maps = options.map.map(parseMap);
  const [first, second] = [await loadRecord(a, options.runs), await loadRecord(b, options.runs)];
  const comparison = compareRecords(first, second, { maps, intervals: intervalPlan(options) });
  if (options.json) printJson({ first: first.record.id, second: second.record.id, ...comparison });
  else print(comparisonText(first.record.id, second.record.id, comparison, flips));
  if (failOn === "worse" && comparison.pairs.some((p) => p.verdict === "worse"))
    process.exitCode = ExitCode.belowBar;
}

function parseMap(text: string): LabelMap {
  const match = /^([^:=]+):(.+?)=(.+)$/.exec(text);
  if (!match)
    throw new UserError({
      code: "bad-option",
      message: "--map takes LABEL:FIRST=SECOND",
      expected: "such as model:light=light-int8",
      found: text,
    });
  return { label: match[1]!, from: match[2]!, to: match[3]! };
}

function comparisonText(
  first: string,
  second: string,
  { pairs, untested, alone, levels }: RecordComparison,
  flips: number,
): string {
  const names = telling(pairs);
  const rows = pairs.map((p) => [
    ...names.map((n) => p.labels[n] ?? ""),
    p.metric,
    share(p.first),
    share(p.second),
    signed(p.difference) +
      (p.interval ? ` [${signed(p.interval.low)}, ${signed(p.interval.high)}]` : ""),
    `+${p.gained.length} -${p.lost.length}`,
    p.n,
    p.pAdjusted.toPrecision(2),
    p.verdict,
  ]);
  const right = { align: "right" as const };
  const parts = [
    `first   ${first}\nsecond  ${second}`,
    pairs.length === 0
      ? "no cell could be tested"
      : table(
          [
            ...names.map((n) => ({ head: n })),
            { head: "metric" },
            { head: "first", ...right },
            { head: "second", ...right },
            { head: `difference [${levelText(levels.here)}]`, ...right },
            { head: "flips", ...right },
            { head: "n", ...right },
            { head: "p (Holm)", ...right },
            { head: "verdict" },
          ],
          rows,
        ),
    ...pairs.flatMap((p) =>
      flips > 0 && p.lost.length + p.gained.length > 0 ? [flipText(p, names, flips)] : [],
    ),
    [
      ...(levels.first === levels.second
        ? []
        : [
            `intervals within the records are at ${levelText(levels.first)} in the first and ` +
              `${levelText(levels.second)} in the second; those above are at ` +
              levelText(levels.here),
          ]),
      ...untested.map(
        (u) => `not tested: ${u.kind} ${Object.values(u.labels).join(" ")}: ${u.why}`,
      ),
      ...(alone.first + alone.second > 0
        ? [`without a partner: ${alone.first} cells of the first, ${alone.second} of the second`]
        : []),
    ].join("\n"),
  ];
  return parts.filter(Boolean).join("\n\n");
}

/** Labels that tell the cells apart, or all of a single one. */
function telling(pairs: readonly ComparedPair[]): string[] {
  const names = [...new Set(pairs.flatMap((p) => Object.keys(p.labels)))];
  return pairs.length < 2
    ? names
    : names.filter((n) => new Set(pairs.map((p) => p.labels[n])).size > 1);
}

function flipText(
  { labels, lost, gained }: ComparedPair,
  names: readonly string[],
  count: number,
): string {
  const line =
    (mark: string) =>
    ({ item, truth, first, second }: Flip): (string | null)[] => [mark, item, truth, first, second];
  const rows = [
    ...lost.slice(0, count).map(line("lost")),
    ...gained.slice(0, count).map(line("gained")),
  ];
  const heads = ["", "item", "truth", "first said", "second said"].map((head) => ({ head }));
  return `${names.map((n) => labels[n]).join(" ")}\n${table(heads, rows)}`;
}

const share = (v: number): string => v.toFixed(4);
const signed = (v: number): string => `${v > 0 ? "+" : v < 0 ? "-" : ""}${Math.abs(v).toFixed(4)}`;
