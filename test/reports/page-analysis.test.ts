import { describe, expect, it } from "vitest";
import { comparisonSentence, flippedCells } from "../../reports/analysis/comparison-sentence.js";
import { compareRecords, type ComparedScores } from "../../reports/analysis/compare.js";
import {
  latencyNotes,
  otherScores,
  percentileRows,
  ratioRows,
  stageNames,
} from "../../reports/analysis/latency-rows.js";
import { latestRuns } from "../../reports/analysis/latest-runs.js";
import { f1Rows, lostSentence, lostShares } from "../../reports/analysis/lost-objects.js";
import { measuredNetworks, networkFamily, paperNetworks } from "../../reports/analysis/networks.js";
import { allScores, groupedErrors, recordNotes } from "../../reports/analysis/record-lists.js";
import { retrievalPoints } from "../../reports/analysis/retrieval-points.js";
import {
  paperSentence,
  shownTables,
  type SummarizedTable,
} from "../../reports/analysis/paper-sentence.js";
import {
  chosenQueries,
  countOf,
  queryCells,
  queryCountText,
  queryRecords,
} from "../../reports/analysis/query-filter.js";
import type { CompletedCell, RecordView } from "../../reports/analysis/record-view.js";

type Score = CompletedCell["scores"][number];
const score = (metric: string, value: number, of?: Record<string, string>): Score => ({
  metric,
  unit: "ratio",
  better: "higher",
  ...(of && { of }),
  value,
  n: 10,
  interval: { low: value - 0.1, high: value + 0.1, level: 0.95, method: "wilson", units: 10 },
});
const cell = (
  id: string,
  kind: string,
  scores: Score[],
  more: Partial<CompletedCell> = {},
): CompletedCell => ({
  id,
  kind,
  labels: { model: id },
  versions: {},
  state: "completed",
  scores,
  errors: [],
  notes: [],
  ...more,
});

describe("light networks", () => {
  it("have families by name, MobileNetV1 not taken for its followers", () => {
    const names = ["PPLCNet_x1_0", "MobileNetV3_small", "mobilenet-v1-075", "ShuffleNetV2", "x"];
    expect(names.map(networkFamily)).toEqual([
      ...["PP-LCNet", "MobileNetV3", "MobileNetV1", "ShuffleNetV2", "other"],
    ]);
  });

  it("come from cells with a top-1 and from the paper's rows, costs in one unit", () => {
    const cells = [
      cell("cls-mobilenet-v2-1", "classification", [score("top-1", 0.5), score("macs", 3e6)]),
      cell("none", "classification", [score("macs", 1)]),
    ];
    expect(measuredNetworks(cells)).toMatchObject([
      { family: "MobileNetV2", short: "1", top1: 0.5, low: 0.4, high: 0.6, mega: 3, ms: null },
    ]);
    const value = (metric: string, of: number | null) => ({
      row: "PP-LCNet-x1",
      value: of,
      is: { metric },
    });
    expect(
      paperNetworks([[value("top-1", 0.7), value("latency", 2)], [value("top-1", null)]]),
    ).toMatchObject([{ source: "paper", short: "x1", top1: 0.7, ms: 2, macs: null, mega: null }]);
  });
});

describe("a comparison in words", () => {
  const compared = (verdict: string, lost: string[], gained: string[]): ComparedScores =>
    ({ verdict, lost, gained, judged: 5 }) as unknown as ComparedScores;

  it("counts verdicts and flipped answers", () => {
    const all = [compared("better", [], ["a", "b"]), compared("cannot tell", ["c"], [])];
    expect(comparisonSentence(all)).toBe(
      "2 cells in common: 1 better, 1 cannot be told apart; 3 answers flipped.",
    );
    expect(comparisonSentence([compared("unchanged", [], [])])).toMatch(
      /^1 cell in common: 1 unchanged.*; no single answer flipped\.$/,
    );
    expect(comparisonSentence([])).toMatch(/no cell in common/);
    expect(flippedCells([all[1]!, all[0]!, compared("worse", [], [])])).toEqual(all);
  });
});

