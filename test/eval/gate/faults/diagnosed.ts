import { diagnose, type Diagnosis } from "../../../../src/eval/gate/diagnosis.js";
import type { Pixels } from "../../../../src/pipeline/types.js";
import { exhibited, type Exhibit } from "./zoo.js";

export interface SampleOf {
  /** For embedders and classifiers, and for detectors. */
  readonly crops: readonly Pixels[];
  readonly scenes: readonly Pixels[];
}

/** An exhibit put to the diagnosis, on pictures without labels. */
export async function diagnosed(exhibit: Exhibit, { crops, scenes }: SampleOf): Promise<Diagnosis> {
  const { baseline, candidate } = await exhibited(exhibit);
  const side = (s: typeof baseline, name: string) => ({
    ...s,
    cardFile: `${name}.yaml`,
    file: s.onnx.file,
    sha256: name,
    borrowedCard: false,
  });
  const pictures = candidate.card.task === "detection" ? scenes : crops;
  const sample = pictures.map((pixels) => ({ pixels, label: null, objects: null }));
  const pair = { baseline: side(baseline, "baseline"), candidate: side(candidate, "candidate") };
  return (await diagnose(pair, sample)).diagnosis;
}

/** What a diagnosis calls the fault; null where it found none. */
export function nameOf({ healthy, fault }: Diagnosis): string | null {
  return healthy ? null : (fault ?? "not named");
}
