import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { badness, judgeBoxes } from "../../reports/analysis/boxes.js";
import {
  formatBytes,
  formatDifference,
  formatInterval,
  formatMs,
  formatValue,
  logTicks,
} from "../../reports/analysis/format.js";
import {
  familyOf,
  paretoFront,
  pickIndex,
  type IndexPoint,
} from "../../reports/analysis/index-choice.js";
import { pairOutcomes } from "../../reports/analysis/paired.js";
import { toCsv, toLatex, toMarkdown } from "../../src/eval/record/table-formats.js";
import { boxesFrom } from "./case-boxes.js";

// d3-dsv ships no types.
const { csvParseRows } = (await import("d3-dsv" as string)) as {
  csvParseRows: (text: string) => string[][];
};

describe("paired difference", () => {
  it("is the share of items won less the share lost, with Bonett and Price's interval", () => {
    // 40 items, 8 won, 2 lost: by hand 9/42 - 3/42 ± 1.96 sqrt((12/42 - (6/42)²) / 42).
    const hits = (right: (i: number) => boolean) =>
      new Map(Array.from({ length: 40 }, (_, i) => [String(i), right(i)]));
    const [a, b] = [hits((i) => i < 2), hits((i) => i >= 2 && i < 10)];
    const { difference, low, high } = pairOutcomes(a, b)!;
    expect(difference).toBeCloseTo(6 / 40, 12);
    const half = 1.959963985 * Math.sqrt((12 / 42 - (6 / 42) ** 2) / 42);
    expect(low).toBeCloseTo(6 / 42 - half, 9);
    expect(high).toBeCloseTo(6 / 42 + half, 9);
    const wider = pairOutcomes(a, b, 0.99)!;
    expect(wider.high - wider.low).toBeGreaterThan(high - low);
    expect(wider.level).toBe(0.99);
  });

  it("pairs only the items that both have", () => {
    const a = new Map([
      ["x", true],
      ["y", false],
      ["z", true],
    ]);
    expect(
      pairOutcomes(
        a,
        new Map([
          ["x", false],
          ["y", true],
          ["w", true],
        ]),
      ),
    ).toMatchObject({ n: 2, gained: 1, lost: 1, difference: 0 });
    expect(pairOutcomes(a, new Map([["w", true]]))).toBeNull();
  });
});

describe("index choice", () => {
  const point = (
    name: string,
    labelRecall: number | null,
    timeMs: number,
    memoryBytes: number,
  ): IndexPoint => ({
    cell: name,
    name,
    codes: "real",
    family: familyOf(name),
    labelRecall,
    neighbourRecall: null,
    neighbours: 1,
    timeMs,
    memoryBytes,
    buildMs: null,
    n: null,
  });
  const points = [
    point("Flat", 0.99, 20, 60),
    point("HNSW32", 0.97, 2, 70),
    point("IVF64", 0.95, 3, 62),
    point("IVF1", 0.9, 1, 62),
    point("Unmeasured", null, 0.1, 1),
  ];
  const open = { minimumRecall: 0, maximumMs: Infinity, maximumBytes: Infinity, mustDelete: false };

  it("names the fastest within the limits and the runner-up", () => {
    expect(pickIndex(points, open).pick?.name).toBe("IVF1");
    expect(pickIndex(points, { ...open, minimumRecall: 0.95 })).toMatchObject({
      pick: { name: "HNSW32" },
      runnerUp: { name: "IVF64" },
    });
    expect(pickIndex(points, { ...open, minimumRecall: 0.95, mustDelete: true }).pick?.name).toBe(
      "IVF64",
    );
    expect(pickIndex(points, { ...open, minimumRecall: 0.95, maximumBytes: 61 }).pick?.name).toBe(
      "Flat",
    );
    expect(pickIndex(points, { ...open, minimumRecall: 0.999 })).toEqual({
      allowed: [],
      pick: null,
      runnerUp: null,
    });
  });

  it("never picks a point outside the limits, nor a slower one than another that fits", () => {
    const some = fc.array(
      fc.record({
        recall: fc.double({ min: 0, max: 1, noNaN: true }),
        ms: fc.integer({ min: 1, max: 50 }),
        bytes: fc.integer({ min: 1, max: 50 }),
        hnsw: fc.boolean(),
      }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(
        some,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 50 }),
        fc.boolean(),
        (list, minimumRecall, maximumMs, mustDelete) => {
          const all = list.map((p, i) =>
            point(`${p.hnsw ? "HNSW" : "IVF"}${i}`, p.recall, p.ms, p.bytes),
          );
          const limits = { minimumRecall, maximumMs, maximumBytes: 40, mustDelete };
          const fits = all.filter(
            (p) =>
              p.labelRecall! >= minimumRecall &&
              p.timeMs! <= maximumMs &&
              p.memoryBytes! <= 40 &&
              !(mustDelete && p.family === "HNSW"),
          );
          const { pick } = pickIndex(all, limits);
          expect(pick === null).toBe(fits.length === 0);
          if (pick) expect(pick.timeMs).toBe(Math.min(...fits.map((p) => p.timeMs!)));
        },
      ),
    );
  });

  it("finds the points that none beats", () => {
    expect(
      paretoFront(
        [
          { r: 0.5, t: 1 },
          { r: 0.4, t: 2 },
          { r: 0.9, t: 3 },
          { r: 0.9, t: 4 },
        ],
        (p) => p.r,
        (p) => p.t,
      ),
    ).toEqual([
      { r: 0.5, t: 1 },
      { r: 0.9, t: 3 },
    ]);
  });
});

