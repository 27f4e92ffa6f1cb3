import { describe, expect, it } from "vitest";
import { gateHtml } from "../../src/cli/gate/html/gate-html.js";
import { divergenceChart } from "../../src/cli/gate/html/divergence-chart.js";
import type { LayerReport } from "../../src/eval/gate/diagnosis.js";
import type { GateDocument } from "../../src/eval/gate/gate-record.js";
import { judgeLimits } from "../../src/eval/gate/limits.js";

const hostile = `</style><script>alert(1)</script>"'&`;
const rows = [120, 90, 4, -3].map((db, i) => ({
  op: "Conv",
  baseline: `b${i}`,
  candidate: `c${i}`,
  shape: [1],
  db,
}));
const layers: LayerReport = {
  matched: 4,
  unmatched: { baseline: 0, candidate: 0 },
  floorDb: 60,
  first: rows[2]!,
  fault: null,
  rows,
};

const findings = [
  { measure: "recall@1", dataset: "shelf", value: -0.2, bounds: [-0.3, -0.1] as const, n: 50 },
  { measure: "unusable", dataset: "shelf", value: 0, n: 50 },
];
const document: GateDocument = {
  schema: 1,
  gate: "g",
  title: "Title",
  task: "recognition",
  verdict: "fail",
  accepted: false,
  change: "same",
  level: 0.95,
  baseline: { name: "old", version: "1", sha256: "a".repeat(64) },
  candidate: { name: hostile, version: "2", sha256: null },
  limits: judgeLimits({ "recall@1": 0.01, unusable: 0 }, findings, { change: "same", level: 0.95 }),
  findings,
  latency: null,
  notes: [hostile],
  datasets: [
    {
      name: "shelf",
      images: "images",
      hash: "h",
      items: 50,
      flipped: 30,
      moved: [{ item: "a.jpg", image: "a.jpg", agreement: 0.5 }],
      losers: [{ label: hostile, items: 2, lost: 2, gained: 0 }],
      stages: [{ stage: "missed", baseline: 1, candidate: 7 }],
      flips: Array.from({ length: 30 }, (_, i) => ({
        item: `${i} ${hostile}`,
        image: `${i}.jpg`,
        truth: hostile,
        direction: "lost" as const,
        baseline: "yes",
        candidate: null,
      })),
    },
  ],
  diagnosis: {
    sentence: "with BGR it is fine",
    fault: "bgr",
    stage: "normalise",
    healthy: false,
    change: "same",
    pictures: 4,
    scores: null,
    oracle: {
      asGiven: 0.5,
      correctedLikeness: 1,
      firstStage: null,
      stages: [{ stage: "normalise", likeness: 1, explains: 1 }],
      attempts: [],
      answer: [],
    } as never,
    layers,
    layersWhy: null,
    quantised: [],
  },
};
const pictures = new Map([["shelf/0.jpg", "data:image/webp;base64,AAAA"]]);
const html = gateHtml(document, pictures, { judgedAt: "2026-11-28" });

describe("a gate's HTML file", () => {
  it("has the verdict first, then limits, flips and the divergence", () => {
    const places = ["<h1", "<h2>Limits", "30 of 50 items flipped", "Where it broke</h2>", "<svg"];
    const at = places.map((text) => html.indexOf(text));
    expect(at.every((place) => place > 0)).toBe(true);
    expect([...at].sort((a, b) => a - b)).toEqual(at);
    expect(html).toMatch(/<h1 class="fail">.*FAIL: /);
  });

  it("loads nothing from anywhere", () => {
    expect(html).not.toMatch(/(?:src|href)="(?!data:)/);
    expect(html).not.toMatch(/https?:|@import|url\(/);
  });

  it("places labels and names as text", () => {
    expect(html).not.toContain("<script");
    expect(html.match(/<\/style>/g)).toHaveLength(1);
    expect(html).toContain("&lt;script&gt;alert(1)");
  });

  it("shows pictures where it has them, and counts the flips that it leaves out", () => {
    expect(html.match(/<img /g)).toHaveLength(1);
    expect(html).toContain("no picture");
    expect(html).toContain("6 more are in the record");
  });
});

describe("the divergence chart", () => {
  const chart = divergenceChart(layers).text;

  it("marks the first value below the floor, and says it in words", () => {
    expect(chart.match(/<circle class="first"/g)).toHaveLength(1);
    expect(chart).toMatch(/aria-label="Of 4 values, the first below 60 dB is c2 \(Conv\)."/);
    expect(chart).toMatch(/<circle class="first"[^>]*><title>Conv, c2: 4.0 dB/);
  });

  it("keeps every value inside, from the worst to rounding", () => {
    const heights = [...chart.matchAll(/cy="([\d.]+)"/g)].map((m) => Number(m[1]));
    expect(heights).toHaveLength(4);
    expect(heights).toEqual([...heights].sort((a, b) => a - b));
    expect(Math.min(...heights)).toBeGreaterThanOrEqual(14);
    expect(Math.max(...heights)).toBeLessThanOrEqual(206);
  });

  it("says so where nothing could be compared", () => {
    const none = divergenceChart({ ...layers, first: null, rows: [] }).text;
    expect(none).toBe("<p>No value of the two graphs could be compared.</p>");
  });
});
