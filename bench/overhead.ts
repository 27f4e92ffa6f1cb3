/**
 * What the harness costs: CPU time of observing and scoring a detection set (hashing, cache, box
 * decoding, suppression, COCO's numbers) against the bare loop of decode, preprocess and
 * session.run on the same pictures in the same process, in turns.
 *
 *   npx tsx bench/overhead.ts [--card models/det-server/card.yaml] [--dataset
 *   datasets/mini/sets/mini-objects.yaml] [--pictures 200] [--rounds 8] [--json]
 *
 * Left out, since they are further measurements and not the price of one: the timing loop of the
 * model and the bootstrap intervals. Ends with exit code 1 where the harness costs more than 5%
 * beyond doubt.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { parseArgs } from "node:util";
import { Tensor } from "onnxruntime-node";
import { print, printJson, table } from "../src/cli/terminal.js";
import { ObservationCaches } from "../src/eval/observe/cache.js";
import { heapOptions } from "../src/eval/run/cell-process.js";
import { loadDataset, type DetectionDataset } from "../src/eval/config/dataset.js";
import { toCoco } from "../src/eval/experiments/detection.js";
import { readTruth, truthPictures } from "../src/eval/experiments/pictures.js";
import { evaluateCoco } from "../src/eval/metrics/coco/coco.js";
import { detectPictures, type PictureRef } from "../src/eval/observe/observations.js";
import { bootstrap } from "../src/eval/stats/bootstrap.js";
import { ratioStatistic } from "../src/eval/stats/resampled-statistic.js";
import { isBaseline, loadCard, preprocessingOf } from "../src/pipeline/model/card.js";
import { OnnxDetector } from "../src/pipeline/detection/detector.js";
import { decode } from "../src/pipeline/image/image.js";
import { loadModelFor } from "../src/pipeline/model/model.js";
import { tensorLength, toTensor } from "../src/pipeline/image/preprocess.js";
import { projectRoot } from "../src/pipeline/root.js";
import { writeResult } from "./result.js";

// In a process with the heap of those that measure.
if (!heapOptions().every((option) => process.execArgv.includes(option))) {
  process.exit(
    spawnSync(process.execPath, [...process.execArgv, ...heapOptions(), ...process.argv.slice(1)], {
      stdio: "inherit",
    }).status ?? 1,
  );
}

const { values: options } = parseArgs({
  options: {
    card: { type: "string", default: join(projectRoot, "models", "det-server", "card.yaml") },
    dataset: {
      type: "string",
      default: join(projectRoot, "datasets", "mini", "sets", "mini-objects.yaml"),
    },
    pictures: { type: "string", default: "200" },
    rounds: { type: "string", default: "8" },
    json: { type: "boolean", default: false },
  },
});
const rounds = Math.max(4, Number(options.rounds) || 0);

const card = await loadCard(options.card);
if (isBaseline(card)) throw new Error("a baseline has no session to run");
const dataset = await loadDataset(options.dataset, {});
if (dataset.task !== "detection") throw new Error("give a detection set");
const truth = await readTruth(dataset);
const pictures = truthPictures(truth, dataset).slice(0, Number(options.pictures));
/**
 * The same pictures in a new folder, untimed: a process hashes a file once, and each round is to
 * pay for it as a first one does.
 */
function freshPictures(): { folder: string; refs: PictureRef[]; files: string[] } {
  const folder = mkdtempSync(join(tmpdir(), "overhead-pictures-"));
  const refs = pictures.map((picture, i): PictureRef => {
    if (!("file" in picture)) return picture;
    const file = join(folder, `${i}${extname(picture.file)}`);
    copyFileSync(picture.file, file);
    return { item: picture.item, file };
  });
  return { folder, refs, files: refs.flatMap((p) => ("file" in p ? [p.file] : [])) };
}

const preprocessing = preprocessingOf(card);
// One session for both: where its weights happen to lie in memory makes two sessions of one file
// differ by more than what is measured here.
const model = await loadModelFor("detection", options.card, { threads: 1 });
const detector = new OnnxDetector(model, "standard");

type Pictures = ReturnType<typeof freshPictures>;

