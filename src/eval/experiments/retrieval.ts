import type { AnyCard } from "../../pipeline/model/card.js";
import { isExhaustive } from "../../pipeline/index/engine.js";
import { isCodes, type Codes, type Protocol, type Vectors } from "../../pipeline/types.js";
import type { RetrievalMeasurement } from "../config/config.js";
import type { RecognitionDataset } from "../config/dataset.js";
import { derived } from "../observe/derived.js";
import { timingLoop } from "../observe/loop-time.js";
import {
  allowance,
  judgeNeighbours,
  type LabelledRow,
  type NeighbourHit,
} from "../metrics/index/neighbour-hits.js";
import { listedPositives, withLostQueries } from "../metrics/retrieval/lost-rows.js";
import { rankQueries } from "../metrics/retrieval/retrieval.js";
import {
  answerScores,
  retrievalScores,
  type Answers,
  type RetrievalScores,
  type ScoreOptions,
} from "../metrics/retrieval/retrieval-scores.js";
import { knownHash } from "../observe/picture-hash.js";
import { embedPictures, type Embedded } from "../observe/observations.js";
import { keptNeighbours } from "../record/case.js";
import type { RecordedScore } from "../record/record.js";
import type { ModelRef, Resources } from "../observe/resources.js";
import type { CellContext, CellOutcome, CellPlan } from "./cell.js";
import { clusterNumbers } from "../stats/bootstrap.js";
import type { IntervalPlan } from "../stats/interval-plan.js";
import { measured, named } from "../stats/score.js";
import {
  buildIndex,
  codedNotes,
  encode,
  indexPoints,
  pointName,
  timeQueries,
  timeScores,
  type CodeRule,
  type IndexPoint,
} from "./index-points.js";
import { compareLists, listNotes, type ComparedRows, type ListFindings } from "./list-notes.js";
import { costScores, modelTiming, timingFindings, type ModelTiming } from "./model-cost.js";
import {
  datasetPictures,
  listPictures,
  nothingUsable,
  recordedRoot,
  type ListedPictures,
} from "./pictures.js";
import { cellPlan, namedDataset, namedModel, valueOf } from "./sweep.js";

/** Scores of the whole ranking, for mAP and for what ties could have made of it. */
async function scoreRanking(
  sides: Sides,
  queries: Vectors | Codes,
  rows: Vectors | Codes,
  { ks, protocol }: RetrievalJob,
  { resources, intervals }: CellContext,
): Promise<RetrievalScores> {
  const { query, gallery, leaveOneOut, positives } = sides;
  const uids = query.rows.every((r) => r.uid !== null) && gallery.rows.every((r) => r.uid !== null);
  const names = {
    queryLabels: query.rows.map((r) => r.label),
    galleryLabels: gallery.rows.map((r) => r.label),
    ...(uids && {
      queryUids: query.rows.map((r) => r.uid!),
      galleryUids: gallery.rows.map((r) => r.uid!),
    }),
  };
  const listed = {
    labels: query.listed.rows.map((r) => r.label),
    positives,
    places: query.embedded.places,
  };
  const evidence = {
    queries: queries.data,
    gallery: rows.data,
    width: isCodes(rows) ? rows.bits : rows.dim,
    leaveOneOut,
    ...names,
    listed,
    protocol,
    ks,
    intervals,
  };
  const listedPositives = Int32Array.from(listed.places, (place) => positives[place]!);
  const input = { queries, gallery: rows, leaveOneOut, listedPositives, ...names };
  return derived(resources.caches, { method: "scores of rankings", evidence }, async () =>
    retrievalScores(
      withLostQueries(await rankQueries(input, { protocol, ks }), listed),
      scoreOptions(sides, intervals),
    ),
  );
}

/** Queries and gallery of a cell, as listed and as embedded. */
interface Sides {
  readonly query: Part;
  readonly gallery: Part;
  readonly leaveOneOut: boolean;
  /** Right answers of each listed query in the listed gallery. */
  readonly positives: Int32Array;
}

