// Figures of finished models on the test splits, through the project's own pipeline: node
// models/training/measure.mjs NAME… Writes models/NAME/figures.csv. Final figures only: choices
// look at the dev columns of the training logs.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ensureBuilt } from "../../build.mjs";

await ensureBuilt();
const from = (path) => import(`../../dist/${path}`);
const { projectRoot } = await from("src/pipeline/root.js");
const { loadCard } = await from("src/pipeline/model/card.js");
const { decode } = await from("src/pipeline/image/image.js");
const { openEmbedder } = await from("src/pipeline/embedding/embedder.js");
const { openDetector } = await from("src/pipeline/detection/detector.js");
const { rankQueries } = await from("src/eval/metrics/retrieval/retrieval.js");
const { retrievalScores } = await from("src/eval/metrics/retrieval/retrieval-scores.js");
const { evaluateCoco } = await from("src/eval/metrics/coco/coco.js");
const { apStatistic } = await from("src/eval/metrics/coco/coco-resample.js");
const { bootstrap } = await from("src/eval/stats/bootstrap.js");
const { wilsonInterval } = await from("src/eval/stats/proportion.js");
const { readCocoTruth } = await from("datasets/formats/coco-json.js");
const { detectionsFromRecords } = await from("datasets/formats/coco-records.js");
const { writeAtomic } = await from("src/pipeline/atomic-file.js");
const { isCodes } = await from("src/pipeline/types.js");

