import { describe, expect, it } from "vitest";
import { divergencePoints, divergenceSentence } from "../../reports/analysis/gate-view.js";
import { flippedCases, gateDocumentOf, gateViews } from "../../reports/build/gates.js";
import type { LoadedRun } from "../../reports/build/runs.js";
import type { GateDocument } from "../../src/eval/gate/gate-record.js";

const rows = [130, 61, null, 20, -1].map((db, i) => ({
  op: "Conv",
  baseline: `b${i}`,
  candidate: `c${i}`,
  shape: [1],
  db,
}));
const layers = { matched: 5, floorDb: 60, first: { ...rows[3]! }, rows };
const withLayers = (first: unknown) =>
  ({ diagnosis: { layers: { ...layers, first } } }) as unknown as GateDocument;

describe("the divergence of a gate", () => {
  it("marks the first value below the floor, whose row JSON made a copy of", () => {
    const points = divergencePoints(withLayers(layers.first));
    expect(points.map((p) => [p.place, p.db, p.kind])).toEqual([
      [1, 120, "as usual"],
      [2, 61, "as usual"],
      [4, 20, "first below the floor"],
      [5, -1, "below the floor"],
    ]);
    expect(divergenceSentence(withLayers(layers.first))).toMatch(/below 60 dB is c3 \(Conv\)/);
  });

  it("says so where nothing is below it, or nothing was compared", () => {
    expect(divergenceSentence(withLayers(null))).toMatch(/none is below 60 dB/);
    const none = { diagnosis: null } as unknown as GateDocument;
    expect([divergencePoints(none), divergenceSentence(none)]).toEqual([
      [],
      "The values of the two graphs were not compared.",
    ]);
  });
});

describe("the gates of a site", () => {
  const document = {
    verdict: "fail",
    limits: [],
    datasets: [{ name: "shelf", flips: [{ item: "b.jpg" }] }],
  };
  const run = (gate: unknown): LoadedRun =>
    ({
      view: { key: "k", cells: [{ id: "c", labels: { dataset: "shelf" } }] },
      gate: gateDocumentOf(gate),
      cases: ["a.jpg", "b.jpg"].map((item) => ({ cell: "c", item, image: item })),
      imageRoots: new Map(),
    }) as unknown as LoadedRun;

  it("are the records that hold a whole judgement", () => {
    expect(gateViews([run(document), run({}), run(null)]).map((g) => g.key)).toEqual(["k"]);
  });

  it("ask for the pictures of what flipped", () => {
    expect(flippedCases([run(document), run({})]).map((c) => [c.dataset, c.image])).toEqual([
      ["shelf", "b.jpg"],
    ]);
  });
});
