import { baselineVersion, type BaselineCard } from "../model/baseline-card.js";
import type { TimedDetector } from "./timed-detector.js";
import type { Detection, Pixels } from "../types.js";

/** Takes the whole picture for the object, with score 1: what a detector must beat. */
export class WholeImageDetector implements TimedDetector {
  readonly id: string;
  readonly version: string;

  constructor(card: Extract<BaselineCard, { task: "detection" }>) {
    this.id = card.name;
    this.version = baselineVersion(card);
  }

  async detect({ width, height }: Pixels): Promise<Detection[]> {
    return [{ box: { x0: 0, y0: 0, x1: width, y1: height }, score: 1, classId: 0 }];
  }

  async close(): Promise<void> {
    // Nothing is held.
  }
}
