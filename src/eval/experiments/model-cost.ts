import { decode } from "../../pipeline/image/image.js";
import { inspectOnnx, type Inspection } from "../../pipeline/onnx/inspect.js";
import { readOnnx } from "../../pipeline/onnx/read-model.js";
import { Stopwatch } from "../../pipeline/stopwatch.js";
import type { Pixels, Stage } from "../../pipeline/types.js";
import { derived } from "../observe/derived.js";
import { measurePasses } from "../latency/stages.js";
import type { PictureRef } from "../observe/observations.js";
import type { RecordedScore } from "../record/record.js";
import type { Resources } from "../observe/resources.js";
import { seriesQuantiles } from "../stats/series-quantile.js";
import { exact, named, undefinedScore } from "../stats/score.js";
import type { CellContext } from "./cell.js";

/** Pictures that stand for all in a timing loop, decoded beforehand. */
const pictureCount = 16;
const warmup = 10;
const timed = 100;

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
 * Times a model by tinybench on decoded pictures, one at a time on one thread, after a warm-up:
 * milliseconds of one of its stages, every sample kept.
 *
 * @param run puts one picture to the model and tells the stopwatch of its stages.
 */
export async function timeModel(
  stage: Stage,
  pictures: readonly PictureRef[],
  { signal, intervals }: Pick<CellContext, "signal" | "intervals">,
  run: (pixels: Pixels, watch: Stopwatch) => Promise<unknown>,
): Promise<{ scores: RecordedScore[]; samplesMs: number[] }> {
  const files = pictures.flatMap((p) => ("file" in p ? [p.file] : [])).slice(0, pictureCount);
  const decoded: Pixels[] = [];
  for (const file of files) {
    // Pictures that cannot be read are error rows of the accuracy; here they are only not timed.
    const pixels = await decode(file).catch(() => null);
    if (pixels) decoded.push(pixels);
  }
  const times =
    decoded.length === 0
      ? []
      : await measurePasses(
          async (iteration) => {
            signal.throwIfAborted();
            const watch = new Stopwatch();
            await run(decoded[iteration % decoded.length]!, watch);
            return watch;
          },
          { warmupIterations: warmup, warmupMs: 0, iterations: timed, timeMs: 0, signal },
        );
  const samplesMs = [...(times.find((t) => t.stage === stage)?.samplesMs ?? [])];
  return { scores: latencyScores(stage, samplesMs, intervals.level), samplesMs };
}

/** Percentiles of one stage with distribution-free intervals. */
export function latencyScores(
  stage: string,
  samplesMs: readonly number[],
  level: number,
  percentiles: readonly number[] = [50, 90],
): RecordedScore[] {
  const shares = percentiles.map((p) => p / 100);
  return seriesQuantiles(samplesMs, shares, level).map((quantile, i) => {
    const of = { stage, percentile: String(percentiles[i]!) };
    return named({ metric: "latency", unit: "ms", better: "lower", of }, quantile);
  });
}