describe("times of two runs", () => {
  const run = (ms: number, recall: number): RecordView =>
    ({
      cells: [
        cell("light", "latency", [{ ...score("latency", ms), unit: "ms", better: "lower" }]),
        cell("light", "retrieval", [score("recall@1", recall)]),
      ],
    }) as unknown as RecordView;

  it("get no verdict, however far apart, as those of the verb; answers do", () => {
    const compared = compareRecords(run(1, 0.5), run(100, 0.9), [], []);
    expect(compared.map(({ metric, verdict, low }) => [metric, verdict, low !== null])).toEqual([
      ["latency", "not compared", false],
      ["recall@1", "better", true],
    ]);
    expect(compared[0]!.method).toMatch(/not paired: compare them interleaved/);
    expect(comparisonSentence(compared)).toBe(
      "2 cells in common: 1 better, 1 of times, which two runs do not compare; no single " +
        "answer flipped.",
    );
  });
});

describe("the rows of the latency page", () => {
  const light = cell(
    "light",
    "latency",
    [
      score("latency", 2, { stage: "detect", percentile: "50" }),
      score("latency", 3, { stage: "detect", percentile: "90" }),
      score("latency", 9),
      score("throughput", 5),
      score("server-latency", 1),
    ],
    { notes: ["cold"] },
  );

  it("are one a system and stage, the whole picture's stage named first", () => {
    expect(stageNames([light])).toEqual(["overall", "detect"]);
    const rows = percentileRows([light]);
    expect(rows.map((row) => [row.stage, row.n, [...row.scores.keys()]])).toEqual([
      ["detect", 10, ["50", "90"]],
      ["overall", 10, ["mean"]],
    ]);
    expect(otherScores([light]).map((d) => d.what)).toEqual(["throughput"]);
  });

  it("take ratios and notes from comparisons, notes only where no finding says them", () => {
    const between = score("latency-ratio", 0.5, { first: "server", second: "light" });
    const turns = cell("turns", "latency-comparison", [between], { notes: ["shared"] });
    expect(ratioRows([turns], "latency-ratio")).toMatchObject([
      { name: "light / server", value: 0.5, low: 0.4, high: 0.6 },
    ]);
    expect(ratioRows([turns], "self-ratio")).toEqual([]);
    expect(latencyNotes([light], [turns]).map(({ note }) => note)).toEqual(["cold", "shared"]);
    const finding = { about: "noise" as const, of: {}, verdict: "passed", why: "x" };
    expect(latencyNotes([], [{ ...turns, findings: [finding] }])).toEqual([]);
  });
});

describe("the lists of a record", () => {
  const error = { item: "a.jpg", code: "unreadable", message: "no picture" };
  const record = {
    cells: [
      cell("one", "retrieval", [score("recall@1", 0.5)], { errors: [error], notes: ["slow"] }),
      cell("two", "retrieval", [], { errors: [error, { ...error, item: "b.jpg" }] }),
    ],
  } as unknown as RecordView;

  it("name an item that failed once, with the cells that it touched", () => {
    expect(groupedErrors(record)).toEqual([
      { ...error, cells: ["one", "two"] },
      { ...error, item: "b.jpg", cells: ["two"] },
    ]);
  });

  it("hold every note and score", () => {
    expect(recordNotes(record)).toEqual([{ name: "one", note: "slow" }]);
    expect(allScores(record).map((s) => [s.cell.id, s.score.value])).toEqual([["one", 0.5]]);
  });

  it("draw the cells whose recall is known", () => {
    const cells = record.cells as CompletedCell[];
    expect(retrievalPoints(cells)).toMatchObject([{ name: "one", value: 0.5, group: "real" }]);
  });
});

const record = (key: string, more: object = {}): RecordView =>
  ({
    key,
    reference: false,
    experiment: { name: "toy" },
    cells: [],
    cases: { total: 3, shown: 3, byCell: {} },
    ...more,
  }) as unknown as RecordView;

describe("the latest runs", () => {
  it("are one an experiment, committed ones apart", () => {
    const [a, b, c] = [record("a"), record("b", { reference: true }), record("c")];
    expect(latestRuns([a, b, c])).toEqual([
      { record: a, earlier: [c] },
      { record: b, earlier: [] },
    ]);
  });
});

