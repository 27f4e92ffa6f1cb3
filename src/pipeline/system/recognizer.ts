// system/: a detector, an embedder and a gallery in; of a picture its recognitions and the time of
// each stage out. It never sees the truth.
import { accepted, passes, type Candidate } from "../acceptance.js";
import { UserError } from "../errors.js";
import type { Gallery } from "../gallery/gallery.js";
import { decode } from "../image/image.js";
import { rulesOf, type Rules } from "../protocol.js";
import { Stopwatch, monotonicClock } from "../stopwatch.js";
import type {
  Box,
  Clock,
  Codes,
  Detection,
  Observation,
  Pixels,
  Protocol,
  Recognition,
  Vectors,
} from "../types.js";
import type { TimedDetector } from "../detection/timed-detector.js";
import type { WindowEmbedder } from "../embedding/embedder.js";

/**
 * The settings of PP-ShiTu's pipeline. Defaults are PaddleClas's `inference_general.yaml`: at most
 * 5 boxes of score 0.2 or more, the whole image as one more box, 5 neighbours of which the first
 * decides, inner product >= 0.5 or Hamming distance <= 100, and suppression over the recognition
 * scores at IoU 0.05.
 */
export interface RecognizerSettings {
  readonly protocol: Protocol;
  readonly maxDetections: number;
  readonly detectionThreshold: number;
  readonly addWholeImage: boolean;
  readonly k: number;
  readonly scoreThreshold: number;
  readonly hammingRadius: number;
  readonly suppressIou: number;
}

export const defaultSettings: RecognizerSettings = {
  protocol: "standard",
  maxDetections: 5,
  detectionThreshold: 0.2,
  addWholeImage: true,
  k: 5,
  scoreThreshold: 0.5,
  hammingRadius: 100,
  suppressIou: 0.05,
};

export interface RecognizerParts {
  readonly detector: Pick<TimedDetector, "detect">;
  readonly embedder: WindowEmbedder;
  readonly gallery: Gallery;
  readonly clock?: Clock;
}

/**
 * detect -> add the whole image -> embed -> search -> threshold -> suppress, with the time of each
 * stage.
 */
export class Recognizer {
  readonly settings: RecognizerSettings;
  readonly #parts: RecognizerParts;
  readonly #rules: Rules;

  /**
   * @throws UserError `gallery-model` where the gallery was built by another model than the
   * embedder.
   */
  constructor(parts: RecognizerParts, settings: Partial<RecognizerSettings> = {}) {
    this.#parts = parts;
    this.settings = { ...defaultSettings, ...settings };
    this.#rules = rulesOf(this.settings.protocol);
    const from = parts.gallery.settings.model;
    if (from.version !== parts.embedder.version) {
      throw new UserError({
        code: "gallery-model",
        message: "the gallery was built by another model",
        expected: parts.embedder.id,
        found: from.id,
        fix: "build the gallery again with this model",
      });
    }
  }

