import { describe, expect, it } from "vitest";
import {
  addressName,
  chosenOption,
  optionKey,
  withChoice,
} from "../../reports/analysis/address.js";
import {
  binaryModels,
  codesLosses,
  codesPairs,
  codesTrade,
  pairDots,
  tieRows,
  widestTie,
} from "../../reports/analysis/binary-real.js";
import {
  apPoints,
  cellsOfSet,
  detectorTrade,
  errorLosses,
  everySet,
  meanCurves,
  setChoices,
  worstError,
} from "../../reports/analysis/detection-rows.js";
import { drawnVectors } from "../../reports/analysis/index-choice.js";
import { axisPlace, placeLabels } from "../../reports/analysis/label-places.js";
import { hitsByCell } from "../../reports/analysis/model-pairs.js";
import {
  countGains,
  gainsAgainst,
  questionGains,
  questionsOf,
  questionTexts,
} from "../../reports/analysis/model-questions.js";
import {
  comparableModels,
  depthRows,
  modelOrder,
  oneCellEach,
  recallRows,
  recallSentence,
} from "../../reports/analysis/recognition-rows.js";
import type { CompletedCell, RecordView } from "../../reports/analysis/record-view.js";
import { apartFromBaselines } from "../../reports/analysis/series.js";

type Score = CompletedCell["scores"][number];
const score = (metric: string, value: number, of?: Record<string, string>): Score => ({
  metric,
  unit: "ratio",
  better: "higher",
  ...(of && { of }),
  value,
  n: 10,
  interval: null,
});
const cell = (kind: string, labels: Record<string, string>, scores: Score[]): CompletedCell => ({
  id: Object.values(labels).join("/"),
  kind,
  labels,
  versions: {},
  state: "completed",
  scores,
  errors: [],
  notes: [],
});
const record = (cells: readonly CompletedCell[], more: object = {}): RecordView =>
  ({
    cells,
    experiment: { intervals: { level: 0.95 } },
    provenance: { startedAt: "2026-01-01" },
    cases: { shown: 1 },
    ...more,
  }) as unknown as RecordView;

describe("binary beside real", () => {
  const retrieval = (model: string, dataset: string, codes: string, recall: number) =>
    cell("retrieval", { model, dataset, index: codes === "real" ? "Flat" : "BFlat", codes }, [
      score("recall@1", recall),
      score("index-size", codes === "real" ? 2048 : 64),
      score("recall@1", recall - 0.1, { ties: "pessimistic" }),
      score("recall@1", recall + 0.2, { ties: "optimistic" }),
    ]);
  const cells = [
    retrieval("m", "a", "real", 0.8),
    retrieval("m", "b", "real", 0.6),
    retrieval("poor", "a", "sign", 0.3),
    retrieval("good", "a", "sign", 0.7),
    retrieval("good", "b", "sign", 0.5),
  ];

  it("takes a model's means over its sets, sizes and times apart", () => {
    expect(codesTrade(cells)).toMatchObject([
      { name: "m", codes: "real", recall: 0.7, bytes: 2048, kib: 2, ms: null, sets: 2 },
      { name: "poor", sets: 1 },
      { name: "good", codes: "binary", recall: 0.6, bytes: 64, sets: 2 },
    ]);
    const other = { ...retrieval("m", "a", "real", 0.9), labels: { model: "m", index: "HNSW32" } };
    expect(codesTrade([...cells, other]).map(({ name }) => name)).toContain("m HNSW32");
  });

  it("pairs the exact searches set by set, the model that keeps most first", () => {
    expect(binaryModels(cells)).toEqual(["good", "poor"]);
    const pairs = codesPairs(cells, "good");
    expect(pairs.map(({ dataset }) => dataset)).toEqual(["a", "b"]);
    expect(pairDots(pairs).map(({ name, group, value }) => [name, group, value])).toEqual([
      ["a", "real", 0.8],
      ["a", "binary", 0.7],
      ["b", "real", 0.6],
      ["b", "binary", 0.5],
    ]);
    expect(codesPairs(cells, "poor")).toHaveLength(1);
    expect(codesPairs(cells, null)).toEqual([]);
  });

  it("finds the widest band of ties", () => {
    const rows = tieRows(codesPairs(cells, "good"));
    expect(rows).toHaveLength(2);
    expect(widestTie([{ ...rows[0]!, optimistic: 1 }, rows[1]!])?.dataset).toBe("a");
    expect(widestTie([])).toBeUndefined();
  });

  it("counts the classes that lose, over the queries that both answered", () => {
    const [pair] = codesPairs(cells, "good");
    const row = (of: CompletedCell, item: string, truth: string, hit: boolean) => ({
      cell: of.id,
      item,
      truth,
      outcome: hit ? "hit" : "miss",
    });
    const { real, binary } = pair!;
    const rows = [
      ...["1", "2", "3"].map((item) => row(real, item, "cup", true)),
      row(real, "4", "jar", false),
      row(binary, "1", "cup", false),
      row(binary, "2", "cup", false),
      row(binary, "3", "cup", true),
      row(binary, "4", "jar", true),
      row(binary, "only here", "jar", false),
    ];
    const { whole, losers } = codesLosses(rows, pair!, 0.95);
    expect(whole).toMatchObject({ n: 4, difference: -0.25, lost: 2, gained: 1 });
    expect(losers).toEqual([{ label: "cup", n: 3, real: 3, binary: 1, lost: 2 }]);
  });
});

