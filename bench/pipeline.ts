/**
 * Where the time of the whole pipeline goes on one 1000 x 1000 photo: decode, preprocessing, ONNX
 * Runtime, Faiss, and what is left over (box decoding, suppression, glue). One thread.
 *
 *   npx tsx bench/pipeline.ts --photos FOLDER [--rounds 60] [--json]
 *
 * FOLDER holds drink/ and models/ as for configs/first-light.yaml. Ends with exit code 1 where
 * preprocessing takes 15% of the wall time or more, or the rest 3% or more, beyond doubt.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { InferenceSession } from "onnxruntime-node";
import sharp from "sharp";
import { loadAddon } from "../native/load.js";
import { print, printJson, table } from "../src/cli/terminal.js";
import { bootstrap } from "../src/eval/stats/bootstrap.js";
import { Random } from "../src/eval/stats/random.js";
import { ratioStatistic } from "../src/eval/stats/resampled-statistic.js";
import { openDetector } from "../src/pipeline/detection/detector.js";
import { openEmbedder } from "../src/pipeline/embedding/embedder.js";
import { Gallery } from "../src/pipeline/gallery/gallery.js";
import { setFaissThreads } from "../src/pipeline/index/engine.js";
import { Recognizer } from "../src/pipeline/system/recognizer.js";
import { projectRoot } from "../src/pipeline/root.js";
import { writeResult } from "./result.js";

const { values: options } = parseArgs({
  options: {
    photos: { type: "string" },
    rounds: { type: "string", default: "60" },
    json: { type: "boolean", default: false },
  },
});
if (options.photos === undefined) throw new Error("give --photos FOLDER");
const photos = options.photos;
const rounds = Math.max(20, Number(options.rounds) || 0);
const warmup = 5;
const galleryRows = 10_000;

/** Adds up the time inside the two engines, by wrapping their calls. */
const inside = { onnxRuntime: 0, faiss: 0 };
type Run = (this: InferenceSession, ...args: unknown[]) => Promise<unknown>;
const { prototype } = InferenceSession as unknown as { prototype: { run: Run } };
const run = prototype.run;
prototype.run = async function (...args) {
  const start = performance.now();
  try {
    return await run.apply(this, args);
  } finally {
    inside.onnxRuntime += performance.now() - start;
  }
};
const addon = loadAddon().faiss as {
  searchSync: ReturnType<typeof loadAddon>["faiss"]["searchSync"];
};
const search = addon.searchSync;
addon.searchSync = (...args) => {
  const start = performance.now();
  try {
    return search(...args);
  } finally {
    inside.faiss += performance.now() - start;
  }
};

const folder = mkdtempSync(join(tmpdir(), "bench-pipeline-"));
const photo = join(folder, "photo.jpg");
writeFileSync(
  photo,
  await sharp(join(photos, "drink/test_images/001.jpeg"))
    .resize(1000, 1000, { fit: "cover" })
    .jpeg({ quality: 90 })
    .toBuffer(),
);

setFaissThreads(1);
const detector = await openDetector(join(projectRoot, "configs/first-light/picodet-xs.yaml"), {
  modelFolder: join(photos, "models/picodet"),
  threads: 1,
});
const embedder = await openEmbedder(join(projectRoot, "configs/first-light/mobilenet-v2.yaml"), {
  modelFolder: join(photos, "models/mobilenet"),
  threads: 1,
});
const random = new Random("gallery");
const data = Float32Array.from({ length: galleryRows * embedder.dim }, () => random.next() - 0.5);
const gallery = await Gallery.build(
  {
    model: embedder,
    kind: "real",
    dim: embedder.dim,
    protocol: "standard",
    engine: "faiss",
    factory: "HNSW32",
  },
  { data, dim: embedder.dim },
  Array.from({ length: galleryRows }, (_, i) => ({ path: String(i), label: String(i % 100) })),
);
const recognizer = new Recognizer({ detector, embedder, gallery });

const columns = ["decode", "preprocess", "onnxRuntime", "faiss", "rest"] as const;
const samples: Record<(typeof columns)[number] | "overall", number[]> = {
  decode: [],
  preprocess: [],
  onnxRuntime: [],
  faiss: [],
  rest: [],
  overall: [],
};
let boxes = 0;
for (let i = -warmup; i < rounds; i++) {
  inside.onnxRuntime = inside.faiss = 0;
  const { stageMs, overallMs, recognitions } = await recognizer.recognizeFile(photo);
  if (i < 0) continue;
  boxes = recognitions.length;
  const decode = stageMs.decode ?? 0;
  const preprocess = stageMs.preprocess ?? 0;
  samples.decode.push(decode);
  samples.preprocess.push(preprocess);
  samples.onnxRuntime.push(inside.onnxRuntime);
  samples.faiss.push(inside.faiss);
  samples.rest.push(overallMs - decode - preprocess - inside.onnxRuntime - inside.faiss);
  samples.overall.push(overallMs);
}
gallery.close();
await detector.close();
await embedder.close();
rmSync(folder, { recursive: true });

const shares = columns.map((name) => ({
  name,
  ...bootstrap(ratioStatistic(samples[name], samples.overall), {
    method: "percentile",
    seed: name,
  }),
}));
const percent = (share = NaN): string => (100 * share).toFixed(2);
const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
if (options.json) printJson({ rounds, boxes, overallMs: median(samples.overall), shares });
else {
  print(
    `1000 x 1000 photo, ${boxes} boxes embedded, HNSW32 over ${galleryRows} rows, ${rounds} ` +
      "rounds, one thread",
  );
  print(
    table(
      [
        { head: "part" },
        { head: "median ms", align: "right" },
        { head: "share of wall time", align: "right" },
      ],
      [
        ...shares.map((s) => [
          s.name,
          median(samples[s.name]).toFixed(3),
          s.value === null
            ? "n/a"
            : `${percent(s.value)}% [${percent(s.interval?.low)}, ${percent(s.interval?.high)}]`,
        ]),
        ["overall", median(samples.overall).toFixed(3), ""],
      ],
    ),
  );
}
await writeResult({
  name: "pipeline",
  title: "Where the time of the whole pipeline goes",
  subject: "latency",
  findings: [
    `A photo of 1000 x 1000, ${boxes} boxes embedded, HNSW32 over ${galleryRows} rows, ` +
      `${rounds} rounds, one thread. "rest" is all beyond the others: box decoding, suppression, ` +
      "glue.",
  ],
  tables: [
    {
      columns: [
        { head: "part", unit: "text" },
        { head: "median", unit: "ms" },
        { head: "share of the wall time", unit: "share" },
      ],
      rows: shares.map((s) => [
        s.name,
        median(samples[s.name]),
        s.value === null
          ? null
          : { value: s.value, ci: s.interval && [s.interval.low, s.interval.high] },
      ]),
    },
  ],
});
const limits: Partial<Record<string, number>> = { preprocess: 0.15, rest: 0.03 };
if (
  shares.some(
    (s) => s.value !== null && s.interval && s.interval.low >= (limits[s.name] ?? Infinity),
  )
)
  process.exitCode = 1;