/** Files are decoded, prepared and run; nothing is read from what comes out. */
async function bare({ files }: Pictures): Promise<void> {
  const { width, height, layout } = preprocessing;
  const input = new Float32Array(tensorLength(preprocessing));
  // Read on this thread, as the harness does: the cheaper way for small files.
  let next = decode(readFileSync(files[0]!));
  for (let i = 0; i < files.length; i++) {
    const pixels = await next;
    if (i + 1 < files.length) next = decode(readFileSync(files[i + 1]!));
    toTensor(pixels, preprocessing, { out: input, offset: 0 });
    const feeds = Object.fromEntries(
      model.inputs.map(({ name }) => [
        name,
        name === model.imageInput.name
          ? new Tensor(
              "float32",
              input,
              layout === "nchw" ? [1, 3, height, width] : [1, height, width, 3],
            )
          : new Tensor(
              "float32",
              Float32Array.of(height / pixels.height, width / pixels.width),
              [1, 2],
            ),
      ]),
    );
    await model.run(feeds);
  }
}

async function harness({ refs }: Pictures): Promise<void> {
  const cacheRoot = mkdtempSync(join(tmpdir(), "overhead-"));
  const caches = new ObservationCaches(cacheRoot);
  try {
    const { found } = await detectPictures(detector, preprocessing, refs, {
      caches,
      protocol: "standard",
      progress: () => undefined,
      signal: new AbortController().signal,
    });
    evaluateCoco(truth, toCoco({ found }, truth, null, dataset as DetectionDataset), {
      agnostic: true,
    });
  } finally {
    await caches.close();
    rmSync(cacheRoot, { recursive: true, force: true });
  }
}

/** User and system time of this process, its threads included, in milliseconds. */
async function cpuMs(work: (pictures: Pictures) => Promise<void>): Promise<number> {
  const fresh = freshPictures();
  try {
    const before = process.cpuUsage();
    await work(fresh);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  } finally {
    rmSync(fresh.folder, { recursive: true, force: true });
  }
}

await cpuMs(bare);
await cpuMs(harness);
const times: { bare: number; harness: number }[] = [];
for (let round = 0; round < rounds; round++) {
  // Each goes first in half of the rounds.
  const first = round % 2 === 0;
  const a = await cpuMs(first ? bare : harness);
  const b = await cpuMs(first ? harness : bare);
  times.push(first ? { bare: a, harness: b } : { bare: b, harness: a });
}
const ratio = bootstrap(
  ratioStatistic(
    times.map((t) => t.harness),
    times.map((t) => t.bare),
  ),
  { seed: "overhead" },
);
const median = (values: number[]): number => [...values].sort((x, y) => x - y)[values.length >> 1]!;
const result = {
  pictures: pictures.length,
  rounds,
  bareMsAPicture: median(times.map((t) => t.bare)) / pictures.length,
  harnessMsAPicture: median(times.map((t) => t.harness)) / pictures.length,
  overhead: ratio.value === null ? null : ratio.value - 1,
  ci:
    ratio.value === null || ratio.interval === null
      ? null
      : [ratio.interval.low - 1, ratio.interval.high - 1],
};
if (options.json) printJson(result);
else {
  const percent = (v: number): string => `${(100 * v).toFixed(1)}%`;
  print(
    table(
      [{ head: "" }, { head: "CPU ms a picture", align: "right" }],
      [
        ["decode, preprocess, session.run", result.bareMsAPicture.toFixed(2)],
        ["harness", result.harnessMsAPicture.toFixed(2)],
      ],
    ),
  );
  const overhead = result.overhead === null ? "unknown" : percent(result.overhead);
  const interval = result.ci ? ` [${result.ci.map(percent).join(", ")}]` : "";
  print(
    `overhead ${overhead}${interval} ` +
      `over ${pictures.length} pictures, ${rounds} rounds in turns`,
  );
}
await writeResult({
  name: "overhead",
  title: "What the harness costs",
  subject: "experiments",
  findings: [
    `CPU time of observing and scoring ${result.pictures} pictures against decode, preprocess ` +
      `and session.run on one session, ${rounds} rounds in turns.`,
  ],
  tables: [
    {
      columns: [
        { head: "what", unit: "text" },
        { head: "CPU time a picture", unit: "ms" },
        { head: "more", unit: "share" },
      ],
      rows: [
        ["decode, preprocess, session.run", result.bareMsAPicture, null],
        [
          "harness",
          result.harnessMsAPicture,
          result.overhead === null
            ? null
            : { value: result.overhead, ci: result.ci && [result.ci[0]!, result.ci[1]!] },
        ],
      ],
    },
  ],
});
await detector.close();
if (result.ci && result.ci[0]! > 0.05) process.exitCode = 1;
