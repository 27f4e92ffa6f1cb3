import { UserError } from "../../pipeline/errors.js";
import type { DetectionDataset } from "../config/dataset.js";
import type { Detected } from "../observe/observations.js";
import { PictureDetections } from "../observe/picture-detections.js";
import type { Case } from "../record/case.js";
import {
  detectionEvidence,
  detectionFindings,
  observeDetection,
  type DetectionEvidence,
} from "./detection.js";
import type { FindingOptions, TaskFindings } from "./task-findings.js";
import type { GateWork } from "./work.js";

/** Measures that ask for the class of each box, which the cases of a record do not hold. */
const byClass = new Set(["AP", "AP50", "matched-boxes", "box-overlap", "score-shift"]);

/**
 * A candidate's boxes beside those that a record kept of each picture, the surest twenty: of the
 * candidate, too, only as many are looked at. The record holds no classes, so that what needs them
 * cannot be told unless all classes are one.
 *
 * @throws UserError `baseline-other-data` where a picture is not in the record.
 */
export async function findingsBesideRecord(
  rows: readonly Case[],
  cardFile: string,
  dataset: DetectionDataset,
  work: GateWork,
  options: FindingOptions & { readonly agnostic: boolean },
): Promise<TaskFindings> {
  const { agnostic } = options;
  const candidate = await observeDetection(cardFile, dataset, work, {
    agnostic: true,
    side: "candidate",
  });
  const { truth } = candidate;
  const kept = new Map(rows.map((row) => [row.item, row]));
  const pictures = truth.images.map(({ id, fileName }) => {
    const row = kept.get(fileName ?? String(id));
    if (row) return row;
    throw new UserError({
      code: "baseline-other-data",
      message: "the record lacks a picture of the data set",
      file: dataset.file,
      found: fileName ?? String(id),
      fix: "run the baseline again, or give its card",
    });
  });
  const baseline = detectionEvidence(
    truth,
    { found: pictures.map(boxesOf), errors: [] },
    null,
    dataset,
  );
  const found = detectionFindings(baseline, surest(candidate, pictures, dataset), options);
  return agnostic ? found : { ...found, findings: found.findings.map(withoutClasses) };
}

function withoutClasses(finding: TaskFindings["findings"][number]): typeof finding {
  if (!byClass.has(finding.measure)) return finding;
  const { measure, dataset } = finding;
  return { measure, dataset, value: null, why: "a record holds no classes of boxes" };
}

function boxesOf({ boxes, width, height, outcome }: Case): PictureDetections | null {
  if (outcome === "error" || boxes === null) return null;
  const list = boxes.found.map(({ x0, y0, x1, y1, score }) => ({
    box: { x0, y0, x1, y1 },
    score,
    classId: 0,
  }));
  return PictureDetections.of(list, width ?? 0, height ?? 0);
}

/** The candidate with as many boxes a picture as the record keeps, of one class. */
function surest(
  { truth, detected }: DetectionEvidence,
  rows: readonly Case[],
  dataset: DetectionDataset,
): DetectionEvidence {
  const most = rows.reduce((n, row) => Math.max(n, row.boxes?.found.length ?? 0), 1);
  const found = detected.found.map((f) => {
    if (!f) return null;
    const best = [...f.detections()].sort((a, b) => b.score - a.score).slice(0, most);
    return PictureDetections.of(
      best.map((d) => ({ ...d, classId: 0 })),
      f.width,
      f.height,
    );
  });
  const cut: Detected = { found, errors: detected.errors };
  return detectionEvidence(truth, cut, null, dataset);
}