describe("the paper in words", () => {
  const table = (number: number, measured: number): SummarizedTable =>
    ({
      table: { table: number },
      summary: {
        ...{ of: 4, measured, compared: 2, kept: 2, reversed: 1, undecided: 0 },
        counts: { agrees: 1, "ratio differs": 1, "not comparable": measured - 2 },
      },
    }) as unknown as SummarizedTable;

  it("adds up its tables and leaves out verdicts that none has", () => {
    expect(paperSentence([table(4, 3), table(5, 2)])).toBe(
      "5 of 8 numbers are measured here, 4 of them compared: 2 agree with the paper, 2 differ as " +
        "proportions, 1 can only stand beside it. Of the order of the paper's models 4 " +
        "comparisons are kept, 2 reversed, 0 cannot be told.",
    );
    expect(paperSentence([table(4, 0)])).toBeNull();
  });

  it("shows Tables 3 to 9 unless one is chosen", () => {
    const tables = [table(1, 1), table(3, 1), table(4, 1)];
    expect(shownTables(tables, null)).toEqual(tables.slice(1));
    expect(shownTables(tables, 1)).toEqual(tables.slice(0, 1));
  });
});

describe("queries that a choice leaves", () => {
  const counts = [
    { cell: "c", outcome: "hit", lostAt: "", n: 7 },
    { cell: "c", outcome: "miss", lostAt: "index", n: 2 },
    { cell: "c", outcome: "miss", lostAt: "missed", n: 1 },
  ];
  const row = (item: string, outcome: string, label: string) => ({
    ...{ cell: "c", item, outcome, truth: null, prediction: "Said" },
    lostAt: null,
    neighbours: [{ label, score: 1, picture: null }],
  });

  it("are counted by outcome and stage", () => {
    expect(countOf(counts, {})).toBe(10);
    expect(countOf(counts, { outcome: "miss" })).toBe(3);
    expect(countOf(counts, { outcome: "miss", lostAt: "index" })).toBe(2);
  });

  it("are found by outcome and by a part of any name that is shown", () => {
    const rows = [row("a.jpg", "hit", "Cat"), row("b.jpg", "miss", "Dog")];
    const items = (words: string, outcome = "all"): string[] =>
      chosenQueries(rows, "c", { outcome, lostAt: "any stage", words }).map(({ item }) => item);
    expect(items("")).toEqual(["a.jpg", "b.jpg"]);
    expect(items("", "miss")).toEqual(["b.jpg"]);
    expect(items("cAT")).toEqual(["a.jpg"]);
    expect(items("said")).toEqual(["a.jpg", "b.jpg"]);
    expect(items("<nothing>")).toEqual([]);
    expect(queryCountText(0, 3, "")).toBe("No query fits.");
    expect(queryCountText(1, 1, "")).toBe("1 query.");
    expect(queryCountText(2, 3, "")).toMatch(/^2 queries of 3: the site/);
    expect(queryCountText(2, 3, "x")).toBe("2 queries.");
  });

  it("are of records with cases, whole systems first, after the one asked for", () => {
    const whole = cell("p", "pipeline", []);
    const system = record("system", {
      cells: [cell("r", "retrieval", []), whole],
      cases: { total: 1, shown: 1, byCell: { p: 1 } },
    });
    const records = [record("plain"), system, record("none", { cases: { shown: 0 } })];
    expect(queryRecords(records, null).map(({ key }) => key)).toEqual(["system", "plain"]);
    expect(queryRecords(records, "plain").map(({ key }) => key)).toEqual(["plain", "system"]);
    const shown = [
      { ...row("a", "hit", ""), cell: "r" },
      { ...row("b", "hit", ""), cell: "p" },
    ];
    expect(
      queryCells(
        system,
        shown.map((r) => r.cell),
      ).map(({ id }) => id),
    ).toEqual(["p", "r"]);
  });
});

describe("lost objects", () => {
  const light = cell("light", "pipeline", [
    score("objects", 0.1, { stage: "index" }),
    score("objects", 0.6, { stage: "correct" }),
    score("objects", 0.3, { stage: "missed" }),
    score("F1", 0.5, { definition: "A", threshold: "held-out" }),
  ]);

  it("are told with the stage that loses most", () => {
    const shares = lostShares([light]);
    expect(shares.map(({ stage }) => stage)).toEqual(["correct", "index", "missed"]);
    expect(lostSentence(shares, "light")).toBe(
      "light recognises 60% of the objects; most of the others are lost at: not detected (30% of " +
        "all objects, n = 10 pictures).",
    );
    expect(lostSentence(shares, "other")).toBeNull();
  });

  it("have an F1 a definition, threshold and system", () => {
    const rows = f1Rows([light, { ...light, id: "two", labels: { model: "two" } }]);
    expect(rows).toHaveLength(1);
    expect([...rows[0]!.bySystem.keys()]).toEqual(["light", "two"]);
    expect(rows[0]).toMatchObject({ definition: "A", threshold: "held-out", n: 10 });
  });
});
