import { isCodes, type Codes, type Vectors } from "../../pipeline/types.js";
import { rowHamming } from "./agreement/codes.js";
import { flipped, overlapAt } from "./agreement/ranks.js";
import { distributionOf, rowCosines, snrDb } from "./agreement/vectors.js";
import type { Finding } from "./measures.js";
import { meanFinding, pairedMeans, rightsAndWrongs, shareFinding, unusable } from "./paired.js";
import { sharedRows, type RecognitionEvidence } from "./recognition.js";
import { worst, type FindingOptions, type MovedItem, type TaskFindings } from "./task-findings.js";
import type { JudgedItem } from "./work.js";

/** Task deltas and agreement of two embedders on the same queries. */
export function recognitionFindings(
  baseline: RecognitionEvidence,
  candidate: RecognitionEvidence,
  options: FindingOptions,
): TaskFindings {
  const items = baseline.queries.map(({ path, label }, place): JudgedItem => ({
    item: path,
    image: path,
    truth: label,
    baseline: baseline.answers[place]!,
    candidate: candidate.answers[place]!,
  }));
  const { places, sameSpace } = sharedRows(baseline, candidate, options.sample);
  const outputs = sameSpace
    ? outputAgreement(baseline, candidate, places, options)
    : { findings: [notComparable(options.dataset)], moved: [] };
  const said = (side: RecognitionEvidence) => places.map((place) => side.answers[place]!.said);
  const overlaps = places.flatMap(
    (place) => overlapAt(5, baseline.neighbours[place]!, candidate.neighbours[place]!) ?? [],
  );
  return {
    items,
    moved: outputs.moved,
    findings: [
      rightsAndWrongs("recall@1", items, options),
      averagePrecisions(baseline, candidate, options),
      ...outputs.findings,
      meanFinding("overlap@5", options.dataset, overlaps),
      shareFinding("top-1-flips", options.dataset, flipped(said(baseline), said(candidate))),
      unusable(items, options.dataset),
    ],
  };
}

function averagePrecisions(
  baseline: RecognitionEvidence,
  candidate: RecognitionEvidence,
  options: FindingOptions,
): Finding {
  const pairs = baseline.averagePrecision.flatMap((first, place) => {
    const second = candidate.averagePrecision[place] ?? null;
    if (first === null && second === null) return [];
    const { label } = baseline.queries[place]!;
    return [{ baseline: first ?? 0, candidate: second ?? 0, label }];
  });
  return pairedMeans("mAP", pairs, options);
}

function notComparable(dataset: string): Finding {
  const why = "the outputs have another size or kind, so they cannot be compared number by number";
  return { measure: "cosine-p1", dataset, value: null, why };
}

function outputAgreement(
  baseline: RecognitionEvidence,
  candidate: RecognitionEvidence,
  places: readonly number[],
  { dataset }: FindingOptions,
): { findings: Finding[]; moved: MovedItem[] } {
  const take = ({ rows, rowOf }: RecognitionEvidence) =>
    gather(
      rows,
      places.map((p) => rowOf[p]!),
    );
  const [first, second] = [take(baseline), take(candidate)];
  const names = places.map((place) => baseline.queries[place]!.path);
  return isCodes(first)
    ? codeAgreement(first, second as Codes, names, dataset)
    : vectorAgreement(first, second as Vectors, names, dataset);
}

function vectorAgreement(first: Vectors, second: Vectors, names: string[], dataset: string) {
  const cosines = rowCosines(first.data, second.data, first.dim).map((c) => c ?? -1);
  const spread = distributionOf(cosines);
  const n = cosines.length;
  const finding = (measure: string, value: number | undefined): Finding =>
    value === undefined
      ? { measure, dataset, value: null, why: "no picture has outputs of both" }
      : { measure, dataset, value, n };
  return {
    findings: [
      finding("cosine-mean", spread?.mean),
      finding("cosine-p1", spread?.p1),
      finding("cosine-worst", spread?.worst),
      finding("snr", n === 0 ? undefined : (snrDb(first.data, second.data) ?? undefined)),
    ],
    moved: worst(names, cosines),
  };
}

function codeAgreement(first: Codes, second: Codes, names: string[], dataset: string) {
  const shares = Array.from(rowHamming(first.data, second.data, first.bits), (d) => d / first.bits);
  const n = shares.length;
  const why = "no picture has codes of both";
  const finding = (measure: string, value: number): Finding =>
    n === 0 ? { measure, dataset, value: null, why } : { measure, dataset, value, n };
  const mean = shares.reduce((sum, s) => sum + s, 0) / n;
  const worstShare = shares.reduce((most, s) => Math.max(most, s), 0);
  return {
    findings: [finding("hamming-mean", mean), finding("hamming-worst", worstShare)],
    moved: worst(
      names,
      shares.map((s) => 1 - s),
    ),
  };
}

function gather(rows: Vectors | Codes, at: readonly number[]): Vectors | Codes {
  const width = isCodes(rows) ? rows.bits / 8 : rows.dim;
  const data = isCodes(rows)
    ? new Uint8Array(at.length * width)
    : new Float32Array(at.length * width);
  at.forEach((row, i) => {
    data.set(rows.data.subarray(row * width, (row + 1) * width), i * width);
  });
  return isCodes(rows)
    ? { data: data as Uint8Array, bits: rows.bits }
    : { data: data as Float32Array, dim: rows.dim };
}
