import { availableParallelism } from "node:os";
import { binarise, type BinariseRule } from "../../pipeline/binarise.js";
import { UserError } from "../../pipeline/errors.js";
import { openIndex, pickFactory, setFaissThreads } from "../../pipeline/index/engine.js";
import { monotonicClock } from "../../pipeline/stopwatch.js";
import type { Codes, Protocol, VectorIndex, Vectors } from "../../pipeline/types.js";
import { isCodes, rowCount } from "../../pipeline/types.js";
import type { IndexSpec, RetrievalMeasurement } from "../config.js";
import type { RecognitionDataset } from "../dataset.js";
import { allowance, judgeNeighbours, type LabelledRow, type NeighbourHit } from "../metrics/neighbour-hits.js";
import { rankQueries, type RetrievalEvidence } from "../metrics/retrieval.js";
import { retrievalScores, type RetrievalScores } from "../metrics/retrieval-scores.js";
import { embedPictures, type Embedded, type ItemError } from "../observations.js";
import type { RecordedScore } from "../record.js";
import type { ModelRef, Resources } from "../resources.js";
import type { CellContext, CellOutcome, CellPlan } from "../runner.js";
import { wilson, wilsonInterval } from "../stats/proportion.js";
import { quantiles } from "../stats/quantile.js";
import { listPictures, recordedRoot, type ListedPictures } from "./pictures.js";

type CodeRule = "real" | BinariseRule;

/** One index of the sweep, with one value for each run-time parameter. */
interface IndexPoint {
  readonly engine: IndexSpec["engine"];
  readonly factory: string;
  readonly parameters: Readonly<Record<string, number>>;
}

/** The whole ranking, for mAP and for what ties could have made of it. */
async function rankExactly(query: Part, gallery: Part, queries: Vectors | Codes, rows: Vectors | Codes, leaveOneOut: boolean, { ks, protocol }: RetrievalJob): Promise<RetrievalEvidence> {
  const uids = query.rows.every((r) => r.uid !== null) && gallery.rows.every((r) => r.uid !== null);
  return rankQueries({
    queries, gallery: rows, leaveOneOut,
    queryLabels: query.rows.map((r) => r.label), galleryLabels: gallery.rows.map((r) => r.label),
    ...(uids && { queryUids: query.rows.map((r) => r.uid!), galleryUids: gallery.rows.map((r) => r.uid!) }),
  }, { protocol, ks });
}

/** Single queries timed for an index: enough for a 90th percentile with an interval. */
const timedQueries = 200;
const warmupQueries = 20;

/** recall@k by model, data set, codes and index; index size, build time, and the time of one query. */
export async function planRetrieval(m: RetrievalMeasurement, protocol: Protocol, resources: Resources): Promise<CellPlan[]> {
  const plans: CellPlan[] = [];
  for (const ref of m.models) {
    for (const path of m.datasets) {
      const dataset = await resources.dataset(path);
      if (dataset.task !== "recognition") throw new UserError({ code: "wrong-task", message: "retrieval needs a recognition data set", file: dataset.file, path: "task", found: dataset.task });
      const { id: model } = await resources.embedder(ref);
      const source = new EmbeddedSet(ref, dataset, protocol, resources);
      for (const codes of m.codes) {
        for (const point of m.indexes.flatMap(indexPoints)) {
          plans.push({
            kind: "retrieval",
            labels: { model, dataset: dataset.name, codes: codes === "real" ? "real" : "binary", index: pointName(point, codes), ...(codes !== "real" && { binarise: codes }) },
            measure: (context) => measureRetrieval({ source, dataset, codes, point, ks: m.k, protocol }, context),
          });
        }
      }
    }
  }
  return plans;
}

function indexPoints({ engine, factory, nprobe, efSearch }: IndexSpec): IndexPoint[] {
  const values = (v: number | number[] | undefined): (number | undefined)[] => (v === undefined ? [undefined] : [v].flat());
  return values(nprobe).flatMap((n) => values(efSearch).map((ef): IndexPoint => ({
    engine, factory,
    parameters: { ...(n !== undefined && { nprobe: n }), ...(ef !== undefined && { efSearch: ef }) },
  })));
}