describe("detection", () => {
  const detection = (model: string, dataset: string, ap: number, scores: Score[] = []) =>
    cell("detection", { model, dataset }, [score("AP", ap), ...scores]);
  const cells = [
    detection("m", "a", 0.5, [score("model-size", 2 ** 21), score("latency", 4)]),
    detection("m", "b", 0.7, [score("model-size", 2 ** 21), score("latency", 6)]),
    detection("whole-image", "a", 0.01),
  ];

  it("sets baselines apart, unless there is nothing else", () => {
    const { trained, baselines } = apartFromBaselines(cells);
    expect([trained.length, baselines.length]).toEqual([2, 1]);
    expect(apartFromBaselines(baselines).trained).toEqual(baselines);
    expect(apPoints(trained).map(({ name, value }) => [name, value])).toEqual([
      ["a", 0.5],
      ["b", 0.7],
    ]);
  });

  it("offers all sets together only where there are several", () => {
    expect(setChoices(cells)).toEqual([everySet, "a", "b"]);
    expect(setChoices(cells.slice(0, 1))).toEqual(["a"]);
    expect(cellsOfSet(cells, everySet)).toHaveLength(3);
    expect(cellsOfSet(cells, "b")).toHaveLength(1);
  });

  it("takes the mean of curves over sets", () => {
    const curve = (...precision: number[]) => ({ recall: [0, 1], precision });
    const curves = { [cells[0]!.id]: curve(1, 0.5), [cells[1]!.id]: curve(0.5, 0) };
    expect(meanCurves(record(cells, { curves }), cells, "precision")).toEqual([
      { name: "m", recall: 0, precision: 0.75, sets: 2 },
      { name: "m", recall: 1, precision: 0.25, sets: 2 },
    ]);
  });

  it("takes recorded losses before judged ones, and no class error of one class", () => {
    const types = [
      { type: "missed", count: 3, loss: 0.2 },
      { type: "classification", count: 1, loss: 0.9 },
      { type: "both", count: 1, loss: 0.9 },
    ];
    const errorTypes = Object.fromEntries(
      cells.map(({ id }) => [id, { pictures: 5, objects: 9, ap50: 1, classes: 1, types }]),
    );
    const judged = errorLosses(record(cells, { errorTypes }), cells);
    expect(judged).toMatchObject({ fromCases: true, oneClass: true });
    expect(judged.rows).toEqual([{ name: "m", error: "missed", loss: 0.2, count: 6, n: 10 }]);
    const told = cells.map((c) => ({
      ...c,
      scores: [score("loss", 0.4, { error: "background" }), score("loss", 0.1, { error: "m" })],
    }));
    const recorded = errorLosses(record(told, { errorTypes }), told);
    expect(recorded.fromCases).toBe(false);
    expect(recorded.rows[0]).toMatchObject({ error: "background", count: null, n: 20 });
    expect(worstError(recorded.rows)).toBe("background");
    expect(worstError([])).toBeNull();
    expect(errorLosses(null, []).rows).toEqual([]);
  });

  it("takes what a model is worth and costs in the mean of its sets", () => {
    const other = detection("n", "a", 0.9, [score("model-size", 2 ** 20), score("latency", 9)]);
    const rows = detectorTrade([...cells, other]);
    expect(rows).toEqual([
      { name: "m", ap: 0.6, bytes: 2 ** 21, mib: 2, ms: 5, sets: 2 },
      { name: "n", ap: 0.9, bytes: 2 ** 20, mib: 1, ms: 9, sets: 1 },
    ]);
  });
});