/**
 * recall@k by model, data set, codes and index; index size, build time, and the time of one query.
 */
export async function planRetrieval(
  m: RetrievalMeasurement,
  protocol: Protocol,
  resources: Resources,
): Promise<CellPlan[]> {
  const plans: CellPlan[] = [];
  for (const ref of m.models) {
    const model = await namedModel(ref, resources);
    // A model that gives codes is searched as it is; one that gives real vectors may be binarised
    // here.
    const rules = "value" in model && givesCodes(model.value) ? (["own"] as const) : m.codes;
    for (const path of m.datasets) {
      const dataset = await namedDataset(path, ["recognition"], resources);
      const source =
        "value" in dataset ? new EmbeddedSet(ref, dataset.value, protocol, resources) : null;
      const timing = "value" in dataset ? embedderTiming(ref, dataset.value, protocol) : undefined;
      for (const codes of rules) {
        for (const point of m.indexes.flatMap(indexPoints)) {
          const labels = {
            model: model.name,
            dataset: dataset.name,
            codes: codes === "real" ? "real" : "binary",
            index: pointName(point, codes),
            ...((codes === "sign" || codes === "round") && { binarise: codes }),
          };
          plans.push(
            cellPlan(
              { kind: "retrieval", labels },
              [model, dataset],
              (context) =>
                measureRetrieval(
                  { source: source!, dataset: valueOf(dataset), codes, point, ks: m.k, protocol },
                  context,
                ),
              timing,
            ),
          );
        }
      }
    }
  }
  return plans;
}

function embedderTiming(
  ref: ModelRef,
  dataset: RecognitionDataset,
  protocol: Protocol,
): ModelTiming {
  return modelTiming(
    { ref, stage: "embed", dataset },
    (resources) => datasetPictures(dataset, protocol, resources),
    async (resources) => {
      const embedder = await resources.embedder(ref);
      return (pixels, watch) => embedder.embed([pixels], watch);
    },
  );
}

function givesCodes(card: AnyCard): boolean {
  const binarise =
    "recognition" in card ? card.recognition.binarise : "binarise" in card ? card.binarise : "none";
  return binarise !== "none";
}

/** Gallery and query vectors of a data set under one model, embedded once for all indexes. */
class EmbeddedSet {
  readonly #ref: ModelRef;
  readonly #dataset: RecognitionDataset;
  readonly #protocol: Protocol;
  readonly #resources: Resources;
  #parts: Promise<EmbeddedParts> | undefined;

  constructor(
    ref: ModelRef,
    dataset: RecognitionDataset,
    protocol: Protocol,
    resources: Resources,
  ) {
    this.#ref = ref;
    this.#dataset = dataset;
    this.#protocol = protocol;
    this.#resources = resources;
  }

  parts(context: CellContext): Promise<EmbeddedParts> {
    this.#parts ??= this.#embed(context);
    return this.#parts;
  }

