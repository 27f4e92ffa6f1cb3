// layers/: two graphs and the values of one picture in; the first layer that parts them, and its
// fault, out. It never sees labels.
import type { InferenceSession } from "onnxruntime-node";
import type { OnnxModel } from "../../../pipeline/onnx/read-model.js";
import type { Change } from "../change.js";
import { equalDb } from "../agreement/vectors.js";
import { matchGraphs, type GraphMatch, type StepPair } from "./match.js";
import { Skeleton, type Step } from "./skeleton.js";
import { ValueTracer, type TracedValue } from "./trace-values.js";

/** How far two graphs are apart, value by value. */
export interface LayerAgreement extends StepPair {
  /** Signal to noise of the candidate's value over all pictures; null where it has no signal. */
  readonly db: number | null;
  readonly shape: readonly number[];
  /** The candidate's value holds numbers that are not finite, and the baseline's does not. */
  readonly overflow: boolean;
}

export interface Divergence {
  readonly baseline: Skeleton;
  readonly candidate: Skeleton;
  readonly layers: readonly LayerAgreement[];
  readonly unmatched: GraphMatch["unmatched"];
  readonly missing: GraphMatch["missing"];
  /**
   * The first value that differs by more than the kind of change explains; null where none does.
   */
  readonly first: LayerAgreement | null;
  readonly floorDb: number;
}

/** What a healthy change of each kind keeps at least, in dB; below it a value has diverged. */
export const floors: Readonly<Record<Change, number>> = {
  same: 60,
  fp16: 35,
  int8: 6,
  retrained: -Infinity,
};

/** The feeds of one picture, for each side by the names of its own inputs. */
export interface PairFeeds {
  readonly baseline: InferenceSession.FeedsType;
  readonly candidate: InferenceSession.FeedsType;
}

/**
 * Compares all values that two graphs have in common, on the same tensors.
 * @throws UserError `onnx-unsupported`, `model-run-failed`.
 */
export async function compareLayers(
  models: { readonly baseline: OnnxModel; readonly candidate: OnnxModel },
  feeds: readonly PairFeeds[],
  change: Change,
): Promise<Divergence> {
  const baseline = new Skeleton(models.baseline);
  const candidate = new Skeleton(models.candidate);
  const { pairs, unmatched, missing } = matchGraphs(baseline, candidate);
  const layers = pairs.length === 0 ? [] : await measure(models, pairs, feeds);
  const floorDb = floors[change];
  const first = layers.find((l) => l.overflow || (l.db !== null && l.db < floorDb)) ?? null;
  return { baseline, candidate, layers, unmatched, missing, first, floorDb };
}

async function measure(
  models: { readonly baseline: OnnxModel; readonly candidate: OnnxModel },
  pairs: readonly StepPair[],
  feeds: readonly PairFeeds[],
): Promise<LayerAgreement[]> {
  const names = (of: (pair: StepPair) => Step) => [...new Set(pairs.map((p) => of(p).output))];
  const first = await ValueTracer.open(
    models.baseline,
    names((p) => p.baseline),
  );
  const second = await ValueTracer.open(
    models.candidate,
    names((p) => p.candidate),
  );
  const sums = pairs.map(() => new EnergySum());
  try {
    for (const feed of feeds) {
      const [a, b] = [await first.run(feed.baseline), await second.run(feed.candidate)];
      pairs.forEach((pair, i) => {
        sums[i]!.add(a.get(pair.baseline.output)!, b.get(pair.candidate.output)!);
      });
    }
  } finally {
    await first.close();
    await second.close();
  }
  return pairs.flatMap((pair, i) => {
    const sum = sums[i]!;
    return sum.comparable
      ? [{ ...pair, db: sum.db, shape: sum.shape, overflow: sum.overflow }]
      : [];
  });
}

/** Energies of a value and of its error, over pictures. */
class EnergySum {
  shape: readonly number[] = [];
  overflow = false;
  /** False where the two have different sizes: no export of one value. */
  comparable = true;
  #signal = 0;
  #noise = 0;

  add(baseline: TracedValue, candidate: TracedValue): void {
    const { data: a, dims } = baseline;
    const b = candidate.data;
    this.shape = dims;
    if (a.length !== b.length) {
      this.comparable = false;
      return;
    }
    for (let i = 0; i < a.length; i++) {
      const difference = b[i]! - a[i]!;
      if (!Number.isFinite(difference)) {
        if (Number.isFinite(a[i]!)) this.overflow = true;
        continue;
      }
      this.#signal += a[i]! ** 2;
      this.#noise += difference ** 2;
    }
  }

  get db(): number | null {
    if (this.overflow) return null;
    if (this.#noise === 0) return equalDb;
    if (this.#signal === 0) return null;
    return Math.min(equalDb, 10 * Math.log10(this.#signal / this.#noise));
  }
}
