import type { Stopwatch } from "../stopwatch.js";
import type { Detection, Detector, Pixels } from "../types.js";

/**
 * A detector that tells a stopwatch how long its stages (`preprocess`, `detect`) took, and that can
 * be closed.
 */
export interface TimedDetector extends Detector {
  /**
   * All boxes that the model yields, in pixels of the picture, the best score first: at most 100 of
   * score 0.025 or more with PicoDet's constants. What a pipeline uses of them (the best 5, score
   * 0.2) is for the pipeline to say.
   * @throws UserError `model-run-failed` or `model-output` where the model fails on this picture.
   */
  detect(pixels: Pixels, watch?: Stopwatch): Promise<Detection[]>;
  close(): Promise<void>;
}