describe("an index sweep", () => {
  it("says which vectors are drawn", () => {
    const labels = [{ vectors: "145235 x 512" }, { vectors: "my features" }, {}];
    expect(labels.map((l) => drawnVectors({ labels: l }))).toEqual(["145,235 x 512", null, null]);
  });
});

describe("recognition", () => {
  const retrieval = (model: string, dataset: string, recall: number, index = "Flat") => ({
    ...cell("retrieval", { model, dataset, index, codes: "real" }, [
      score("recall@1", recall),
      score("recall@5", recall + 0.1),
    ]),
    id: `${model} ${dataset} ${index}`,
  });
  const cells = [
    retrieval("pixels-32", "goods", 0.1),
    retrieval("light-general", "goods", 0.8, "HNSW32"),
    retrieval("light-general", "goods", 0.7),
    retrieval("light-general", "faces", 0.6),
    retrieval("special-goods", "goods", 0.9),
  ];

  it("takes one cell a model and set, of exact search, baselines last", () => {
    const each = oneCellEach(cells);
    expect(each).toHaveLength(4);
    expect(each.every(({ labels }) => labels.index === "Flat")).toBe(true);
    expect(modelOrder(cells)).toEqual(["light-general", "special-goods", "pixels-32"]);
    expect(recallSentence(recallRows(each))).toBe(
      "3 models on 2 data sets. Over its 2 sets, light-general has the highest mean, 0.650.",
    );
    expect(recallSentence(recallRows(each.slice(0, 1)))).toMatch(/^1 model on 1 data set\. /);
  });

  const judged = (of: CompletedCell, hits: string) =>
    [...hits].map((hit, i) => ({
      cell: of.id,
      item: String(i),
      truth: null,
      outcome: hit === "1" ? "hit" : "miss",
      rank: hit === "1" ? 0 : 3,
    }));

  it("fills up recall@k from the cases, unless they tell otherwise", () => {
    const [own] = cells.slice(2);
    const agreeing = judged(own!, "1111111000");
    const told = depthRows([{ ...own!, scores: [score("recall@1", 0.7)] }], agreeing);
    expect(told).toEqual([{ model: "light-general", k: 1, recall: 0.7, n: 10 }]);
    const deep = depthRows(
      [{ ...own!, scores: [score("recall@1", 0.7), score("recall@5", 1)] }],
      agreeing,
    );
    expect(deep.map(({ k, recall }) => [k, recall])).toEqual([
      [1, 0.7],
      [2, 0.7],
      [3, 0.7],
      [4, 1],
      [5, 1],
    ]);
    expect(depthRows([own!], judged(own!, "0000000000"))).toHaveLength(2);
  });

  it("asks the paper's questions of the record that can answer them", () => {
    const here = record([cells[2]!]);
    const there = record(cells);
    const [question] = questionsOf(here, [here, there]);
    expect(question).toMatchObject({ kind: "specialist", record: there });
    expect(questionsOf(null, [there])).toEqual([]);
    const hits = hitsByCell([...judged(cells[1]!, "1000"), ...judged(cells[4]!, "1111")]);
    const gains = questionGains(question!, hits);
    expect(gains).toMatchObject([{ name: "goods", group: "on its own set", value: 0.75, n: 4 }]);
  });

  it("counts what is better, worse and open", () => {
    const gain = (low: number, high: number, group = "on its own set") => ({
      name: "a",
      group,
      value: (low + high) / 2,
      low,
      high,
      n: 9,
    });
    const gains = [gain(0.1, 0.2), gain(-0.2, -0.1), gain(-0.1, 0.1), gain(0.1, 0.3, "others")];
    expect(countGains(gains)).toEqual({ of: 4, better: 2, worse: 1, open: 1 });
    expect(questionTexts.specialist.tell(gains)).toBe(
      "On its own set the specialist is better in 1 of 3, the general model in 1. On the sets " +
        "of others the specialist is better in 1 of 1, the general model in 0.",
    );
    expect(questionTexts.distilled.tell(gains)).toBe(
      "Of 4 comparisons 2 are gains, 1 losses, 1 cannot be told.",
    );
    expect(questionTexts.int8.tell(gains.slice(1, 3))).toMatch(
      /by −0\.075 in the mean of 2 sets; 1/,
    );
  });

  it("sets any two trained models beside each other on the queries of both", () => {
    const rows = [...judged(cells[2]!, "1100"), ...judged(cells[4]!, "1110")];
    expect(comparableModels(cells, rows)).toEqual(["light-general", "special-goods"]);
    const exact = oneCellEach(cells);
    expect(gainsAgainst(record(cells), exact, "light-general", hitsByCell(rows))).toMatchObject([
      { name: "goods", group: "special-goods", value: 0.25, n: 4 },
    ]);
  });
});

