import type { Task } from "../../pipeline/model/card.js";
import { openClassifier } from "../../pipeline/classification/classifier.js";
import { openDetector } from "../../pipeline/detection/detector.js";
import { openEmbedder } from "../../pipeline/embedding/embedder.js";
import { decode } from "../../pipeline/image/image.js";
import type { ColdWork, Lap } from "../latency/cold-start.js";

/** One model and the picture that it is started for. */
export interface ColdModel {
  readonly card: string;
  readonly task: Task;
  readonly picture: string;
}

/** A model from nothing, for `measureColdStart`: loaded on one thread, then its first picture. */
export async function coldStart({ card, task, picture }: ColdModel, lap: Lap): Promise<ColdWork> {
  const settings = { threads: 1 };
  const answer = await opened(task, card, settings);
  lap("model");
  return async () => answer(await decode(picture));
}

type Answering = (pixels: Awaited<ReturnType<typeof decode>>) => Promise<unknown>;

async function opened(task: Task, card: string, settings: { threads: number }): Promise<Answering> {
  switch (task) {
    case "recognition": {
      const embedder = await openEmbedder(card, settings);
      return (pixels) => embedder.embed([pixels]);
    }
    case "detection": {
      const detector = await openDetector(card, settings);
      return (pixels) => detector.detect(pixels);
    }
    case "classification": {
      const classifier = await openClassifier(card, settings);
      return (pixels) => classifier.classify(pixels);
    }
  }
}
