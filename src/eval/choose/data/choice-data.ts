import { UserError } from "../../../pipeline/errors.js";
import {
  isCodes,
  rowCount,
  type Codes,
  type IndexMetric,
  type Vectors,
} from "../../../pipeline/types.js";
import type { LabelledRow } from "../../metrics/index/neighbour-hits.js";
import { Random } from "../../stats/random.js";

/** Vectors with what is known of each row. */
export interface LabelledVectors {
  readonly rows: Vectors | Codes;
  /** One a row; null where nothing is known. */
  readonly labels: readonly LabelledRow[] | null;
}

/** What a choice is made on: a gallery, and queries that are not in it. */
export interface ChoiceData {
  readonly name: string;
  /** What tells these vectors from others, for the cache of builds. */
  readonly version: string;
  readonly metric: IndexMetric;
  readonly gallery: LabelledVectors;
  /** Queries of the sweep; those of the last comparison are others. */
  readonly sweepQueries: LabelledVectors;
  readonly finalQueries: LabelledVectors;
  /** The queries were taken out of the gallery. */
  readonly heldOut: boolean;
}

/** Held out of a gallery: one row in five, and no more than 2,000. */
const heldOutShare = 0.2;
const mostHeldOut = 2000;
/** With fewer rows nothing can be said of recall. */
const leastRows = 50;

export function takeRows(vectors: Vectors | Codes, places: ArrayLike<number>): Vectors | Codes {
  const width = isCodes(vectors) ? vectors.bits / 8 : vectors.dim;
  const copy = <T extends Float32Array | Uint8Array>(from: T, to: T): T => {
    for (let i = 0; i < places.length; i++) {
      to.set(from.subarray(places[i]! * width, (places[i]! + 1) * width), i * width);
    }
    return to;
  };
  const length = places.length * width;
  if (isCodes(vectors)) {
    return { data: copy(vectors.data, new Uint8Array(length)), bits: vectors.bits };
  }
  return { data: copy(vectors.data, new Float32Array(length)), dim: vectors.dim };
}

/** The first n rows, without a copy. */
export function firstRows(vectors: Vectors | Codes, n: number): Vectors | Codes {
  if (isCodes(vectors)) {
    return { data: vectors.data.subarray(0, (n * vectors.bits) / 8), bits: vectors.bits };
  }
  return { data: vectors.data.subarray(0, n * vectors.dim), dim: vectors.dim };
}

export interface Split {
  readonly gallery: LabelledVectors;
  readonly sweepQueries: LabelledVectors;
  readonly finalQueries: LabelledVectors;
}

/**
 * Takes queries out of a gallery, at random by the seed; they never sit in an index. What is left
 * is shuffled, so that its first rows are a sample of it at any size.
 *
 * @throws UserError `too-few-vectors`
 */
export function holdOut(all: LabelledVectors, seed: string): Split {
  const n = rowCount(all.rows);
  if (n < leastRows) {
    throw new UserError({
      code: "too-few-vectors",
      message: "too few vectors to hold queries out of",
      expected: `${leastRows} or more`,
      found: String(n),
      fix: "an exact search (Flat) of so few takes microseconds: there is nothing to choose",
    });
  }
  const order = shuffledPlaces(n, seed);
  const held = Math.min(mostHeldOut, Math.floor(n * heldOutShare));
  return {
    gallery: take(all, order.subarray(held)),
    ...halves(take(all, order.subarray(0, held))),
  };
}

/** The same where queries are given: the gallery is shuffled, the queries are halved. */
export function splitQueries(
  gallery: LabelledVectors,
  queries: LabelledVectors,
  seed: string,
): Split {
  const n = rowCount(queries.rows);
  const order = shuffledPlaces(n, `${seed}/queries`).subarray(0, mostHeldOut);
  return {
    gallery: take(gallery, shuffledPlaces(rowCount(gallery.rows), seed)),
    ...halves(take(queries, order)),
  };
}

function halves(queries: LabelledVectors): Omit<Split, "gallery"> {
  const n = rowCount(queries.rows);
  const half = Math.ceil(n / 2);
  const places = Int32Array.from({ length: n }, (_, i) => i);
  // A single query serves for both.
  return {
    sweepQueries: take(queries, places.subarray(0, half)),
    finalQueries: take(queries, places.subarray(n > 1 ? half : 0)),
  };
}

function take({ rows, labels }: LabelledVectors, places: ArrayLike<number>): LabelledVectors {
  return {
    rows: takeRows(rows, places),
    labels: labels && Array.from(places, (place) => labels[place]!),
  };
}

function shuffledPlaces(n: number, seed: string): Int32Array {
  const random = new Random(`${seed}/shuffle`);
  const places = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const swap = places[i]!;
    places[i] = places[j]!;
    places[j] = swap;
  }
  return places;
}

/** All queries, those of the sweep first. */
export function joinQueries({ sweepQueries, finalQueries }: ChoiceData): LabelledVectors {
  const labels = sweepQueries.labels && finalQueries.labels;
  return {
    rows: concatenated(sweepQueries.rows, finalQueries.rows),
    labels: labels && [...sweepQueries.labels!, ...finalQueries.labels!],
  };
}

function concatenated(a: Vectors | Codes, b: Vectors | Codes): Vectors | Codes {
  if (isCodes(a) && isCodes(b)) {
    const data = new Uint8Array(a.data.length + b.data.length);
    data.set(a.data);
    data.set(b.data, a.data.length);
    return { data, bits: a.bits };
  }
  if (isCodes(a) || isCodes(b)) throw new RangeError("codes and vectors cannot be joined");
  const data = new Float32Array(a.data.length + b.data.length);
  data.set(a.data);
  data.set(b.data, a.data.length);
  return { data, dim: a.dim };
}