describe("boxes of a picture", () => {
  it("takes the record's verdicts and finds the missed truth", () => {
    const boxes = judgeBoxes(
      boxesFrom(
        [
          [0, 0, 10, 10, "a"],
          [50, 50, 60, 60, "b"],
        ],
        [
          [1, 0, 10, 10, 0.9, "a", "hit"],
          [80, 80, 90, 90, 0.4, "a", "false"],
          [0, 0, 5, 5, 0.1, "a", "unused"],
        ],
      ),
    );
    expect(boxes.map((b) => b.fate)).toEqual(["truth", "missed", "hit", "false"]);
    expect(badness(boxes)).toBeCloseTo(1.4, 12);
  });

  it("judges by IoU 0.5, the surest first, where the record does not say", () => {
    const boxes = judgeBoxes(
      boxesFrom(
        [[0, 0, 10, 10, "a"]],
        [
          [0, 0, 10, 9, 0.5, "a", "kept"],
          [0, 0, 10, 10, 0.8, "a", "kept"],
          [0, 0, 9, 9, 0.2, "a", "suppressed"],
        ],
      ),
    );
    expect(boxes.map((b) => [b.fate, b.score])).toEqual([
      ["truth", null],
      ["hit", 0.8],
      ["false", 0.5],
      ["dropped", 0.2],
    ]);
  });

  it("calls what a picture without truth holds kept", () => {
    const boxes = judgeBoxes(boxesFrom([], [[0, 0, 1, 1, 0.5, null, "kept"]]));
    expect(boxes.map((b) => b.fate)).toEqual(["kept"]);
  });
});

describe("numbers for people", () => {
  it("prints each unit", () => {
    expect([
      formatValue(0.83912, "ratio"),
      formatMs(0.01234),
      formatMs(45.678),
      formatMs(2300),
      formatBytes(298_603_250),
      formatBytes(512),
      formatValue(145_235, "count"),
      formatValue(1_520_000, "count"),
      formatValue(12.34, "per-second"),
    ]).toEqual([
      "0.839",
      "0.0123 ms",
      "45.7 ms",
      "2.30 s",
      "285 MiB",
      "512 B",
      "145,235",
      "1.52 M",
      "12.3 /s",
    ]);
    expect(formatDifference(0.0124, "ratio")).toBe("+0.012");
    expect(formatDifference(-0.0124, "ratio")).toBe("−0.012");
    expect(formatInterval(0.724, 0.775, "ratio")).toBe("0.724 – 0.775");
    expect(formatInterval(-0.085, -0.028, "ratio")).toBe("−0.085 to −0.028");
    expect(formatInterval(1.5, 2.5, "ms")).toBe("1.50 – 2.50 ms");
  });

  it("puts at least two ticks inside any range wider than half", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
        fc.double({ min: 2.6, max: 1e5, noNaN: true }),
        (low, factor) => {
          const inside = logTicks([low, low * factor]).filter((t) => t >= low && t <= low * factor);
          expect(inside.length).toBeGreaterThanOrEqual(2);
        },
      ),
    );
  });
});

describe("tables as text", () => {
  const hostile = [
    "<img src=x onerror=alert(1)>",
    "=cmd()",
    "-1+cmd|calc",
    "−0.016 (−0.028 to 0.004)",
    "+3.40 ms",
    'a "b", c',
    "x|y",
    "50 % & _{}",
    "line\nbreak",
    "−0.5",
    "",
    "-",
  ];
  const table = {
    caption: "T & C",
    columns: [
      { head: "name", align: "left" as const },
      { head: "value", align: "right" as const },
    ],
    rows: hostile.map((text) => [text, "1"]),
  };

  it("writes CSV that a parser gives back, formulas defused", () => {
    const rows = csvParseRows(
      toCsv(
        table.columns.map((c) => c.head),
        table.rows,
      ),
    );
    expect(rows[0]).toEqual(["name", "value"]);
    expect(rows.slice(1).map((row) => row[0])).toEqual(
      hostile.map((text) =>
        text === "=cmd()" || text === "-1+cmd|calc"
          ? `'${text}`
          : text.startsWith("−0.016")
            ? "-0.016 (-0.028 to 0.004)"
            : text === "−0.5"
              ? "-0.5"
              : text === "-"
                ? "'-"
                : text,
      ),
    );
  });

  it("writes Markdown with one row a line and no live markup", () => {
    const lines = toMarkdown(table).trimEnd().split("\n");
    expect(lines).toHaveLength(hostile.length + 4); // caption, blank, head, rule
    for (const line of lines.slice(2))
      expect(line.replaceAll("\\|", "").split("|")).toHaveLength(4);
    expect(toMarkdown(table)).not.toContain("<img");
  });

  it("writes LaTeX with every special character escaped", () => {
    const body = toLatex(table).split("\\midrule\n")[1]!.split("\\bottomrule")[0]!;
    expect(body.trim().split("\n")).toHaveLength(hostile.length);
    for (const line of body.trim().split("\n"))
      expect(line.replaceAll("\\&", "").split("&")).toHaveLength(2);
    expect(body).toContain("50 \\% \\& \\_\\{\\}");
    expect(toLatex(table)).toContain("\\caption{T \\& C}");
  });
});
