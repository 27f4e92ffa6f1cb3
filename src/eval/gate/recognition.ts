import { UserError } from "../../pipeline/errors.js";
import { isCodes, type Codes, type Vectors } from "../../pipeline/types.js";
import type { RecognitionDataset } from "../config/dataset.js";
import { listPictures, type ListedPictures } from "../experiments/pictures.js";
import type { LabelledRow } from "../metrics/index/neighbour-hits.js";
import { listedPositives } from "../metrics/retrieval/lost-rows.js";
import { headlineOrder } from "../metrics/retrieval/ranking.js";
import { rankQueries } from "../metrics/retrieval/retrieval.js";
import { embedPictures, type Embedded, type ItemError } from "../observe/observations.js";
import type { Answer, GateWork } from "./work.js";

/** One embedder on a data set: what each query found, and the rows themselves. */
export interface RecognitionEvidence {
  readonly queries: ListedPictures["rows"];
  /** For each query of the list. */
  readonly answers: readonly Answer[];
  /** Average precision of each query; null where the gallery holds no right answer. */
  readonly averagePrecision: readonly (number | null)[];
  /** The five nearest of each query, as places in the gallery's list. */
  readonly neighbours: readonly (readonly number[])[];
  /** The row of each query of the list; -1 where it has none. */
  readonly rowOf: Int32Array;
  readonly rows: Vectors | Codes;
  readonly errors: readonly ItemError[];
}

const depth = 5;

const nothingRanked: Ranked = {
  averagePrecision: new Float64Array(0),
  top: [],
};

/**
 * Embeds gallery and queries (from the cache where they are known) and searches exactly.
 * @throws UserError `dataset-empty` where no picture at all could be used by this model.
 */
export async function observeRecognition(
  cardFile: string,
  dataset: RecognitionDataset,
  work: GateWork,
  side: Side,
): Promise<RecognitionEvidence> {
  const gallery = await embedPart(cardFile, dataset, "gallery", work);
  const leaveOneOut = dataset.evaluation === "leave-one-out";
  const query = leaveOneOut ? gallery : await embedPart(cardFile, dataset, "query", work);
  const errors = [...gallery.embedded.errors, ...(leaveOneOut ? [] : query.embedded.errors)];
  const empty = [gallery, query].some(({ embedded }) => embedded.places.length === 0);
  if (empty) refuseNothing(dataset, errors, side);
  // By the lists, so that pictures which a model loses never leave the denominator.
  const [listedQueries, listedRows] = [query, gallery].map(({ listed }) =>
    listed.rows.map(labelled),
  );
  const positives = listedPositives(listedQueries!, listedRows!, leaveOneOut);
  const sides = { query, gallery, leaveOneOut, positives };
  const ranked = empty ? nothingRanked : await rank(sides, work);
  const rowOf = new Int32Array(query.listed.rows.length).fill(-1);
  query.embedded.places.forEach((place, row) => (rowOf[place] = row));
  const answers = query.listed.rows.map(({ label }, place): Answer => {
    const row = rowOf[place]!;
    const answerable = positives[place]! > 0;
    if (row < 0 || empty) return { right: answerable ? false : null, said: null, failed: true };
    const first = ranked.top[row]![0];
    const said = first === undefined ? null : gallery.listed.rows[first]!.label;
    return { right: answerable ? said === label : null, said, failed: false };
  });
  return {
    queries: query.listed.rows,
    answers,
    averagePrecision: answers.map(({ right, failed }, place) => {
      if (right === null) return null;
      return failed ? 0 : ranked.averagePrecision[rowOf[place]!]!;
    }),
    neighbours: answers.map((_, place) => ranked.top[rowOf[place]!] ?? []),
    rowOf,
    rows: query.embedded.vectors,
    errors,
  };
}

export type Side = "baseline" | "candidate";

/** Errors that speak of the model and not of the picture. */
const modelFaults = new Set(["embedding-degenerate", "model-run-failed", "model-output"]);

