import { createHash } from "node:crypto";
import { isCodes } from "../../pipeline/types.js";
import { canonicalJson } from "../observe/cache.js";
import { casesToArrow } from "../record/cases.js";
import { collectProvenance } from "../record/provenance.js";
import {
  recordId,
  writeRecord,
  type Cell,
  type RecordedScore,
  type RunRecord,
} from "../record/record.js";
import { samplesToArrow } from "../record/samples.js";
import { recordSchemaVersion } from "../record/upgrade.js";
import { defaultIntervals } from "../stats/interval-plan.js";
import { named } from "../stats/score.js";
import type { Direction } from "../types.js";
import type { ChoiceAnswer, PointAnswer } from "./answer.js";
import type { ChoiceOptions } from "./choice-options.js";
import { figureUnits, type FigureName } from "./point.js";

/** How a record calls a figure; `{k}` stands for the neighbours asked for. */
interface RecordedFigure {
  readonly metric: string;
  readonly better: Direction;
  readonly of?: Readonly<Record<string, string>>;
}

const higher = "higher" as const;
const lower = "lower" as const;
const recorded: Readonly<Record<FigureName, RecordedFigure>> = {
  neighbourRecall: { metric: "neighbour-recall@{k}", better: higher },
  labelRecall: { metric: "label-recall@1", better: higher },
  p50Ms: { metric: "retrieval-time", better: lower, of: { percentile: "50" } },
  p90Ms: { metric: "retrieval-time", better: lower, of: { percentile: "90" } },
  p99Ms: { metric: "retrieval-time", better: lower, of: { percentile: "99" } },
  queriesPerSecond: { metric: "queries", better: higher, of: { threads: "all" } },
  diskBytes: { metric: "index-size", better: lower },
  memoryBytes: { metric: "memory", better: lower },
  trainMs: { metric: "train-time", better: lower },
  buildMs: { metric: "build-time", better: lower },
  addsPerSecond: { metric: "adds", better: higher },
  removesPerSecond: { metric: "removes", better: higher },
  coldLoadMs: { metric: "cold-load", better: lower },
  churnRecall: { metric: "neighbour-recall@{k}-after-deletes", better: higher },
};

/** As an index sweep names them. */
const ofRealVectors = { neighbours: "of the real vectors" };

export interface ChoiceRecordInput {
  readonly options: ChoiceOptions;
  readonly answer: ChoiceAnswer;
  readonly startedAt: string;
  readonly finishedAt: string;
}

/**
 * Writes a choice as a record: a cell of the kind `index` for each point, and the whole answer in
 * `choice.json`.
 *
 * @returns the record's folder.
 * @throws UserError `write-failed`
 */
export async function writeChoiceRecord(runs: string, input: ChoiceRecordInput): Promise<string> {
  const record = await recordOf(input);
  return writeRecord(runs, record, {
    "cases.arrow": casesToArrow([]),
    "samples.arrow": samplesToArrow({}),
    "curves.json": "{}",
    "images.json": "{}",
    "choice.json": JSON.stringify(input.answer),
  });
}

async function recordOf({
  options,
  answer,
  startedAt,
  finishedAt,
}: ChoiceRecordInput): Promise<RunRecord> {
  const { limits, k, budgetMs, engines, seed, data } = options;
  const config = { verb: "choose", gallery: data.version, limits, k, budgetMs, engines, seed };
  const configHash = createHash("sha256").update(canonicalJson(config)).digest("hex");
  const { name } = answer.gallery;
  return {
    schema: recordSchemaVersion,
    id: recordId(startedAt, "choice", configHash),
    state: "completed",
    experiment: {
      name: "choice",
      title: `Index choice on ${name}`,
      version: 1,
      protocol: "standard",
      config,
      configHash,
      intervals: { ...defaultIntervals },
    },
    provenance: { startedAt, finishedAt, ...(await collectProvenance()) },
    cells: answer.points.map((point) => cellOf(point, answer, options)),
  };
}

function cellOf(point: PointAnswer, answer: ChoiceAnswer, { data }: ChoiceOptions): Cell {
  const binary = point.codes === "sign" || isCodes(data.gallery.rows);
  const parameters = { ...point.buildParameters, ...point.parameters };
  const labels = {
    vectors: answer.gallery.name,
    codes: binary ? "binary" : "real",
    index: point.name,
    ...Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, String(value)])),
  };
  const hash = createHash("sha256").update(canonicalJson(labels)).digest("hex");
  const notes = answer.pick?.name === point.name ? answer.warnings.map((w) => w.message) : [];
  return {
    id: `index-${hash.slice(0, 10)}`,
    kind: "index",
    labels,
    versions: { index: answer.faiss, vectors: data.version },
    state: "completed",
    scores: scoresOf(point, answer.k, binary && !isCodes(data.gallery.rows)),
    errors: [],
    notes,
  };
}

/** @param beside codes that are held against the neighbours by the real vectors. */
function scoresOf(
  { figures, throughput }: PointAnswer,
  k: number,
  beside: boolean,
): RecordedScore[] {
  const byThreads = throughput.map(({ threads, perSecond }) => {
    const of = { threads: String(threads) };
    return named({ metric: "queries", unit: "per-second", better: higher, of }, perSecond);
  });
  const scores = Object.entries(figures).map(([name, score]) => {
    const { metric, better, ...own } = recorded[name as FigureName];
    const of = beside && name === "neighbourRecall" ? ofRealVectors : own.of;
    const unit = figureUnits[name as FigureName];
    return named({ metric: metric.replace("{k}", String(k)), unit, better, of }, score);
  });
  return [...scores, ...byThreads];
}
