import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { compareRecords, defaultPair } from "../../reports/analysis/compare.js";
import { groupFailures, groupNotes } from "../../reports/analysis/failures.js";
import { bestBinary, headlineOf, notToldApart } from "../../reports/analysis/headline.js";
import {
  hitsByCell,
  modelPairs,
  pairDifference,
  recallCurve,
} from "../../reports/analysis/model-pairs.js";
import {
  completedCells,
  failedCells,
  metricName,
  type RecordView,
} from "../../reports/analysis/record-view.js";
import { serverRates } from "../../reports/analysis/scenarios.js";
import { roleOf, seriesOf } from "../../reports/analysis/series.js";
import { errorTypesOf } from "../../reports/build/error-types.js";
import { loadRuns, type LoadedRun } from "../../reports/build/runs.js";
import type { Case } from "../../src/eval/record/case.js";
import { boxesFrom, type FoundRow, type TruthRow } from "./case-boxes.js";
import { makeRecords } from "./make-records.js";

let runs: LoadedRun[];
beforeAll(async () => {
  const folder = join(await mkdtemp(join(tmpdir(), "report-models-")), "runs");
  await makeRecords(folder);
  ({ runs } = await loadRuns(folder));
}, 60_000);
const view = (name: string): RecordView => runs.find((r) => r.view.experiment.name === name)!.view;

describe("looks of models", () => {
  it("gives a model of a role the same look in any company", () => {
    expect(
      [
        "det-server",
        "light",
        "light-general",
        "light-int8",
        "no weights",
        "special-goods",
        "light-dml-1",
        "light-general signs",
      ].map(roleOf),
    ).toEqual(["server", "light", "light", "light, int8", "baseline", "other", "other", "other"]);
    const look = (names: string[], name: string): unknown[] => {
      const s = seriesOf(names);
      const at = s.domain.indexOf(name);
      return [s.hues[at], s.shapes[at], s.dashes[at]];
    };
    for (const name of ["server", "light-general", "no weights"])
      expect(look(["a", "b", name, "c"], name)).toEqual(look([name], name));
  });

  it("tells every two of eight apart by colour, shape or dash", () => {
    const { hues, shapes, dashes } = seriesOf([
      "server",
      "light",
      "light-int8",
      "pixels-32",
      "colour-histogram",
      "special-a",
      "special-b",
      "special-c",
    ]);
    expect(new Set(hues.map((hue, i) => JSON.stringify([hue, shapes[i]]))).size).toBe(8);
    expect(new Set(hues.map((hue, i) => JSON.stringify([hue, dashes[i]]))).size).toBe(8);
  });
});

