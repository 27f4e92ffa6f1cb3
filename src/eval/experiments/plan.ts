import type { LoadedConfig, Measurement } from "../config.js";
import type { Resources } from "../resources.js";
import type { CellPlan } from "../runner.js";
import { planDetection } from "./detection.js";
import { planLatency } from "./latency.js";
import { planRetrieval } from "./retrieval.js";

/** Turns one entry of a config's `measure` into the cells of its sweep. */
export function planMeasurement(measurement: Measurement, { config }: LoadedConfig, resources: Resources): Promise<CellPlan[]> {
  switch (measurement.kind) {
    case "detection": return planDetection(measurement, config.protocol, resources);
    case "retrieval": return planRetrieval(measurement, config.protocol, resources);
    case "latency": return planLatency(measurement, config.protocol, resources);
  }
}