/**
 * No picture could be used. Where it is the candidate that fails on them, that is the finding;
 * everything else is a fault of the data set or of the baseline.
 */
export function refuseNothing(
  dataset: { readonly file: string },
  errors: readonly ItemError[],
  side: Side,
): void {
  const first = errors[0];
  if (side === "candidate" && errors.some(({ code }) => modelFaults.has(code))) return;
  throw new UserError({
    code: "dataset-empty",
    message: "no picture of the data set could be used",
    file: dataset.file,
    ...(first && { found: `${first.item}: ${first.message}` }),
    fix: "check its image root and lists, or the model where it fails on every picture",
  });
}

interface Part {
  readonly listed: ListedPictures;
  readonly embedded: Embedded;
}

async function embedPart(
  cardFile: string,
  dataset: RecognitionDataset,
  part: "gallery" | "query",
  { resources, protocol, progress, signal }: GateWork,
): Promise<Part> {
  const listed = await listPictures(dataset, part, protocol, resources);
  const { version, dim, kind } = await resources.embedder(cardFile);
  const preprocessing = await resources.preprocessing(cardFile);
  const model = { ...resources.place(cardFile), version, preprocessing, dim, kind };
  const { caches, pool } = resources;
  const options = { caches, pool, protocol, progress, signal };
  return { listed, embedded: await embedPictures(model, listed.pictures, options) };
}

interface Sides {
  readonly query: Part;
  readonly gallery: Part;
  readonly leaveOneOut: boolean;
  /** Right answers of each listed query in the listed gallery. */
  readonly positives: Int32Array;
}

function labelled({ label, uid }: { label: string; uid?: string }): LabelledRow {
  return { label, uid: uid ?? null };
}

interface Ranked {
  readonly averagePrecision: Float64Array;
  /** Nearest first, as places in the gallery's list. */
  readonly top: readonly (readonly number[])[];
}

async function rank(
  { query, gallery, leaveOneOut, positives }: Sides,
  work: GateWork,
): Promise<Ranked> {
  const kept = ({ listed, embedded }: Part) => embedded.places.map((place) => listed.rows[place]!);
  const [queries, rows] = [kept(query), kept(gallery)];
  const uids = [...queries, ...rows].every(({ uid }) => uid !== undefined);
  const evidence = await rankQueries(
    {
      queries: query.embedded.vectors,
      gallery: gallery.embedded.vectors,
      queryLabels: queries.map((r) => r.label),
      galleryLabels: rows.map((r) => r.label),
      leaveOneOut,
      listedPositives: Int32Array.from(query.embedded.places, (place) => positives[place]!),
      ...(uids && { queryUids: queries.map((r) => r.uid!), galleryUids: rows.map((r) => r.uid!) }),
    },
    { protocol: work.protocol, ks: [1], top: depth },
  );
  const { top: k, topRows } = evidence;
  const placesOf = (q: number): number[] =>
    Array.from(topRows.subarray(q * k, (q + 1) * k))
      .filter((row) => row >= 0)
      .map((row) => gallery.embedded.places[row]!);
  return {
    averagePrecision: evidence.values[headlineOrder(evidence)]!.of.mAP!,
    top: queries.map((_, q) => placesOf(q)),
  };
}

/** Rows of the queries that both sides have, side by side; their places in the list. */
export function sharedRows(
  baseline: RecognitionEvidence,
  candidate: RecognitionEvidence,
  most: number,
): { readonly places: number[]; readonly sameSpace: boolean } {
  const width = (rows: Vectors | Codes): string =>
    isCodes(rows) ? `b${rows.bits}` : `f${rows.dim}`;
  const places = baseline.queries
    .map((_, place) => place)
    .filter((place) => baseline.rowOf[place]! >= 0 && candidate.rowOf[place]! >= 0)
    .slice(0, most);
  return { places, sameSpace: width(baseline.rows) === width(candidate.rows) };
}
