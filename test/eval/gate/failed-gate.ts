import type { LayerReport } from "../../../src/eval/gate/diagnosis.js";
import type { GateDocument } from "../../../src/eval/gate/gate-record.js";
import { judgeLimits } from "../../../src/eval/gate/limits.js";

/** A failed gate whose names and labels are hostile. */
export const hostile = `<img src=x onerror=alert(1)></style><script>alert(1)</script>"'&`;
const rows = [120, 90, 4, -3].map((db, i) => ({
  op: "Conv",
  baseline: `b${i}`,
  candidate: `c${i}`,
  shape: [1],
  db,
}));
export const layers: LayerReport = {
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
export const failedGate: GateDocument = {
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
