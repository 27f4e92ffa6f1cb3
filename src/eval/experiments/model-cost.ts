import { decode } from "../../pipeline/image/image.js";
import { inspectOnnx, type Inspection } from "../../pipeline/onnx/inspect.js";
import { readOnnx } from "../../pipeline/onnx/read-model.js";
import { Stopwatch } from "../../pipeline/stopwatch.js";
import type { Pixels, Stage } from "../../pipeline/types.js";
import type { DatasetManifest } from "../config/dataset.js";
import { derived } from "../observe/derived.js";
import { measurePasses } from "../latency/stages.js";
import type { PictureRef } from "../observe/observations.js";
import { timingCautions } from "../latency/timing-cautions.js";
import type { Finding, RecordedScore } from "../record/record.js";
import type { ModelRef, Resources } from "../observe/resources.js";
import type { SeriesGroups } from "../stats/grouped-series.js";
import { Random } from "../stats/random.js";
import { seriesQuantiles } from "../stats/series-quantile.js";
import { exact, named, undefinedScore } from "../stats/score.js";

/** Pictures that stand for all, drawn from the whole list, decoded beforehand. */
const mostPictures = 48;
const mostPictureBytes = 128 << 20;
/** Times of one block, after a warm-up. */
export const samplesPerBlock = 5;
const warmup = { first: 10, further: 1 };

/** Times a model in blocks, a few pictures each, whenever it is asked to. */
export interface ModelTiming {
  /** Of the model and what is timed of it: cells with the same key show the same times. */
  readonly key: string;
  readonly stage: Stage;
  /** Whose pictures are put to it. */
  readonly dataset: string;
  block(number: number, resources: Resources, signal: AbortSignal): Promise<TimedBlock>;
}

/** One block: milliseconds, and of how many pictures in all it took its own. */
export interface TimedBlock {
  readonly samplesMs: readonly number[];
  readonly pictures: number;
}

/** Puts one picture to a model and tells the stopwatch of its stages. */
export type TimedRun = (pixels: Pixels, watch: Stopwatch) => Promise<unknown>;

/**
 * What a model costs besides its accuracy: bytes, parameters and multiply-accumulates (what the
 * paper calls FLOPs). Counted once a run and kept by the file's content, for counting takes a
 * session of its own and a run of the model.
 */
export function costScores(file: string | null, resources: Resources): Promise<RecordedScore[]> {
  if (file === null) return Promise.resolve([]); // a baseline has no model
  return resources.shared(JSON.stringify(["cost", file]), async () => {
    const model = (await readOnnx(file)).bytes;
    return scoresOf(
      await derived(
        resources.caches,
        { method: "cost of a model", evidence: { model } },
        async () => {
          const { bytes, parameters, work } = await inspectOnnx(file);
          return { bytes, parameters, work };
        },
      ),
    );
  });
}

function scoresOf({
  bytes,
  parameters,
  work,
}: Pick<Inspection, "bytes" | "parameters" | "work">): RecordedScore[] {
  return [
    named({ metric: "model-size", unit: "bytes", better: "lower" }, exact(bytes)),
    named({ metric: "params", unit: "count", better: "lower" }, exact(parameters)),
    named(
      { metric: "macs", unit: "count", better: "lower" },
      work.macs === null ? undefinedScore(work.why) : exact(work.macsPerImage),
    ),
  ];
}

/**
 * A model timed by tinybench on decoded pictures, one at a time on one thread, after a warm-up:
 * milliseconds of one of its stages, every sample kept. Picture i is put to it for the samples i,
 * i + the number of pictures, and so on, over all blocks.
 */
export function modelTiming(
  { ref, stage, dataset }: { ref: ModelRef; stage: Stage; dataset: DatasetManifest },
  pictures: (resources: Resources) => Promise<readonly PictureRef[]>,
  open: (resources: Resources) => Promise<TimedRun>,
): ModelTiming {
  return {
    // Whatever name a config gives it.
    key: JSON.stringify([stage, typeof ref === "string" ? ref : [ref.card, ref.folder]]),
    stage,
    dataset: dataset.name,
    async block(number, resources, signal) {
      const decoded = await resources.shared(
        JSON.stringify(["timed pictures", dataset.file, dataset.hash]),
        async () => drawnPictures(await pictures(resources)),
      );
      const run = await open(resources);
      if (decoded.length === 0) return { samplesMs: [], pictures: 0 };
      const times = await measurePasses(
        async (iteration) => {
          signal.throwIfAborted();
          const watch = new Stopwatch();
          await run(decoded[(number * samplesPerBlock + iteration) % decoded.length]!, watch);
          return watch;
        },
        {
          warmupIterations: number === 0 ? warmup.first : warmup.further,
          warmupMs: 0,
          iterations: samplesPerBlock,
          timeMs: 0,
        },
      );
      const own = times.find((t) => t.stage === stage)?.samplesMs ?? [];
      return { samplesMs: [...own], pictures: decoded.length };
    },
  };
}

/**
 * Pictures drawn from a list, as many as are wanted and fit. Those that cannot be read are error
 * rows of the accuracy; here they are only not timed.
 */
async function drawnPictures(pictures: readonly PictureRef[]): Promise<Pixels[]> {
  const files = pictures.flatMap((p) => ("file" in p ? [p.file] : []));
  const decoded: Pixels[] = [];
  let bytes = 0;
  for (const file of new Random("timed pictures").shuffled(files)) {
    if (decoded.length === mostPictures || bytes > mostPictureBytes) break;
    const pixels = await decode(file).catch(() => null);
    if (!pixels) continue;
    decoded.push(pixels);
    bytes += pixels.data.byteLength;
  }
  return decoded;
}

/** Percentiles of one stage with distribution-free intervals. */
export function latencyScores(
  stage: string,
  samplesMs: readonly number[],
  level: number,
  percentiles: readonly number[] = [50, 90],
  groups?: SeriesGroups,
): RecordedScore[] {
  const shares = percentiles.map((p) => p / 100);
  return seriesQuantiles(samplesMs, shares, level, groups).map((quantile, i) => {
    const of = { stage, percentile: String(percentiles[i]!) };
    return named({ metric: "latency", unit: "ms", better: "lower", of }, quantile);
  });
}

/** What a reader of timed stages should know, as findings of their cell. */
export function timingFindings(samples: Readonly<Record<string, readonly number[]>>): Finding[] {
  return Object.entries(samples).flatMap(([stage, samplesMs]) =>
    timingCautions(samplesMs).map((caution) => ({
      about: "drift" as const,
      of: { stage },
      ...caution,
    })),
  );
}