describe("the sentence of a record", () => {
  it("sets the light system beside the server, by the interleaved ratio where there is one", () => {
    const sentence = headlineOf(view("mini-table9"));
    expect(sentence).toMatch(/^The light system keeps 9\d% of the server system's F1 /);
    expect(sentence?.replace(/^.*?'s F1 /, "")).toBe(
      "(0.470 of 0.500, n = 200; their intervals overlap) at 35% of the time a picture " +
        "(95% interval 34% to 36%, systems taking turns).",
    );
  });

  it("says of each kind what its numbers say", () => {
    const detection = headlineOf(view("mini-table4"));
    expect(detection).toMatch(/^light-detector keeps 9\d% of the AP of server-detector \(/);
    expect(detection).toMatch(
      / \(0\.\d{3} of 0\.\d{3}, mean of 5 sets\) at 29% of its time \(11\.8 ms of 41\.0 ms\)\.$/,
    );
    const binary = headlineOf(view("mini-table7"), "retrieval");
    expect(binary).toMatch(
      /^The binary codes of light-dshsd(, the best of \d,)? keep 9\d% of the recall@1 of real /,
    );
    expect(binary).toMatch(/vectors \(.*mean of 3 sets\) in an index of 1\/32 of the size/);
    expect(headlineOf(view("mini-table6"))).toContain(
      "ShuffleNetV2-0.33x and MobileNetV3-small-0.35x are not told apart at the top: top-1 0.588",
    );
    expect(headlineOf(view("index-sweep"))).toMatch(
      /^On 30,000 x 512 drawn vectors, .*: IVF nprobe 64 over real codes answers 3\.3 times as /,
    );
    const recognition = headlineOf(view("mini-table5"));
    expect(recognition).toMatch(/^light-general puts the right label first for 7\d% of the /);
    expect(recognition).toMatch(/ queries \(recall@1, mean of 6 sets\)\.$/);
    expect(headlineOf(view("nothing"))).toBeNull();
  });

  it("names a winner only where intervals do not meet", () => {
    const row = (name: string, low: number, high: number) => ({
      name,
      value: (low + high) / 2,
      interval: { low, high, level: 0.95, method: "wilson", units: 100 },
    });
    const names = (rows: Parameters<typeof notToldApart>[0]) =>
      notToldApart(rows).map((r) => r.name);
    expect(names([row("a", 0.8, 0.9), row("b", 0.7, 0.79), row("c", 0.1, 0.2)])).toEqual(["a"]);
    expect(names([row("a", 0.8, 0.9), row("b", 0.7, 0.8)])).toEqual(["a", "b"]);
    // Without an interval nothing is told.
    expect(names([row("a", 0.8, 0.9), { ...row("b", 0.1, 0.2), interval: null }])).toEqual([
      "a",
      "b",
    ]);
    const six = view("mini-table6");
    const apart = {
      ...six,
      cells: six.cells.map((cell, i) =>
        cell.state === "failed"
          ? cell
          : {
              ...cell,
              scores: cell.scores.map((s) =>
                s.value !== null && s.interval && s.metric === "top-1"
                  ? {
                      ...s,
                      value: 0.6 - i / 10,
                      interval: { ...s.interval, low: 0.59 - i / 10, high: 0.61 - i / 10 },
                    }
                  : s,
              ),
            },
      ),
    };
    expect(headlineOf(apart)).toMatch(/^Of 4 networks measured, [^ ]+ is the most accurate: top-1/);
  });

  it("chooses the binary model that keeps most", () => {
    const cells = completedCells(view("mini-table7"), "retrieval");
    expect(bestBinary(cells)).toMatchObject({
      binary: "light-dshsd",
      sets: 3,
      realBytes: 3_100_000,
      binaryBytes: 97_000,
    });
    expect(bestBinary(cells.filter((c) => c.labels.codes === "real"))).toBeNull();
  });

  it("names a score by what it is of", () => {
    expect(
      metricName({
        metric: "server-latency",
        of: { percentile: "90", rate: "45.2", boundMs: "50" },
      }),
    ).toBe("server latency (p90, at 45.2 /s, within 50 ms)");
    expect(metricName({ metric: "F1", of: { definition: "C", threshold: "held-out" } })).toBe(
      "F1 (box and label, held-out)",
    );
  });
});

describe("pairs of models", () => {
  it(
    "finds specialists with their own sets, distilled ones with the plain one of their " +
      "seed, and int8",
    () => {
      const five = modelPairs(completedCells(view("mini-table5"), "retrieval"));
      const specialists = five.filter((p) => p.kind === "specialist");
      expect(specialists).toHaveLength(30);
      expect(
        specialists.every(
          (p) =>
            p.first.labels.model === "light-general" &&
            p.first.labels.dataset === p.second.labels.dataset,
        ),
      ).toBe(true);
      expect(
        specialists
          .filter((p) => p.own)
          .map((p) => [p.second.labels.model, p.second.labels.dataset]),
      ).toEqual([
        ["specialist aliproduct", "mini-aliproduct"],
        ["specialist veri-wild", "mini-veri-wild"],
        ["specialist logodet-3k", "mini-logodet-3k"],
        ["specialist icartoonface", "mini-icartoonface"],
        ["specialist inshop", "mini-inshop"],
      ]);
      expect(
        five
          .filter((p) => p.kind === "int8")
          .map((p) => [p.first.labels.model, p.second.labels.model])[0],
      ).toEqual(["light-general", "light-general-int8"]);
      const eight = modelPairs(completedCells(view("mini-table8"), "retrieval"));
      expect(eight.map((p) => [p.kind, p.first.labels.model])).toEqual(
        Array.from({ length: 12 }, () => ["distilled", "light-plain-1"]),
      );
    },
  );

  it("takes the difference on the items that both judged", () => {
    const rows = [
      ["a", "x", "hit"],
      ["a", "y", "miss"],
      ["a", "z", "none"],
      ["b", "x", "miss"],
      ["b", "y", "hit"],
      ["b", "z", "hit"],
    ].map(([cell, item, outcome]) => ({ cell: cell!, item: item!, outcome: outcome! }));
    const hits = hitsByCell(rows);
    expect(hits.get("a")).toEqual(
      new Map([
        ["x", true],
        ["y", false],
      ]),
    );
    const pair = (id: string): never => ({ id }) as never;
    expect(pairDifference({ first: pair("a"), second: pair("b") }, hits)).toMatchObject({
      n: 2,
      gained: 1,
      lost: 1,
      difference: 0,
    });
    expect(pairDifference({ first: pair("a"), second: pair("c") }, hits)).toBeNull();
  });

  it("counts recall@k from the ranks of the cases", () => {
    const rows = [0, 1, 1, 4, -1].map((rank) => ({
      cell: "c",
      outcome: rank === 0 ? "hit" : "miss",
      rank,
    }));
    expect(
      recallCurve([...rows, { cell: "c", outcome: "none", rank: -1 }], 3).map((d) => [
        d.k,
        d.recall,
        d.n,
      ]),
    ).toEqual([
      [1, 0.2, 5],
      [2, 0.6, 5],
      [3, 0.6, 5],
    ]);
    expect(recallCurve([], 3)).toEqual([]);
  });
});

describe("two runs", () => {
  it(
    "judges every common cell: better, worse, unchanged or not to be told, with the answers " +
      "that flipped",
    () => {
      const [before, after] = defaultPair(
        runs.map((r) => r.view).filter((r) => r.experiment.name === "first-light"),
      );
      expect([
        before!.provenance.startedAt < after!.provenance.startedAt,
        before!.experiment.name,
      ]).toEqual([true, "first-light"]);
      const cases = (record: RecordView): Case[] => [...runs.find((r) => r.view === record)!.cases];
      const compared = compareRecords(before!, after!, cases(before!), cases(after!));
      expect(compared).toHaveLength(6);
      const recall = compared.filter((c) => c.metric === "recall@1");
      for (const c of recall) {
        const hits = (record: RecordView, cell: string): Set<string> =>
          new Set(
            cases(record)
              .filter((row) => row.cell === cell && row.outcome === "hit")
              .map((row) => row.item),
          );
        const [a, b] = [hits(before!, c.beforeCell), hits(after!, c.afterCell)];
        expect(new Set(c.lost)).toEqual(new Set([...a].filter((item) => !b.has(item))));
        expect(new Set(c.gained)).toEqual(new Set([...b].filter((item) => !a.has(item))));
        expect(c.difference).toBeCloseTo((b.size - a.size) / c.judged, 12);
        expect(c.verdict).toBe(c.low! > 0 ? "better" : c.high! < 0 ? "worse" : "cannot tell");
      }
      expect(recall.some((c) => c.lost.length > 0)).toBe(true);
      // Pictures of a detector flip, too, though AP is no share of them.
      const detection = compared.find((c) => c.metric === "AP")!;
      expect([
        detection.paired,
        detection.judged > 0,
        detection.lost.length + detection.gained.length > 0,
      ]).toEqual([null, true, true]);
      const same = compareRecords(after!, after!, cases(after!), cases(after!));
      expect(same.filter((c) => c.judged > 0).map((c) => c.verdict)).toEqual(
        same.filter((c) => c.judged > 0).map(() => "unchanged"),
      );
      const swapped = compareRecords(after!, before!, cases(after!), cases(before!));
      expect(swapped.map((c) => c.difference)).toEqual(
        compared.map((c) => (c.difference === 0 ? 0 : -c.difference)),
      );
    },
  );
});

describe("failed cells", () => {
  it("are one line for all that wait for models, and one for each other reason", () => {
    const six = groupFailures(failedCells(view("mini-table6")));
    expect(six).toHaveLength(1);
    expect(six[0]).toMatchObject({ missingModels: ["cls-a", "cls-b"], cells: [{}, {}, {}] });
    expect(
      groupFailures(failedCells(view("hostile"))).map((g) => [g.code, g.missingModels.length]),
    ).toEqual([
      ["model-missing", 0],
      ["file-unreadable", 1],
    ]);
    expect(groupFailures([])).toEqual([]);
  });
});

describe("notes of cells", () => {
  it("stand once, with all that they are about", () => {
    expect(
      groupNotes([
        { name: "a", note: "x" },
        { name: "b", note: "y" },
        { name: "c", note: "x" },
      ]),
    ).toEqual([
      { note: "x", names: ["a", "c"] },
      { note: "y", names: ["b"] },
    ]);
  });
});

describe("the Server scenario", () => {
  it("has every rate that was tried with its verdict, slowest first", () => {
    const rates = serverRates(completedCells(view("mini-table9"), "latency"));
    expect(rates).toHaveLength(8);
    expect(rates.filter((r) => r.system === "light").map((r) => r.rate)).toEqual(
      [...rates.filter((r) => r.system === "light").map((r) => r.rate)].sort((a, b) => a - b),
    );
    expect(new Set(rates.map((r) => r.verdict))).toEqual(new Set(["met", "missed"]));
    for (const r of rates) expect(r.verdict).toBe(r.ms <= r.boundMs ? "met" : "missed");
  });
});

describe("error types of a detector", () => {
  const row = (truth: TruthRow[], found: FoundRow[]): Case => ({
    cell: "c",
    item: "i",
    image: null,
    outcome: "miss",
    truth: null,
    prediction: null,
    score: null,
    rank: null,
    neighbours: null,
    boxes: boxesFrom(truth, found),
    width: null,
    height: null,
    lostAt: null,
    stageMs: null,
  });
  const counts = (cases: Case[]): Record<string, number> =>
    Object.fromEntries(
      (errorTypesOf(cases)?.types ?? []).filter((t) => t.count > 0).map((t) => [t.type, t.count]),
    );
  const one: TruthRow = [0, 0, 100, 100, null];

  it("names each kind, and what mending it would win", () => {
    expect(counts([row([one], [[0, 0, 100, 100, 0.9, null, "hit"]])])).toEqual({});
    expect(counts([row([one], [[0, 0, 100, 40, 0.9, null, "false"]])])).toEqual({
      localisation: 1,
    });
    expect(
      counts([
        row(
          [one],
          [
            [0, 0, 100, 100, 0.9, null, "hit"],
            [0, 0, 100, 98, 0.8, null, "false"],
          ],
        ),
      ]),
    ).toEqual({ duplicate: 1 });
    expect(counts([row([one], [[500, 500, 600, 600, 0.9, null, "false"]])])).toEqual({
      background: 1,
      missed: 1,
    });
    const localisation = errorTypesOf([row([one], [[0, 0, 100, 40, 0.9, null, "false"]])])!;
    expect(localisation).toMatchObject({ pictures: 1, objects: 1, ap50: 0, classes: 1 });
    expect(localisation.types.find((t) => t.type === "localisation")!.loss).toBeCloseTo(1, 12);
  });

  it("counts classes only where truth and boxes both name them", () => {
    const cat: TruthRow = [0, 0, 100, 100, "cat"];
    expect(
      counts([row([cat, [200, 0, 300, 100, "dog"]], [[0, 0, 100, 100, 0.9, "dog", "false"]])]),
    ).toMatchObject({ classification: 1 });
    expect(counts([row([cat], [[0, 0, 100, 100, 0.9, null, "hit"]])])).toEqual({});
  });

  it("gives none where there is nothing to judge", () => {
    expect(errorTypesOf([])).toBeNull();
    expect(errorTypesOf([{ ...row([], []), boxes: null }, row([], [])])).toBeNull();
  });
});
