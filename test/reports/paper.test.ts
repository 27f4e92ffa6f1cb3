import { defaultIntervals } from "../../src/eval/stats/interval-plan.js";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compareTable } from "../../src/eval/paper/paper-comparison.js";
import { cellsOf, readPaper, type PaperTable } from "../../src/eval/paper/paper-tables.js";
import type { RecordedScore, RunRecord } from "../../src/eval/record/record.js";
import { projectRoot } from "../../src/pipeline/root.js";

const file = join(projectRoot, "configs", "paper", "tables.yaml");
const paper = await readPaper(file);
const table = (n: number): PaperTable => paper.tables.find((t) => t.table === n)!;

describe("the paper's tables", () => {
  it("has all nine, with as many numbers as the paper", () => {
    expect(paper.tables.map((t) => t.table)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(
      paper.tables.map(
        (t) =>
          cellsOf(t)
            .flat()
            .filter((c) => c.value !== null).length,
      ),
    ).toEqual([15, 16, 6, 22, 43, 64, 10, 21, 16]);
  });

  // The paper's own averages and totals check the transcription: a mistyped digit does not survive
  // them.
  it("adds up where the paper says that it does", () => {
    for (const [n, metric] of [
      [4, "AP"],
      [8, "recall@1"],
    ] as const) {
      const cells = cellsOf(table(n))
        .flat()
        .filter((c) => c.is.metric === metric);
      for (const average of cells.filter((c) => c.is.average)) {
        const parts = cells
          .filter((c) => c.is.model === average.is.model && c.is.dataset !== undefined)
          .map((c) => c.value!);
        expect(
          Math.abs(parts.reduce((a, b) => a + b, 0) / parts.length - average.value!),
        ).toBeLessThanOrEqual(average.rounding + 1e-12);
      }
    }
    const classes = cellsOf(table(2)).map((row) => row[1]!);
    expect(classes.slice(0, -1).reduce((sum, c) => sum + c.value!, 0)).toBe(185_342);
    expect(classes.at(-1)!.value).toBe(185_000);
    const nine = cellsOf(table(9)).map((row) => row.map((c) => c.value!));
    for (const [detect, embed, search, overall] of nine) {
      expect(overall! - detect! - embed! - search!).toBeGreaterThanOrEqual(4);
      expect(overall! - detect! - embed! - search!).toBeLessThanOrEqual(6.7 + 1e-9);
    }
    const seven = cellsOf(table(7));
    expect(seven[0]![3]!.value! / seven[1]![3]!.value!).toBeCloseTo(32, 0);
  });

  it("keeps printed digits and knows how far they go", () => {
    const specialist = cellsOf(table(5))[0]!;
    expect(specialist[5]).toMatchObject({ printed: "0.63262", value: 0.63262 });
    expect(specialist[5]!.rounding).toBeCloseTo(0.000005, 12);
    const size = cellsOf(table(7))[0]![3]!;
    expect(size).toMatchObject({ printed: "285", value: 285 * 2 ** 20, rounding: 2 ** 19 });
    expect(cellsOf(table(6))[0]![2]).toMatchObject({ printed: "53.21" });
    expect(cellsOf(table(6))[0]![2]!.value).toBeCloseTo(0.5321, 12);
  });

  it(
    "refuses a row too short, an unknown footnote, a word for a number and an unknown key, " +
      "by their place",
    async () => {
      const text = await readFile(file, "utf8");
      const folder = await mkdtemp(join(tmpdir(), "paper-"));
      const broken = async (from: string, to: string): Promise<unknown> => {
        expect(text).toContain(from);
        const path = join(folder, "tables.yaml");
        await writeFile(path, text.replace(from, to));
        return readPaper(path).then(
          () => null,
          (error: unknown) => error,
        );
      };
      expect(
        await broken(
          '["0.839", "0.832", "0.868", "285", "117"]',
          '["0.839", "0.832", "0.868", "285"]',
        ),
      ).toMatchObject({
        complaint: {
          code: "paper-table",
          path: "tables[6].rows[0].values",
          expected: "5",
          found: "4",
        },
      });
      expect(await broken("footnote: 2\n", "footnote: 3\n")).toMatchObject({
        complaint: { code: "paper-table", path: "tables[4].columns[7].footnote" },
      });
      expect(await broken('printed: "2.46"', 'printed: "2.64"')).toMatchObject({
        complaint: { path: "tables[4].columns[7].beside.printed", expected: "2.46" },
      });
      expect(await broken('"117"]', '"l17"]')).toMatchObject({
        complaint: { code: "paper-table", path: "tables[6].rows[0].values[4]", found: '"l17"' },
      });
      expect(
        await broken("title: COCO2017-val", "titel: x\n    title: COCO2017-val"),
      ).toMatchObject({
        complaint: { code: "schema", path: "tables[2]" },
      });
    },
  );
});

describe("ours beside the paper's", () => {
  const score = (
    metric: string,
    value: number,
    ci: [number, number] | null,
    more: Partial<RecordedScore> = {},
  ): RecordedScore =>
    ({
      metric,
      unit: "ratio",
      better: "higher",
      value,
      n: 500,
      interval: ci && {
        low: ci[0],
        high: ci[1],
        level: 0.95,
        method: "wilson",
        units: 500,
      },
      ...more,
    }) as RecordedScore;
  const record = (
    cells: { labels: Record<string, string>; scores: RecordedScore[] }[],
  ): RunRecord => ({
    schema: 2,
    id: "r",
    state: "completed",
    experiment: {
      name: "t",
      title: "t",
      version: 1,
      protocol: "standard",
      config: {},
      configHash: "0",
      intervals: { ...defaultIntervals },
    },
    provenance: {
      startedAt: "2026-01-01T00:00:00Z",
      finishedAt: "2026-01-01T00:00:00Z",
      tool: "t",
      commit: null,
      machine: {},
      versions: {},
    },
    cells: cells.map((c, i) => ({
      id: `c${i}`,
      kind: "retrieval",
      versions: {},
      state: "completed",
      errors: [],
      notes: [],
      ...c,
    })),
  });
  const labels = (
    model: string,
    dataset: string,
    more: Record<string, string> = {},
  ): Record<string, string> => ({
    paperTable: "7",
    paperModel: model,
    paperDataset: dataset,
    ...more,
  });
  const compare = (cells: Parameters<typeof record>[0]): ReturnType<typeof compareTable> =>
    compareTable(table(7), [{ key: "r", record: record(cells) }]);

  it(
    "agrees where the paper's printed value touches our interval, else differs; says what " +
      "was not run",
    () => {
      const { cells } = compare([
        {
          labels: labels("Real-Value", "Aliproduct"),
          scores: [score("recall@1", 0.82, [0.8, 0.8386])],
        },
        {
          labels: labels("Real-Value", "iCartoonFace"),
          scores: [score("recall@1", 0.82, [0.81, 0.8312])],
        },
      ]);
      expect(cells[0]!.map((c) => c.verdict)).toEqual([
        "agrees",
        "differs",
        "not run",
        "not run",
        "not run",
      ]);
      expect(cells[0]![0]!.difference).toBeCloseTo(0.82 - 0.839, 12);
    },
  );

  it("compares exact sizes by the printed rounding, and never times of another machine", () => {
    const { cells } = compare([
      {
        labels: labels("Real-Value", "generated"),
        scores: [
          score("index-size", 298_603_250, null, { unit: "bytes" }),
          score("retrieval-time", 117, [116, 118], { unit: "ms" }),
        ],
      },
      {
        labels: labels("Binary", "generated"),
        scores: [score("index-size", 9_500_000, null, { unit: "bytes" })],
      },
    ]);
    expect(cells[0]!.slice(3).map((c) => [c.verdict, c.why])).toEqual([
      ["agrees", null],
      ["not comparable", "a time on another machine than the paper's"],
    ]);
    expect(cells[1]![3]!.verdict).toBe("differs");
  });

  it(
    "passes a record's reason on, prefers the plain score, and looks no further than its " +
      "table",
    () => {
      const { cells } = compare([
        {
          labels: { ...labels("Binary", "Aliproduct"), paperTable: "5" },
          scores: [score("recall@1", 0.1, null)],
        },
        {
          labels: labels("Binary", "Aliproduct", { notComparable: "rendered pictures" }),
          scores: [
            score("recall@1", 0.5, null, { of: { ties: "pessimistic" } }),
            score("recall@1", 0.6, [0.5, 0.7]),
          ],
        },
      ]);
      expect(cells[1]![0]).toMatchObject({
        verdict: "not comparable",
        why: "rendered pictures",
        ours: { value: 0.6, cell: "c1" },
      });
    },
  );

  it("averages over data sets, with their intervals", () => {
    const sets = ["Aliproduct", "VeRI-Wild", "LogoDet-3K", "iCartoonFace", "SOP", "Inshop"];
    const eight = compareTable(table(8), [
      {
        key: "r",
        record: record(
          sets.map((dataset) => ({
            labels: { paperTable: "8", paperModel: "PP-LCNet-2.5x", paperDataset: dataset },
            scores: [score("recall@1", 0.8, [0.77, 0.83])],
          })),
        ),
      },
    ]);
    const mean = eight.cells[0]!.at(-1)!.ours!;
    expect(mean.value).toBeCloseTo(0.8, 12);
    expect(mean.interval!.high - mean.value).toBeCloseTo(0.03 / Math.sqrt(6), 12);
    expect(eight.cells[1]!.at(-1)!.verdict).toBe("not run");
  });
});