  async #embed(context: CellContext): Promise<EmbeddedParts> {
    const embedder = await this.#resources.embedder(this.#ref);
    const model = {
      ...this.#resources.place(this.#ref),
      version: embedder.version,
      preprocessing: await this.#resources.preprocessing(this.#ref),
      dim: embedder.dim,
      kind: embedder.kind,
    };
    const embed = async (part: "gallery" | "query"): Promise<Part> => {
      const listed = await listPictures(this.#dataset, part, this.#protocol, this.#resources);
      const embedded = await embedPictures(model, listed.pictures, {
        caches: this.#resources.caches,
        pool: this.#resources.pool,
        protocol: this.#protocol,
        progress: context.progress,
        signal: context.signal,
      });
      return {
        listed,
        embedded,
        rows: embedded.places.map((place) => labelled(listed.rows[place]!)),
      };
    };
    const gallery = await embed("gallery");
    const query = this.#dataset.evaluation === "leave-one-out" ? gallery : await embed("query");
    const lists = compareLists({
      query: comparedRows(query),
      gallery: comparedRows(gallery),
      leaveOneOut: query === gallery,
      file: this.#dataset.file,
    });
    const file = await this.#resources.modelFile(this.#ref);
    const cost = await costScores(file, this.#resources);
    return { gallery, query, lists, model: embedder.version, cost };
  }
}

interface EmbeddedParts {
  readonly gallery: Part;
  readonly query: Part;
  /** What the two lists say of each other. */
  readonly lists: ListFindings;
  /** The model's version. */
  readonly model: string;
  /** What the model costs, the same for every index. */
  readonly cost: readonly RecordedScore[];
}

interface Part {
  readonly listed: ListedPictures;
  readonly embedded: Embedded;
  /** Label and uid of each row that was embedded. */
  readonly rows: readonly LabelledRow[];
}

/** The embedded rows of a list with the content of their pictures. */
function comparedRows({ listed, embedded, rows }: Part): ComparedRows {
  const pictures = embedded.places.map((place) => {
    const picture = listed.pictures[place]!;
    return "file" in picture ? (knownHash(picture.file) ?? picture.file) : picture.item;
  });
  return { rows, pictures, items: embedded.places.map((place) => listed.rows[place]!.path) };
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
  const { gallery, query, lists, model, cost } = await job.source.parts(context);
  if (gallery.rows.length === 0 || query.rows.length === 0) {
    throw nothingUsable(dataset.file, [...gallery.embedded.errors, ...query.embedded.errors]);
  }
  const leaveOneOut = dataset.evaluation === "leave-one-out";
  const rows = encode(gallery.embedded.vectors, job.codes);
  const queries = leaveOneOut ? rows : encode(query.embedded.vectors, job.codes);
  const built = await buildIndex(rows, point, job.protocol);
  try {
    const k = Math.max(...ks);
    const ask = Math.min(built.index.size, k + allowance(query.rows, gallery.rows, leaveOneOut));
    const positives = listedPositives(
      query.listed.rows.map(labelled),
      gallery.listed.rows.map(labelled),
      leaveOneOut,
    );
    const sides = { query, gallery, leaveOneOut, positives };
    const hits = judgeNeighbours(await built.index.search(queries, ask), query.rows, gallery.rows, {
      k,
      leaveOneOut,
      positives: Int32Array.from(query.embedded.places, (place) => positives[place]!),
    });
    const timesMs = await timingLoop(() => timeQueries(built.index, queries, k));
    const lost = lostQueries(sides);
    // An exhaustive search is scored by the whole ranking, with its ties; what an approximate one
    // returned is judged as it is.
    const accuracy = isExhaustive(built.factory)
      ? exactScores(await scoreRanking(sides, queries, rows, job, context))
      : answerScores(answersOf(hits, sides), ks, scoreOptions(sides, context.intervals));
    return {
      versions: { model, dataset: dataset.hash, index: built.index.version },
      scores: [
        ...accuracy,
        ...built.scores,
        ...timeScores(timesMs, context.intervals.level),
        ...cost,
      ],
      errors: [
        ...new Map(
          [...gallery.embedded.errors, ...query.embedded.errors].map((e) => [e.item, e]),
        ).values(),
      ],
      findings: timingFindings({ search: timesMs }),
      notes: [
        ...built.notes,
        ...codedNotes(rows),
        ...lossNotes(sides),
        ...listNotes(lists, hits, leaveOneOut),
      ],
      cases: [
        ...casesOf(hits, query, gallery),
        ...lost.map((e) => ({
          ...emptyCase,
          item: e.item,
          outcome: e.answerable ? ("error" as const) : ("none" as const),
          truth: e.label,
        })),
      ],
      samples: { retrieval: timesMs },
      imageRoots: { [dataset.name]: recordedRoot(dataset.images) },
    };
  } finally {
    built.index.close();
  }
}

/** What an index returned, by listed query; one that could not be embedded got nothing. */
function answersOf(hits: readonly NeighbourHit[], { query, gallery, positives }: Sides): Answers {
  const ranks: number[][] = query.listed.rows.map(() => []);
  query.embedded.places.forEach((place, row) => {
    const { label } = query.rows[row]!;
    ranks[place] = hits[row]!.rows.flatMap((found, i) =>
      gallery.rows[found]!.label === label ? [i + 1] : [],
    );
  });
  return { ranks, positives };
}

/** How intervals over the queries of a list are made. */
function scoreOptions({ query }: Sides, intervals: IntervalPlan): ScoreOptions {
  const { level, resamples, seed, clusters } = intervals;
  const labels = query.listed.rows.map((r) => r.label);
  return {
    level,
    resamples,
    seed,
    ...(clusters === "label" && { clusters: clusterNumbers(labels) }),
  };
}

/**
 * The scores of an exhaustive search. Where ties decide, their bounds become scores of their own.
 */
export function exactScores({ scores }: RetrievalScores): RecordedScore[] {
  return scores.flatMap((score): RecordedScore[] => {
    const { bounds } = score;
    if (score.value === null || !bounds || bounds[0] === bounds[1]) return [named(score, score)];
    const { n } = score;
    const bound = (ties: "pessimistic" | "optimistic", value: number): RecordedScore =>
      named({ ...score, of: { ties } }, measured(value, n, null, "a bound"));
    return [named(score, score), bound("pessimistic", bounds[0]), bound("optimistic", bounds[1])];
  });
}

/** Queries that could not be embedded: misses where the listed gallery holds a right answer. */
function lostQueries({ query, positives }: Sides): LostQuery[] {
  const embedded = new Set(query.embedded.places);
  return query.listed.rows.flatMap(({ path, label }, place) =>
    embedded.has(place) ? [] : [{ item: path, label, answerable: positives[place]! > 0 }],
  );
}

interface LostQuery {
  readonly item: string;
  readonly label: string;
  readonly answerable: boolean;
}

/** What could not be embedded, and what it cost. */
function lossNotes({ query, gallery, leaveOneOut, positives }: Sides): string[] {
  const lost = ({ listed, embedded }: Part): number => listed.rows.length - embedded.places.length;
  if (lost(gallery) + lost(query) === 0) return [];
  const left = listedPositives(query.rows, gallery.rows, leaveOneOut);
  const stranded = query.embedded.places.filter(
    (place, row) => positives[place]! > 0 && !left[row],
  );
  return [
    `${lost(gallery)} of ${gallery.listed.rows.length} gallery pictures could not be embedded; ` +
      `${stranded.length} queries lost their only right answers with them and count as missed`,
    ...(leaveOneOut
      ? []
      : [
          `${lost(query)} of ${query.listed.rows.length} queries could not be embedded; those ` +
            "with a right answer in the list count as missed",
        ]),
  ];
}

const emptyCase = {
  image: null,
  prediction: null,
  score: null,
  rank: null,
  neighbours: null,
  boxes: null,
  width: null,
  height: null,
  lostAt: null,
  stageMs: null,
};

function casesOf(hits: readonly NeighbourHit[], query: Part, gallery: Part): CellOutcome["cases"] {
  const pathOf = (part: Part, row: number): string =>
    part.listed.rows[part.embedded.places[row]!]!.path;
  return hits.map((hit, q) => {
    const best = hit.rows[0];
    const item = pathOf(query, q);
    return {
      ...emptyCase,
      item,
      image: item,
      outcome: !hit.answerable
        ? ("none" as const)
        : hit.rank === 0
          ? ("hit" as const)
          : ("miss" as const),
      truth: query.rows[q]!.label,
      prediction: best === undefined ? null : gallery.rows[best]!.label,
      score: hit.scores[0] ?? null,
      rank: hit.rank,
      neighbours: hit.rows.slice(0, keptNeighbours).map((row, i) => ({
        label: gallery.rows[row]!.label,
        score: hit.scores[i]!,
        picture: pathOf(gallery, row),
      })),
    };
  });
}
