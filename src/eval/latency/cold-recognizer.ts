import { openDetector } from "../../pipeline/detection/detector.js";
import { openEmbedder } from "../../pipeline/embedding/embedder.js";
import { Gallery } from "../../pipeline/gallery/gallery.js";
import { setFaissThreads } from "../../pipeline/index/engine.js";
import { Recognizer } from "../../pipeline/system/recognizer.js";
import type { Protocol } from "../../pipeline/types.js";
import type { ColdWork, Lap } from "./cold-start.js";

/** Where a model lies: its card, and its folder where the card is kept apart from it. */
export interface ColdModel {
  readonly card: string;
  readonly modelFolder?: string;
}

export interface ColdSystem {
  readonly detector: ColdModel;
  readonly embedder: ColdModel;
  /** Folder of a saved gallery. */
  readonly gallery: string;
  readonly picture: string;
  readonly threads: number;
  readonly protocol: Protocol;
}

/**
 * A whole system from nothing, for `measureColdStart`: both models and the gallery, then the first
 * picture.
 */
export async function coldStart(
  { detector, embedder, gallery, picture, threads, protocol }: ColdSystem,
  lap: Lap,
): Promise<ColdWork> {
  setFaissThreads(threads);
  const { card: detectorCard, ...detectorPlace } = detector;
  const { card: embedderCard, ...embedderPlace } = embedder;
  const detects = await openDetector(detectorCard, { ...detectorPlace, threads, protocol });
  lap("detector");
  const embeds = await openEmbedder(embedderCard, { ...embedderPlace, threads });
  lap("embedder");
  const searched = await Gallery.load(gallery, embeds);
  lap("index");
  const recognizer = new Recognizer(
    { detector: detects, embedder: embeds, gallery: searched },
    { protocol },
  );
  return () => recognizer.recognizeFile(picture);
}
