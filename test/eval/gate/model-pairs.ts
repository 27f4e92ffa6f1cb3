import { existsSync } from "node:fs";
import { join } from "node:path";
import { readFileSync, mkdirSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { observeRecognition } from "../../../src/eval/gate/recognition.js";
import { openWork } from "../../../src/eval/gate/work.js";
import { buildFolder } from "../../../datasets/mini/prepare.js";
import { projectRoot } from "../../../src/pipeline/root.js";
import { shared, sharedData } from "../../shared-data.js";

/** Pairs of real models on real queries, for an independent calculation of what a gate says. */
export interface ModelPair {
  readonly name: string;
  ready(): boolean;
  /** Cards of the two, made in a folder where the model lies elsewhere. */
  cards(folder: string): readonly [string, string];
  readonly dataset: string;
}

const first = "configs/first-light/mobilenet-v2.yaml";

export const modelPairs: readonly ModelPair[] = [
  {
    name: "MobileNetV2 fp32 and QDQ on drink photos",
    ready: () => sharedData !== null,
    dataset: "datasets/drink/manifest.yaml",
    cards(folder) {
      mkdirSync(folder, { recursive: true });
      const card = (kind: string): string => {
        const model = shared("models/mobilenet", `mobilenet_v2_1.0_224_imagenet_${kind}.onnx`);
        const sha = createHash("sha256").update(readFileSync(model)).digest("hex");
        const text = readFileSync(join(projectRoot, first), "utf8")
          .replace(/^file: .*$/m, `file: ${model}`)
          .replace(/^sha256: .*$/m, `sha256: "${sha}"`);
        const file = join(folder, `${kind}.yaml`);
        writeFileSync(file, text);
        return file;
      };
      return [card("fp32"), card("qdq_u8")];
    },
  },
  {
    name: "light-general and light-int8 on mini-shelf",
    ready: () => existsSync(join(buildFolder, "mini-shelf", "outcomes.json")),
    dataset: "datasets/mini/sets/mini-shelf.yaml",
    cards: () => [
      join(projectRoot, "models/light-general/card.yaml"),
      join(projectRoot, "models/light-int8/card.yaml"),
    ],
  },
];

/** A 1 or a 0 for each query that either side could answer, as a gate observes them. */
export async function outcomesOf(
  pair: ModelPair,
  folder: string,
): Promise<{ baseline: string; candidate: string }> {
  const settings = { photos: sharedData ?? "" };
  const signal = new AbortController().signal;
  const work = openWork(join(folder, "cache"), settings, { progress: () => undefined, signal });
  try {
    const dataset = await work.resources.dataset(join(projectRoot, pair.dataset));
    if (dataset.task !== "recognition") throw new Error("a recognition set is needed");
    const [a, b] = pair.cards(folder);
    const baseline = await observeRecognition(a, dataset, work, "baseline");
    const candidate = await observeRecognition(b, dataset, work, "candidate");
    const judged = baseline.answers.flatMap((x, i) => {
      const y = candidate.answers[i]!;
      return x.right === null && y.right === null ? [] : [[x.right === true, y.right === true]];
    });
    const text = (side: 0 | 1): string => judged.map((j) => (j[side] ? "1" : "0")).join("");
    return { baseline: text(0), candidate: text(1) };
  } finally {
    await work.resources.close();
  }
}
