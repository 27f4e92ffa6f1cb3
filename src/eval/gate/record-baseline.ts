import { UserError } from "../../pipeline/errors.js";
import type { DatasetManifest } from "../config/dataset.js";
import type { LoadedRecord } from "../compare/compare-records.js";
import { recordedRoot } from "../experiments/pictures.js";
import type { Case } from "../record/case.js";
import type { Cell } from "../record/record.js";
import { classAnswer, observeClassification } from "./classification.js";
import type { GateConfig } from "./config.js";
import type { ContenderModel } from "./contender.js";
import { imageRoot, isAgnostic } from "./gate.js";
import { judgement, sideOf, type DatasetResult, type GateResult } from "./judgement.js";
import type { Finding } from "./measures.js";
import { rightsAndWrongs, unusable } from "./paired.js";
import { observeRecognition } from "./recognition.js";
import { findingsBesideRecord } from "./record-detections.js";
import type { TaskFindings } from "./task-findings.js";
import type { Answer, GateWork, JudgedItem } from "./work.js";

/**
 * Judges a candidate against what a record holds: which items were answered right, and of a
 * detector the surest boxes. Outputs and times are not in it, so limits on those cannot be told.
 *
 * @throws UserError `baseline-no-cell`, `baseline-other-data`, `wrong-task` for a whole pipeline.
 */
export async function gateAgainstRecord(
  baseline: LoadedRecord,
  candidate: ContenderModel,
  datasets: readonly DatasetManifest[],
  { config, work }: { readonly config: GateConfig; readonly work: GateWork },
): Promise<GateResult> {
  const change = config.change === "auto" ? "same" : config.change;
  const findings: Finding[] = [];
  const results: DatasetResult[] = [];
  for (const dataset of datasets) {
    const cell = cellFor(baseline, dataset);
    const rows = baseline.cases.filter((row) => row.cell === cell.id);
    const found = await besideRecord(rows, candidate, dataset, { config, work });
    findings.push(...found.findings);
    results.push({
      name: dataset.name,
      images: recordedRoot(imageRoot(dataset)),
      hash: dataset.hash,
      items: found.items,
      moved: found.moved,
    });
  }
  const { id, experiment } = baseline.record;
  return judgement(config, {
    baseline: { name: id, version: String(experiment.version), sha256: null },
    candidate: sideOf(candidate),
    change,
    findings,
    datasets: results,
    latency: null,
    notes: [noteOf(config.task)],
  });
}

function noteOf(task: GateConfig["task"]): string {
  return task === "detection"
    ? "the baseline is a record: of each picture it holds the surest boxes without classes, " +
        "and no times; of the candidate, too, only as many boxes count"
    : "the baseline is a record: it holds answers, but neither outputs nor times";
}

async function besideRecord(
  rows: readonly Case[],
  candidate: ContenderModel,
  dataset: DatasetManifest,
  { config, work }: { readonly config: GateConfig; readonly work: GateWork },
): Promise<TaskFindings> {
  const { level, clusters, sample } = config;
  const options = { dataset: dataset.name, level, clusters, sample };
  if (dataset.task === "detection") {
    const agnostic = isAgnostic(candidate, config);
    const { cardFile } = candidate;
    return findingsBesideRecord(rows, cardFile, dataset, work, { ...options, agnostic });
  }
  const items = paired(rows, await candidateItems(candidate, dataset, work), dataset);
  const measure = dataset.task === "classification" ? "top-1" : "recall@1";
  const findings = [rightsAndWrongs(measure, items, options), unusable(items, dataset.name)];
  return { findings, items, moved: [] };
}

const kinds = {
  recognition: "retrieval",
  classification: "classification",
  detection: "detection",
} as const;

/** The one exhaustive cell of the record that is of this data set, as it is now. */
function cellFor({ record }: LoadedRecord, dataset: DatasetManifest): Cell {
  const kind = (kinds as Readonly<Record<string, string>>)[dataset.task];
  if (kind === undefined) {
    throw new UserError({
      code: "wrong-task",
      message: "a record of a whole pipeline cannot be a baseline",
      file: dataset.file,
      fix: "give the baseline's card",
    });
  }
  const cells = record.cells.filter(
    (c) => c.kind === kind && c.labels.dataset === dataset.name && c.state === "completed",
  );
  const plain = cells.filter((c) => c.labels.index === undefined || /Flat$/.test(c.labels.index));
  if (plain.length !== 1) {
    throw new UserError({
      code: "baseline-no-cell",
      message: `the record has ${plain.length} cells that could be the baseline on ${dataset.name}`,
      expected: "one model on this data set, searched exhaustively",
      found:
        cells
          .map((c) => Object.values(c.labels).join(" "))
          .slice(0, 5)
          .join("; ") || "none",
      fix: "give the record of a run with one model, or the baseline's card",
    });
  }
  const [cell] = plain as [Cell];
  if (cell.versions.dataset !== dataset.hash) {
    throw new UserError({
      code: "baseline-other-data",
      message: "the record was made of another version of the data set",
      file: dataset.file,
      expected: cell.versions.dataset ?? "a hash",
      found: dataset.hash,
      fix: "run the baseline again, or give its card",
    });
  }
  return cell;
}

type Item = Omit<JudgedItem, "baseline">;

async function candidateItems(
  { cardFile }: ContenderModel,
  dataset: DatasetManifest,
  work: GateWork,
): Promise<Item[]> {
  if (dataset.task === "recognition") {
    const { queries, answers } = await observeRecognition(cardFile, dataset, work, "candidate");
    return queries.map(({ path, label }, i) => ({
      item: path,
      image: path,
      truth: label,
      candidate: answers[i]!,
    }));
  }
  if (dataset.task !== "classification") throw new Error(`no items of ${dataset.task}`);
  const evidence = await observeClassification(cardFile, dataset, work, "candidate");
  return evidence.rows.map(({ path, label }, i) => ({
    item: path,
    image: path,
    truth: label,
    candidate: classAnswer(evidence, i),
  }));
}

/**
 * The record's row of each item; the nth of an item that is listed more often goes with the nth.
 */
function paired(
  rows: readonly Case[],
  items: readonly Item[],
  { file }: DatasetManifest,
): JudgedItem[] {
  const waiting = new Map<string, Case[]>();
  for (const row of rows) waiting.set(row.item, [...(waiting.get(row.item) ?? []), row]);
  return items.flatMap((item): JudgedItem[] => {
    const row = waiting.get(item.item)?.shift();
    if (row) return [{ ...item, baseline: answerOf(row) }];
    // A query that could not be used and had no right answer left no row.
    if (item.candidate.right === null) return [];
    throw new UserError({
      code: "baseline-other-data",
      message: "the record lacks an item of the data set",
      file,
      found: item.item,
      fix: "run the baseline again, or give its card",
    });
  });
}

function answerOf({ outcome, prediction }: Case): Answer {
  const failed = outcome === "error";
  return { right: outcome === "none" ? null : outcome === "hit", said: prediction, failed };
}
