/**
 * Fused preprocessing beside the chain of PaddleClas, cv2.resize and NumPy, one thread each, round
 * by round in turn.
 *
 *   npx tsx bench/preprocess.ts [--rounds 200] [--json]
 *
 * A ratio below 1 means that ours is faster. Ends with exit code 1 where the fused 1000 x 1000 to
 * 640 x 640 cubic is slower than the chain beyond doubt. Says so and ends with 0 where no Python
 * with cv2 is found (SHITU_PYTHON names one).
 */
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { print, printJson, table, warn } from "../src/cli/terminal.js";
import { bootstrap } from "../src/eval/stats/bootstrap.js";
import { sampleQuantile } from "../src/eval/stats/quantile.js";
import { Random } from "../src/eval/stats/random.js";
import type { ResampledStatistic } from "../src/eval/stats/resampled-statistic.js";
import { decode, encodeJpeg } from "../src/pipeline/image/image.js";
import {
  type KernelName,
  tensorLength,
  toTensor,
  usePreprocessingKernel,
} from "../src/pipeline/image/preprocess.js";
import type { Box, Pixels, Preprocessing } from "../src/pipeline/types.js";
import { findPython, Reference } from "./preprocess-reference.js";
import { writeResult } from "./result.js";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "200" },
    json: { type: "boolean", default: false },
  },
});
const rounds = Math.max(10, Number(options.rounds) || 0);

interface Comparison {
  readonly name: string;
  /** One measurement each, in milliseconds. */
  readonly ours: () => Promise<number> | number;
  readonly theirs: () => Promise<number>;
  readonly mayNotBeSlower?: boolean;
}

const imagenet = {
  colour: "rgb",
  layout: "nchw",
  scale: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
} as const;
const detection: Preprocessing = { width: 640, height: 640, interpolation: "cubic", ...imagenet };
const feature: Preprocessing = { width: 224, height: 224, interpolation: "linear", ...imagenet };

function time(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

/** Waves with some noise, so that a JPEG of it has the size of a photo's. */
function photo(width: number, height: number): Pixels {
  const random = new Random("photo");
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) {
    const x = Math.floor(i / 3) % width;
    const y = Math.floor(i / 3 / width);
    data[i] = 128 + 70 * Math.sin(x / 31 + (i % 3)) * Math.cos(y / 23) + 24 * (random.next() - 0.5);
  }
  return { data, width, height };
}

function comparisons(
  reference: Reference,
  pixels: Pixels,
  jpeg: Uint8Array,
  kernels: readonly KernelName[],
): Comparison[] {
  const whole: Box = { x0: 0, y0: 0, x1: pixels.width, y1: pixels.height };
  const window: Box = { x0: 310, y0: 220, x1: 730, y1: 780 };
  const fused =
    (kernel: KernelName, spec: Preprocessing, box: Box, out?: Float32Array) => (): number => {
      usePreprocessingKernel(kernel);
      return time(() => toTensor(pixels, spec, out && { out, offset: 0 }, box));
    };
  const chain = (spec: Preprocessing, box: Box) => async (): Promise<number> =>
    (await reference.chain(box, spec)).ms;
  const batch = new Float32Array(tensorLength(detection));
  return [
    ...kernels.flatMap((kernel): Comparison[] => [
      {
        name: `1000x1000 to 640 cubic, ${kernel}, into a batch`,
        ours: fused(kernel, detection, whole, batch),
        theirs: chain(detection, whole),
        mayNotBeSlower: kernel === "native",
      },
      {
        name: `1000x1000 to 640 cubic, ${kernel}, new array`,
        ours: fused(kernel, detection, whole),
        theirs: chain(detection, whole),
      },
      {
        name: `420x560 crop to 224 linear, ${kernel}, into a batch`,
        ours: fused(kernel, feature, window, batch),
        theirs: chain(feature, window),
      },
    ]),
    {
      name: "decode a 1000x1000 JPEG (sharp, cv2.imdecode)",
      ours: async () => {
        const start = performance.now();
        await decode(jpeg);
        return performance.now() - start;
      },
      theirs: async () => (await reference.ask({ op: "decode" }, jpeg)).ms as number,
    },
  ];
}