describe("choices in the address", () => {
  it("have short names, and those that other pages link to", () => {
    expect(
      ["Record", "Data set", "Query or label", "Label recall@1, at least"].map(addressName),
    ).toEqual(["run", "data-set", "query", "label-recall-1-at-least"]);
  });

  it("are found by key, id, set or text; one that is not there leaves the page's own", () => {
    const options = [{ key: "a/b" }, { key: "c" }];
    expect(chosenOption("?run=c", "Record", options, options[0]!)).toBe(options[1]);
    expect(chosenOption("?run=gone", "Record", options, options[0]!)).toBe(options[0]);
    expect(chosenOption("", "Record", options, null)).toBeNull();
    expect(chosenOption("?table=9", "Table", [null, 8, 9], null)).toBe(9);
    expect([{ id: "x" }, { dataset: "y" }, "z", 3, null].map(optionKey)).toEqual([
      ...["x", "y", "z", "3", ""],
    ]);
  });

  it("leave the others in the address as they are", () => {
    expect(withChoice("?run=a%2Fb", "stage", "detect & crop")).toBe(
      "?run=a%2Fb&stage=detect+%26+crop",
    );
    expect(withChoice("?stage=x", "stage", null)).toBe("");
  });
});

describe("names of marks", () => {
  const box = { width: 400, height: 300 };

  it("stand beside a mark that is alone, on the side that has room", () => {
    const [left, right] = placeLabels(
      [
        { x: 20, y: 100, name: "first" },
        { x: 390, y: 200, name: "second" },
      ],
      box,
    );
    expect([left?.align, right?.align]).toEqual(["left", "right"]);
  });

  it("move away from other marks, names and whiskers, or are left out", () => {
    const crowd = Array.from({ length: 30 }, (_, i) => ({
      x: 100 + i,
      y: 100,
      name: "a long name",
    }));
    const places = placeLabels(crowd, box);
    expect(places.filter(Boolean).length).toBeGreaterThan(1);
    expect(places).toContain(null);
    const struck = placeLabels(
      [
        { x: 100, y: 100, name: "name" },
        { x: 115, y: 150, name: "b", whisker: [50, 250] },
      ],
      box,
    );
    expect(struck[0]).not.toMatchObject({ align: "left", dy: 0 });
  });

  it("are placed by the axes, straight or logarithmic", () => {
    expect(axisPlace(5, [0, 10])).toBe(0.5);
    expect(axisPlace(10, [1, 100], true)).toBeCloseTo(0.5);
    expect(axisPlace(3, [3, 3])).toBe(0.5);
  });
});
