// End-to-end F1 of a system on mini-test: node models/training/measure-test-set.mjs DETECTOR
// EMBEDDER [SET] Definition C (box and label at IoU 0.5), at the pipeline's default threshold and
// at one chosen on half of the pictures and measured on the other.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ensureBuilt } from "../../build.mjs";

await ensureBuilt();
const from = (path) => import(`../../dist/${path}`);
const { projectRoot } = await from("src/pipeline/root.js");
const { decode } = await from("src/pipeline/image/image.js");
const { openEmbedder } = await from("src/pipeline/embedding/embedder.js");
const { openDetector } = await from("src/pipeline/detection/detector.js");
const { Gallery } = await from("src/pipeline/gallery/gallery.js");
const { Recognizer, defaultSettings } = await from("src/pipeline/system/recognizer.js");
const { f1At, heldOutF1 } = await from("src/eval/metrics/end-to-end/f1.js");
const { defaultRule } = await from("src/eval/metrics/end-to-end/f1-evidence.js");
const { isCodes } = await from("src/pipeline/types.js");

const [detectorName, embedderName, set = "mini-test"] = process.argv.slice(2);
const card = (name) => join(projectRoot, "models", name, "card.yaml");
const folder = join(projectRoot, "datasets", "mini", "build", set);
const detector = await openDetector(card(detectorName));
const embedder = await openEmbedder(card(embedderName), { batch: 32 });

const entries = readFileSync(join(folder, "gallery.txt"), "utf8")
  .trim()
  .split("\n")
  .map((line) => line.split(" "))
  .map(([path, label]) => ({ path, label }));
const parts = [];
for (let i = 0; i < entries.length; i += 32)
  parts.push(
    await embedder.embed(
      await Promise.all(entries.slice(i, i + 32).map(({ path }) => decode(join(folder, path)))),
    ),
  );
const data = new parts[0].data.constructor(parts.reduce((n, p) => n + p.data.length, 0));
let at = 0;
for (const p of parts) {
  data.set(p.data, at);
  at += p.data.length;
}
const binary = isCodes(parts[0]);
const rows = binary ? { data, bits: embedder.dim } : { data, dim: embedder.dim };
const gallery = await Gallery.build(
  {
    model: { id: embedder.id, version: embedder.version },
    kind: embedder.kind,
    dim: embedder.dim,
    protocol: "standard",
    engine: "exact",
    factory: "Flat",
  },
  rows,
  entries,
);
const recognizer = new Recognizer({ detector, embedder, gallery });

const { images, annotations, categories } = JSON.parse(
  readFileSync(join(folder, "instances.json"), "utf8"),
);
const evidence = [];
for (const { id, file_name } of images) {
  // Things that are not in the gallery are no truth objects: naming one is a false answer.
  const truth = annotations
    .filter((a) => a.image_id === id && categories[a.category_id - 1].supercategory === "gallery")
    .map(({ category_id, bbox: [x, y, w, h] }) => ({
      label: categories[category_id - 1].name,
      box: { x0: x, y0: y, x1: x + w, y1: y + h },
    }));
  const { recognitions } = await recognizer.recognize(
    await decode(join(folder, "images", file_name)),
    file_name,
  );
  evidence.push({ image: file_name, truth, recognitions });
}
const rule = { ...defaultRule, better: binary ? "lower" : "higher" };
const show = (what, { f1, point }) => {
  console.log(
    `${set}, ${detectorName} + ${embedderName}: F1 (C) ${what} ${f1.value.toFixed(4)} ` +
      `[${f1.ci.map((v) => v.toFixed(4)).join(", ")}] n ${f1.n}, precision ` +
      `${point.precision?.toFixed(4)}, recall ${point.recall?.toFixed(4)}`,
  );
};
const threshold = binary ? defaultSettings.hammingRadius : defaultSettings.scoreThreshold;
show(`at ${threshold}`, f1At(evidence, "C", rule, threshold));
const held = heldOutF1(evidence, "C", rule);
show(`held out, at ${held.threshold.toFixed(3)}`, held.test);