  /** Decodes a picture file and recognises it. */
  async recognizeFile(file: string, image = file): Promise<Observation> {
    const watch = new Stopwatch(this.#parts.clock ?? monotonicClock);
    const pixels = await watch.time("decode", () => decode(file));
    return this.recognize(pixels, image, watch);
  }

  async recognize(
    pixels: Pixels,
    image: string,
    watch = new Stopwatch(this.#parts.clock ?? monotonicClock),
  ): Promise<Observation> {
    const { detector } = this.#parts;
    const { maxDetections, detectionThreshold } = this.settings;
    const all = await detector.detect(pixels, watch);
    const detections = bestDetections(all, maxDetections, detectionThreshold);
    const recognitions = await this.recognizeBoxes(pixels, detections, { watch });
    return {
      image,
      width: pixels.width,
      height: pixels.height,
      detections,
      recognitions,
      stageMs: { ...watch.stageMs },
      overallMs: watch.overallMs,
    };
  }

  /**
   * The part after detection, for given boxes: the counterfactual with oracle boxes uses it as
   * well. Empty boxes come last.
   */
  async recognizeBoxes(
    pixels: Pixels,
    detections: readonly Detection[],
    {
      wholeImage = this.settings.addWholeImage,
      watch = new Stopwatch(this.#parts.clock ?? monotonicClock),
    }: { wholeImage?: boolean; watch?: Stopwatch } = {},
  ): Promise<Recognition[]> {
    const { embedder, gallery } = this.#parts;
    const { k } = this.settings;
    const candidates = wholeImage
      ? [
          ...detections,
          { box: { x0: 0, y0: 0, x1: pixels.width, y1: pixels.height }, score: 1, classId: 0 },
        ]
      : [...detections];
    const cut = candidates.map((d) => ({ ...d, ...cropWindow(d.box, pixels, this.#rules.crops) }));
    const full = cut.filter((d) => d.window !== null);
    const empty = cut
      .filter((d) => d.window === null)
      .map((d): Recognition => ({
        box: d.box,
        detectionScore: d.score,
        label: null,
        score: 0,
        fate: "empty",
        hits: [],
      }));
    if (full.length === 0) return empty;
    const queries: Vectors | Codes = await embedder.embedWindows(
      pixels,
      full.map((d) => d.window!),
      watch,
    );
    // A handful of queries: on the calling thread, since a hop to a worker would cost more than the
    // search.
    const found = watch.timeSync("search", () => gallery.index.searchSync(queries, k));
    return watch.timeSync("suppress", () => {
      const hits = gallery.hits(found, full.length);
      return [
        ...this.#decide(
          full.map((d, i) => ({ box: d.box, detectionScore: d.score, hits: hits[i]! })),
        ),
        ...empty,
      ];
    });
  }

  #decide(
    crops: readonly { box: Box; detectionScore: number; hits: Recognition["hits"] }[],
  ): Recognition[] {
    const { scoreThreshold, hammingRadius, suppressIou } = this.settings;
    const hamming = this.#parts.gallery.index.metric !== "inner-product";
    const better = hamming ? "lower" : "higher";
    const threshold = hamming ? hammingRadius : scoreThreshold;
    const nothing = { label: null, score: hamming ? Infinity : -Infinity };
    const rows = crops.map((crop) => ({ ...crop, ...answerOf(crop.hits[0] ?? nothing) }));
    const kept = new Set(accepted(rows, { better, suppressIou, rules: this.#rules }, threshold));
    return rows.map((row, i): Recognition => {
      if (kept.has(i)) return { ...row, fate: "kept" };
      const passing = row.label !== null && passes(row.score, threshold, better);
      return { ...row, fate: passing ? "suppressed" : "below-threshold" };
    });
  }
}

function answerOf({ label, score }: Pick<Candidate, "label" | "score">) {
  return { label, score };
}

/**
 * The best `most` by score, then those of them that reach the threshold: PaddleClas's order (it
 * differs where boxes tie).
 */
export function bestDetections(
  all: readonly Detection[],
  most: number,
  threshold: number,
): Detection[] {
  return [...all]
    .sort((a, b) => b.score - a.score)
    .slice(0, most)
    .filter((d) => d.score >= threshold);
}

/**
 * What a box cuts out: its coordinates truncated to integers, and the window of pixels. `clipped`
 * cuts the box to the picture; `slices` keeps it as it is and repeats Python's slice, where a
 * negative start counts from the far end. The window is null where nothing is left.
 */
export function cropWindow(
  box: Box,
  { width, height }: { width: number; height: number },
  crops: Rules["crops"],
): { box: Box; window: Box | null } {
  const whole = {
    x0: Math.trunc(box.x0),
    y0: Math.trunc(box.y0),
    x1: Math.trunc(box.x1),
    y1: Math.trunc(box.y1),
  };
  const wraps = crops === "slices";
  const slice = (i: number, length: number): number =>
    Math.min(length, Math.max(0, wraps && i < 0 ? i + length : i));
  const window = {
    x0: slice(whole.x0, width),
    y0: slice(whole.y0, height),
    x1: slice(whole.x1, width),
    y1: slice(whole.y1, height),
  };
  const some = window.x1 > window.x0 && window.y1 > window.y0;
  return { box: wraps || !some ? whole : window, window: some ? window : null };
}
