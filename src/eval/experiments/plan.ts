// experiments/: a checked config in; cells out, each of which joins observations with the truth and
// scores them. It never sees the record's folder or another cell.
import type { LoadedConfig, Measurement } from "../config/config.js";
import { timingLoop } from "../observe/loop-time.js";
import type { Resources } from "../observe/resources.js";
import type { CellPlan } from "./cell.js";
import { planClassification } from "./classification.js";
import { planDetection } from "./detection.js";
import { planIndexChoice } from "./index-choice.js";
import { planLatency } from "./latency.js";
import { planNetworks } from "./networks.js";
import { planPipeline } from "./pipeline.js";
import { planRetrieval } from "./retrieval.js";

/** Turns one entry of a config's `measure` into the cells of its sweep. */
export async function planMeasurement(
  measurement: Measurement,
  { config }: LoadedConfig,
  resources: Resources,
): Promise<CellPlan[]> {
  switch (measurement.kind) {
    case "detection":
      return planDetection(measurement, config.protocol, resources);
    case "retrieval":
      return planRetrieval(measurement, config.protocol, resources);
    case "latency":
      return (await planLatency(measurement, config.protocol, resources)).map((plan) => ({
        ...plan,
        measure: (context) => timingLoop(() => plan.measure(context)),
      }));
    case "pipeline":
      return planPipeline(measurement, config.protocol, resources);
    case "classification":
      return planClassification(measurement, config.protocol, resources);
    case "index":
      return planIndexChoice(measurement, config, resources);
    case "network":
      return planNetworks(measurement, config.table, resources);
  }
}