function pointName({ engine, factory, parameters }: IndexPoint, codes: CodeRule): string {
  const set = Object.entries(parameters).map(([name, value]) => ` ${name} ${value}`).join("");
  return `${engine === "faiss" ? "" : `${engine} `}${codes === "real" ? "" : "B"}${factory}${set}`;
}

/** Gallery and query vectors of a data set under one model, embedded once for all indexes. */
class EmbeddedSet {
  readonly #ref: ModelRef;
  readonly #dataset: RecognitionDataset;
  readonly #protocol: Protocol;
  readonly #resources: Resources;
  #parts: Promise<{ gallery: Part; query: Part; model: string }> | undefined;

  constructor(ref: ModelRef, dataset: RecognitionDataset, protocol: Protocol, resources: Resources) {
    this.#ref = ref;
    this.#dataset = dataset;
    this.#protocol = protocol;
    this.#resources = resources;
  }

  parts(context: CellContext): Promise<{ gallery: Part; query: Part; model: string }> {
    this.#parts ??= this.#embed(context);
    return this.#parts;
  }

  async #embed(context: CellContext): Promise<{ gallery: Part; query: Part; model: string }> {
    const embedder = await this.#resources.embedder(this.#ref);
    if (embedder.kind !== "real") throw new UserError({ code: "wrong-model", message: "this experiment binarises real-valued embeddings itself", expected: "a real-valued model", found: `${embedder.id}, which gives codes` });
    const model = { ...this.#resources.place(this.#ref), version: embedder.version, preprocessing: await this.#resources.preprocessing(this.#ref), dim: embedder.dim };
    const embed = async (part: "gallery" | "query"): Promise<Part> => {
      const listed = await listPictures(this.#dataset, part, this.#protocol);
      const embedded = await embedPictures(model, listed.pictures, { cacheRoot: this.#resources.cacheRoot, protocol: this.#protocol, progress: context.progress, signal: context.signal });
      return { listed, embedded, rows: embedded.places.map((place) => labelled(listed.rows[place]!)) };
    };
    const gallery = await embed("gallery");
    const query = this.#dataset.evaluation === "leave-one-out" ? gallery : await embed("query");
    return { gallery, query, model: embedder.version };
  }
}

interface Part {
  readonly listed: ListedPictures;
  readonly embedded: Embedded;
  /** Label and uid of each row that was embedded. */
  readonly rows: readonly LabelledRow[];
}

function labelled({ label, uid }: { label: string; uid?: string }): LabelledRow {
  return { label, uid: uid ?? null };
}

interface RetrievalJob {
  readonly source: EmbeddedSet;
  readonly dataset: RecognitionDataset;
  readonly codes: CodeRule;
  readonly point: IndexPoint;
  readonly ks: readonly number[];
  readonly protocol: Protocol;
}

async function measureRetrieval(job: RetrievalJob, context: CellContext): Promise<CellOutcome> {
  const { dataset, point, ks } = job;
  const { gallery, query, model } = await job.source.parts(context);
  if (gallery.rows.length === 0 || query.rows.length === 0) {
    throw new UserError({ code: "dataset-empty", message: "no picture of the data set could be used", file: dataset.file, fix: "check its image root and lists" });
  }
  const leaveOneOut = dataset.evaluation === "leave-one-out";
  const rows = encode(gallery.embedded.vectors, job.codes);
  const queries = leaveOneOut ? rows : encode(query.embedded.vectors, job.codes);
  const built = await buildIndex(rows, point, job.protocol);
  try {
    const k = Math.max(...ks);
    const ask = Math.min(built.index.size, k + allowance(query.rows, gallery.rows, leaveOneOut));
    const hits = judgeNeighbours(await built.index.search(queries, ask), query.rows, gallery.rows, { k, leaveOneOut });
    const timesMs = timeQueries(built.index, queries, k);
    const lost = lostQueries(query, gallery);
    // An exhaustive search is scored by the whole ranking, with its ties; what an approximate one returned is judged as it is.
    const exhaustive = /^(IDMap2?,)?B?Flat$/.test(built.factory);
    const accuracy = exhaustive
      ? exactScores(retrievalScores(await rankExactly(query, gallery, queries, rows, leaveOneOut, job)), lost.length)
      : recallScores(hits, lost.length, ks);
    return {
      versions: { model, dataset: dataset.hash, index: built.index.version },
      scores: [...accuracy, ...built.scores, ...timeScores(timesMs)],
      errors: [...new Map([...gallery.embedded.errors, ...query.embedded.errors].map((e) => [e.item, e])).values()],
      notes: built.notes,
      cases: [...casesOf(hits, query, gallery), ...lost.map((e) => ({ ...emptyCase, item: e.item, outcome: "error" as const, truth: e.label }))],
      samples: { retrieval: timesMs },
      imageRoots: { [dataset.name]: recordedRoot(dataset.images) },
    };
  } finally {
    built.index.close();
  }
}

function encode(vectors: Vectors, codes: CodeRule): Vectors | Codes {
  if (codes === "real") return vectors;
  const packed = binarise(vectors.data, vectors.dim, codes);
  if ("nanRow" in packed) throw new Error(`NaN in row ${packed.nanRow} of checked embeddings`);
  return packed;
}

async function buildIndex(rows: Vectors | Codes, point: IndexPoint, protocol: Protocol): Promise<{ index: VectorIndex; factory: string; scores: RecordedScore[]; notes: string[] }> {
  const kind = isCodes(rows) ? "binary" : "real";
  const n = rowCount(rows);
  const chosen = pickFactory({ name: point.factory, kind, count: n, protocol });
  const index = await openIndex({ engine: point.engine, factory: chosen.factory, kind, dim: isCodes(rows) ? rows.bits : rows.dim, metric: kind === "real" ? "inner-product" : "hamming" });
  try {
    const start = monotonicClock();
    if (!index.trained) await index.train(rows);
    await index.add(rows);
    const buildMs = monotonicClock() - start;
    const parameters = { ...chosen.parameters, ...point.parameters };
    if (Object.keys(parameters).length > 0) index.set(parameters);
    return {
      index,
      factory: chosen.factory,
      scores: [
        { metric: "index-size", unit: "bytes", better: "lower", value: index.bytes(), n, ci: null },
        { metric: "build-time", unit: "ms", better: "lower", value: buildMs, n, ci: null },
      ],
      notes: [...(index.warnings ?? [])],
    };
  } catch (error) {
    index.close();
    throw error;
  }
}

/** One query at a time on the calling thread with one thread, after a warm-up, the queries taken evenly over the set. */
function timeQueries(index: VectorIndex, queries: Vectors | Codes, k: number): number[] {
  setFaissThreads(1);
  try {
    return timesOf(index, queries, k);
  } finally {
    setFaissThreads(availableParallelism());
  }
}

function timesOf(index: VectorIndex, queries: Vectors | Codes, k: number): number[] {
  const n = rowCount(queries);
  const times: number[] = [];
  for (let i = -warmupQueries; i < Math.min(timedQueries, n); i++) {
    const one = rowOf(queries, Math.floor((((i + n) % n) * n) / Math.min(timedQueries, n)) % n);
    const start = monotonicClock();
    index.searchSync(one, k);
    if (i >= 0) times.push(monotonicClock() - start);
  }
  return times;
}

function rowOf(rows: Vectors | Codes, i: number): Vectors | Codes {
  if (isCodes(rows)) return { data: rows.data.subarray((i * rows.bits) / 8, ((i + 1) * rows.bits) / 8), bits: rows.bits };
  return { data: rows.data.subarray(i * rows.dim, (i + 1) * rows.dim), dim: rows.dim };
}

function timeScores(timesMs: readonly number[]): RecordedScore[] {
  return quantiles(timesMs, [0.5, 0.9]).map((q, i): RecordedScore => {
    const head = { metric: "retrieval-time", unit: "ms" as const, better: "lower" as const, of: { percentile: i === 0 ? "50" : "90" } };
    return q.value === null ? { ...head, value: null, why: q.why } : { ...head, value: q.value, n: q.n, ci: q.ci && [...q.ci], method: "order statistics" };
  });
}

function recallScores(hits: readonly NeighbourHit[], lost: number, ks: readonly number[]): RecordedScore[] {
  const answerable = hits.filter((h) => h.answerable);
  return ks.map((k): RecordedScore => {
    const right = answerable.filter((h) => h.rank !== null && h.rank < k).length;
    const score = wilson(right, answerable.length + lost);
    const head = { metric: `recall@${k}`, unit: "ratio" as const, better: "higher" as const };
    return score.value === null ? { ...head, ...score } : { ...head, value: score.value, n: score.n, ci: score.ci && [...score.ci], method: "Wilson" };
  });
}

/** The scores of an exhaustive search; a lost query adds 0 to each mean. Where ties decide, their bounds become scores of their own. */
function exactScores({ scores }: RetrievalScores, lost: number): RecordedScore[] {
  return scores.flatMap((score): RecordedScore[] => {
    const { name, unit, better, bounds } = score;
    const head = { metric: name, unit, better };
    if (score.value === null) return [{ ...head, value: null, why: score.why }];
    const n = score.n + lost;
    const share = score.n / n;
    const recall = name.startsWith("recall@");
    // Zeros draw an interval towards 0 as they do the mean; for a proportion it is computed afresh.
    const ci = score.ci && (lost === 0 ? score.ci : recall ? wilsonInterval(score.value * score.n, n) : [score.ci[0] * share, score.ci[1] * share] as const);
    const main: RecordedScore = { ...head, value: score.value * share, n, ci: ci && [ci[0], ci[1]], method: recall ? "Wilson" : "percentile bootstrap over queries" };
    if (!bounds || bounds[0] === bounds[1]) return [main];
    const bound = (tie: "pessimistic" | "optimistic", value: number): RecordedScore => ({ ...head, of: { ties: tie }, value: value * share, n, ci: null });
    return [main, bound("pessimistic", bounds[0]), bound("optimistic", bounds[1])];
  });
}

/** Queries that could not be embedded although the gallery holds a right answer: misses. */
function lostQueries(query: Part, gallery: Part): (ItemError & { label: string })[] {
  const failed = new Map(query.embedded.errors.map((e) => [e.item, e]));
  // A lost query is no row of the index, so it is not left out of itself: any row of its label answers it.
  const labels = new Set(gallery.rows.map((r) => r.label));
  return query.listed.rows.flatMap(({ path, label }) => {
    const error = failed.get(path);
    return error && labels.has(label) ? [{ ...error, label }] : [];
  });
}

const emptyCase = { image: null, prediction: null, score: null, rank: null, neighbours: null, boxes: null, width: null, height: null, lostAt: null, stageMs: null };

function casesOf(hits: readonly NeighbourHit[], query: Part, gallery: Part): CellOutcome["cases"] {
  const pathOf = (part: Part, row: number): string => part.listed.rows[part.embedded.places[row]!]!.path;
  return hits.map((hit, q) => {
    const best = hit.rows[0];
    const item = pathOf(query, q);
    return {
      ...emptyCase,
      item,
      image: item,
      outcome: !hit.answerable ? ("none" as const) : hit.rank === 0 ? ("hit" as const) : ("miss" as const),
      truth: query.rows[q]!.label,
      prediction: best === undefined ? null : gallery.rows[best]!.label,
      score: hit.scores[0] ?? null,
      rank: hit.rank,
      neighbours: JSON.stringify(hit.rows.slice(0, 5).map((row, i) => [gallery.rows[row]!.label, hit.scores[i], pathOf(gallery, row)])),
    };
  });
}