/** The ratio of two medians over rounds. */
function medianRatio(ours: readonly number[], theirs: readonly number[]): ResampledStatistic {
  const median = (values: readonly number[], weights: Uint32Array): number =>
    sampleQuantile(
      Float64Array.from(values.flatMap((v, i) => new Array<number>(weights[i]!).fill(v))).sort(),
      0.5,
    );
  return { n: ours.length, evaluate: (weights) => median(ours, weights) / median(theirs, weights) };
}

async function measure({ name, ours, theirs, mayNotBeSlower = false }: Comparison) {
  const samples: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
  for (let round = -10; round < rounds; round++) {
    // Each goes first in turn, so that neither always finds the other's caches.
    const [a, b] =
      round % 2
        ? [await ours(), await theirs()]
        : await theirs().then(async (t) => [await ours(), t] as const);
    if (round < 0) continue; // warm-up
    samples.ours.push(a);
    samples.theirs.push(b);
  }
  const ratio = bootstrap(medianRatio(samples.ours, samples.theirs), {
    method: "percentile",
    resamples: 2000,
    seed: name,
  });
  if (ratio.value === null || !ratio.interval) throw new Error(`no ratio for ${name}`);
  const median = (values: number[]): number =>
    sampleQuantile(Float64Array.from(values).sort(), 0.5);
  return {
    name,
    rounds,
    oursMs: median(samples.ours),
    referenceMs: median(samples.theirs),
    ratio: ratio.value,
    ci: [ratio.interval.low, ratio.interval.high] as const,
    mayNotBeSlower,
    samplesMs: samples,
  };
}

function availableKernels(): KernelName[] {
  try {
    usePreprocessingKernel("native");
    return ["native", "typescript"];
  } catch (error) {
    warn((error as Error).message);
    return ["typescript"];
  }
}

const python = findPython();
if (python === null) {
  warn(
    "no Python with cv2 and numpy was found: nothing to compare with. On Debian: apt-get " +
      "install python3-opencv; elsewhere set SHITU_PYTHON",
  );
} else {
  const reference = new Reference(python);
  const pixels = photo(1000, 1000);
  await reference.load(pixels);
  const { cv2, numpy } = await reference.ask({ op: "versions" });
  const results = [];
  for (const comparison of comparisons(
    reference,
    pixels,
    await encodeJpeg(pixels),
    availableKernels(),
  ))
    results.push(await measure(comparison));
  reference.close();
  await writeResult({
    name: "preprocess",
    title: "Time of preprocessing",
    subject: "preprocessing",
    versions: { cv2: String(cv2), numpy: String(numpy) },
    findings: [
      `Beside cv2 ${String(cv2)} and NumPy ${String(numpy)}, one thread each, ${rounds} rounds ` +
        "in turn. A ratio below 1 means that ours is faster.",
    ],
    tables: [
      {
        columns: [
          { head: "what", unit: "text" },
          { head: "ours", unit: "ms" },
          { head: "cv2 + NumPy", unit: "ms" },
          { head: "ratio", unit: "ratio" },
        ],
        rows: results.map((r) => [
          r.name,
          r.oursMs,
          r.referenceMs,
          { value: r.ratio, ci: [r.ci[0], r.ci[1]] },
        ]),
      },
    ],
  });
  const cpu = cpus()[0]?.model ?? "unknown CPU";
  if (options.json) printJson({ cpu, node: process.version, cv2, numpy, rounds, results });
  else {
    print(
      `${cpu}, Node ${process.version}, cv2 ${String(cv2)}, NumPy ${String(numpy)}, one ` +
        `thread each, ${rounds} rounds in turn\n`,
    );
    print(
      table(
        [
          { head: "what" },
          { head: "ours, ms", align: "right" },
          { head: "cv2 + NumPy, ms", align: "right" },
          { head: "ratio", align: "right" },
          { head: "95% interval", align: "right" },
        ],
        results.map((r) => [
          r.name,
          r.oursMs.toFixed(2),
          r.referenceMs.toFixed(2),
          r.ratio.toFixed(3),
          `${r.ci[0].toFixed(3)} to ${r.ci[1].toFixed(3)}`,
        ]),
      ),
    );
  }
  if (results.some((r) => r.mayNotBeSlower && r.ci[0] > 1)) process.exitCode = 1;
}