const mini = join(projectRoot, "datasets", "mini", "build");
const sets = {
  recognition: [
    ["mini-goods", null],
    ["mini-tokens", "query.txt"],
    ["mini-logos", "query.txt"],
    ["mini-faces", "query.txt"],
    ["mini-stickers", null],
    ["mini-shelf", "query.txt"],
  ],
  detection: ["mini-objects", "mini-context", "mini-heads", "mini-signs", "mini-counter"],
};
const readRows = (set, list) =>
  readFileSync(join(mini, set, list), "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(" "));

async function embedList(embedder, set, rows) {
  const parts = [];
  for (let i = 0; i < rows.length; i += 32) {
    const crops = await Promise.all(
      rows.slice(i, i + 32).map(([file]) => decode(join(mini, set, file))),
    );
    parts.push(await embedder.embed(crops));
  }
  const data = new parts[0].data.constructor(parts.reduce((n, p) => n + p.data.length, 0));
  let at = 0;
  for (const p of parts) {
    data.set(p.data, at);
    at += p.data.length;
  }
  return isCodes(parts[0]) ? { data, bits: parts[0].bits } : { data, dim: parts[0].dim };
}

async function recognition(card) {
  const embedder = await openEmbedder(card, { batch: 32 });
  const lines = [];
  for (const [set, queryList] of sets.recognition) {
    const galleryRows = readRows(set, "gallery.txt");
    const gallery = await embedList(embedder, set, galleryRows);
    const queryRows = queryList ? readRows(set, queryList) : galleryRows;
    const queries = queryList ? await embedList(embedder, set, queryRows) : gallery;
    // The third column is a camera (junk rule) where there is a query list, and a picture's own
    // number where query = gallery.
    const cameras = queryList !== null && galleryRows[0].length > 2;
    const evidence = await rankQueries({
      queries,
      gallery,
      queryLabels: queryRows.map((r) => r[1]),
      galleryLabels: galleryRows.map((r) => r[1]),
      leaveOneOut: queryList === null,
      ...(cameras && {
        queryUids: queryRows.map((r) => r[2]),
        galleryUids: galleryRows.map((r) => r[2]),
      }),
    });
    for (const s of retrievalScores(evidence, { resamples: 0 }).scores)
      if (s.name === "recall@1")
        // tied codes give fractions of a hit
        lines.push([set, s.name, s.value, ...wilsonInterval(Math.round(s.value * s.n), s.n), s.n]);
  }
  lines.push([
    "mean of six",
    "recall@1",
    lines.reduce((sum, l) => sum + l[2], 0) / lines.length,
    "",
    "",
    lines.reduce((n, l) => n + l[5], 0),
  ]);
  await embedder.close();
  return lines;
}

async function detection(card) {
  const detector = await openDetector(card);
  const lines = [];
  for (const set of sets.detection) {
    const truth = readCocoTruth(join(mini, set, "instances.json"));
    const found = [];
    for (const image of truth.images) {
      for (const { box, score } of await detector.detect(
        await decode(join(mini, set, "images", image.fileName)),
      )) {
        const x0 = Math.max(0, box.x0),
          y0 = Math.max(0, box.y0);
        found.push({
          image_id: image.id,
          category_id: 1,
          score,
          bbox: [
            x0,
            y0,
            Math.max(0, Math.min(image.width, box.x1) - x0),
            Math.max(0, Math.min(image.height, box.y1) - y0),
          ],
        });
      }
    }
    const { summary, matches } = evaluateCoco(truth, detectionsFromRecords(truth, found));
    for (const [s, only] of [
      [summary[0], {}],
      [summary[1], { threshold: 0 }],
    ]) {
      const { ci } = bootstrap(apStatistic(matches, only), {
        method: "percentile",
        resamples: 500,
        seed: "figures",
      });
      lines.push([set, s.name, s.value, ...ci, truth.images.length]);
    }
  }
  for (const name of new Set(lines.map((l) => l[1]))) {
    const of = lines.filter((l) => l[1] === name && l[0] !== "mean of five");
    lines.push([
      "mean of five",
      name,
      of.reduce((sum, l) => sum + l[2], 0) / of.length,
      "",
      "",
      of.reduce((n, l) => n + l[5], 0),
    ]);
  }
  await detector.close();
  return lines;
}

async function classification(card) {
  const { loadModelFor } = await from("src/pipeline/model/model.js");
  const { preprocessingOf } = await from("src/pipeline/model/card.js");
  const { toTensor } = await from("src/pipeline/image/preprocess.js");
  const { Tensor } = (await import("onnxruntime-node")).default;
  const model = await loadModelFor("classification", card);
  const spec = preprocessingOf(model.card);
  let first = 0,
    five = 0;
  const rows = readRows("mini-classes", "val.txt");
  for (const [file, label] of rows) {
    const tensor = toTensor(await decode(join(mini, "mini-classes", file)), spec);
    const [output] = Object.values(
      await model.run({ image: new Tensor("float32", tensor, [1, 3, spec.height, spec.width]) }),
    );
    const better = output.data.filter((v) => v > output.data[Number(label)]).length;
    if (better < 1) first++;
    if (better < 5) five++;
  }
  await model.close();
  return [
    [
      "mini-classes",
      "top-1",
      first / rows.length,
      ...wilsonInterval(first, rows.length),
      rows.length,
    ],
    [
      "mini-classes",
      "top-5",
      five / rows.length,
      ...wilsonInterval(five, rows.length),
      rows.length,
    ],
  ];
}

for (const name of process.argv.slice(2)) {
  const card = join(projectRoot, "models", name, "card.yaml");
  if (!existsSync(card)) throw new Error(`models/${name} is not exported`);
  const { task } = await loadCard(card);
  const lines = await { recognition, detection, classification }[task](card);
  const number = (v) => (typeof v === "number" && !Number.isInteger(v) ? v.toFixed(4) : String(v));
  await writeAtomic(
    join(projectRoot, "models", name, "figures.csv"),
    ["set,metric,value,low,high,n", ...lines.map((l) => l.map(number).join(","))].join("\n") + "\n",
  );
  for (const [set, metric, value, low, high, n] of lines)
    console.log(
      `${name.padEnd(24)} ${set.padEnd(14)} ${metric.padEnd(9)} ` +
        `${number(value)}${low === "" ? "" : ` [${number(low)}, ${number(high)}]`} n ${n}`,
    );
}
