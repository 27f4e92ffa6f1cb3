/**
 * Where each number is defined: metrics and heads of tables by the page of docs/methodology and the
 * anchor of its definition. `recall@5` is looked up as `recall@k`.
 */
const definitions: Readonly<Record<string, string>> = {
  AP: "detection#average-precision",
  "mean AP": "detection#average-precision",
  AP50: "detection#average-precision",
  AP75: "detection#average-precision",
  "AP-small": "detection#average-precision",
  "AP-medium": "detection#average-precision",
  "AP-large": "detection#average-precision",
  "AR@k": "detection#average-recall",
  "AR-small": "detection#average-recall",
  "AR-medium": "detection#average-recall",
  "AR-large": "detection#average-recall",
  "AP50 to win": "detection#error-types",
  "top-k": "classification#top-k",
  "recall@k": "retrieval#recall-at-k",
  "precision@k": "retrieval#precision-at-k",
  mAP: "retrieval#mean-average-precision",
  "R-precision": "retrieval#r-precision",
  "MAP@R": "retrieval#map-at-r",
  mINP: "retrieval#mean-inverse-negative-penalty",
  "worst ties": "retrieval#ties",
  "best ties": "retrieval#ties",
  "label-recall@k": "index-quality#label-recall-at-k",
  "neighbour-recall@k": "index-quality#neighbour-recall-at-k",
  "index-size": "index-quality#index-size",
  "build-time": "index-quality#build-time",
  "retrieval-time": "index-quality#query-time",
  F1: "end-to-end#f1",
  threshold: "end-to-end#threshold-sweep",
  "crop-recall@k": "end-to-end#crop-recall-at-k",
  "objects-recognised-if": "end-to-end#counterfactuals",
  "objects-gained-if": "end-to-end#counterfactuals",
  macs: "models#multiply-adds",
  "multiply-adds": "models#multiply-adds",
  params: "models#parameters",
  parameters: "models#parameters",
  "model-size": "models#model-size",
  "single-stream-latency": "latency#scenarios",
  throughput: "latency#scenarios",
  "server-rate": "latency#scenarios",
  "server-latency": "latency#scenarios",
  "latency-ratio": "latency#comparison",
  "self-ratio": "latency#comparison",
  "total-ratio": "latency#comparison",
  "round-latency": "latency#comparison",
  "minimal-detectable-effect": "latency#comparison",
  "cold-start": "latency#cold-start",
  "model-load": "latency#cold-start",
  "start-memory": "latency#cold-start",
  "peak-memory": "latency#cold-start",
  "load-average": "latency#machine",
  "95% interval": "intervals",
  "Interval by": "intervals",
  Interval: "intervals",
  Verdict: "reports#differences",
};

/** What `objects` and `latency` are depends on the kind of their cell. */
const ofKinds: Readonly<Record<string, string>> = {
  "detection objects": "detection#average-precision",
  "pipeline objects": "end-to-end#loss-waterfall",
  "detection images": "detection#average-precision",
  "detection latency": "models#model-latency",
  "retrieval latency": "models#model-latency",
  "classification latency": "models#model-latency",
  "latency latency": "latency#stages",
};

/**
 * `retrieval#recall-at-k` for `recall@5`: page and anchor; null where a head is no number of ours.
 * @param kind of the cell that the number is of, where it is known.
 */
export function definitionOf(name: string, kind?: string): string | null {
  const general = name
    .replace(/, mean$/, "")
    .replace(/^(label|neighbour) recall/, "$1-recall")
    .replace(/@\d+$/, "@k")
    .replace(/^top-\d+$/, "top-k");
  return ofKinds[`${kind ?? ""} ${general}`] ?? definitions[general] ?? null;
}

/** Every page and anchor that something leads to. */
export const definitionTargets: readonly string[] = [
  ...new Set([...Object.values(definitions), ...Object.values(ofKinds)]),
];
