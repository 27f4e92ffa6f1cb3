// metrics/retrieval/: vectors and labels, or their rankings, in; recall, mAP and the others out. It
// never sees pictures or an approximate index.
import { requireFinite } from "../../../../datasets/formats/finite.js";
import { UserError } from "../../../pipeline/errors.js";
import { rankRows, requireSameSpace, type RowLists } from "../../../pipeline/index/row-ranks.js";
import { rulesOf, type Protocol, type Rules } from "../../../pipeline/protocol.js";
import {
  isCodes,
  rowCount,
  type Codes,
  type Progress,
  type Vectors,
} from "../../../pipeline/types.js";
import { codeTexts, relevance, type Coded } from "./relevance.js";
import { stableRanks, tieGroups, writeTop } from "./retrieval-block.js";
import {
  expectedHit,
  expectedValue,
  extremeRanks,
  isTied,
  penaltyFromZero,
  valueOfRanks,
  type QueryValue,
} from "./tied-ranks.js";

/**
 * Queries and gallery with their labels. Similarity is the inner product of vectors, or the
 * nearness of codes by Hamming distance.
 */
export interface RetrievalInput {
  readonly queries: Vectors | Codes;
  readonly gallery: Vectors | Codes;
  readonly queryLabels: readonly string[];
  readonly galleryLabels: readonly string[];
  /** Camera or picture numbers; both or neither. */
  readonly queryUids?: readonly string[];
  readonly galleryUids?: readonly string[];
  /** Query i is row i of the gallery and never meets itself. */
  readonly leaveOneOut?: boolean;
  /**
   * Right answers of each query by the lists, where not every listed picture is a row: those that
   * are no row are never found, and a query with none left misses. The rows themselves unless told.
   */
  readonly listedPositives?: Int32Array;
}

/** The quirks that change what a ranking is worth. */
export const rankingQuirks = ["junk", "ties", "block", "precision", "penalty"] as const;
export type RetrievalRules = Pick<Rules, (typeof rankingQuirks)[number]>;

export interface RankingOptions {
  readonly protocol?: Protocol;
  /** Overrides single rules of the protocol. */
  readonly rules?: Partial<RetrievalRules>;
  /** For recall@k and precision@k; [1, 5, 10] unless told. */
  readonly ks?: readonly number[];
  /** How many neighbours of each query to keep; 10 unless told. */
  readonly top?: number;
  /** Length of the CMC curve; 100 unless told. */
  readonly cmcLength?: number;
  readonly threads?: number;
  /**
   * Positives held at once, about 24 bytes each; 1,000,000 unless told. The result does not depend
   * on it.
   */
  readonly heldPositives?: number;
  readonly progress?: Progress;
}

/** `stable` alone, or the other three. */
export type Order = "expected" | "optimistic" | "pessimistic" | "stable";

/** One number a query for each metric; 0 for queries without a positive. */
export interface QueryValues {
  readonly hit: readonly Float64Array[];
  readonly precision: readonly Float64Array[];
  readonly averagePrecision: Float64Array;
  readonly mapAtR: Float64Array;
  readonly rPrecision: Float64Array;
  readonly inverseNegativePenalty: Float64Array;
  readonly firstRank: Float64Array;
}

/** All that the metrics need, kept a query, so that two systems can be compared query by query. */
export interface RetrievalEvidence {
  readonly protocol: Protocol;
  readonly rules: RetrievalRules;
  readonly ks: readonly number[];
  readonly labels: Coded;
  readonly gallerySize: number;
  /**
   * Valid positives of each query by the lists, ranked or not. Queries with none leave the
   * denominators.
   */
  readonly positives: Int32Array;
  /** Gallery items that are not valid, of each query. */
  readonly junk: Int32Array;
  readonly values: Readonly<Partial<Record<Order, QueryValues>>>;
  /** cmc[k - 1]: queries whose first positive is among the k best (expected number). */
  readonly cmc: Readonly<Partial<Record<Order, Float64Array>>>;
  /** Queries for which a tie makes recall@1 uncertain: optimistic and pessimistic differ. */
  readonly undecidedFirst: number;
  /**
   * n x top rows, best first, -1 filled; equal scores by row number. Inner products, or minus
   * Hamming distances.
   */
  readonly top: number;
  readonly topRows: Int32Array;
  readonly topScores: Float64Array;
}

/** The order that a protocol's headline numbers use. */
export function headlineOrder({ rules }: Pick<RetrievalEvidence, "rules">): Order {
  return rules.ties;
}

/** Queries with at least one valid positive. */
export function answerable({ positives }: Pick<RetrievalEvidence, "positives">): number {
  let n = 0;
  for (const p of positives) if (p > 0) n++;
  return n;
}

/** So many queries are ranked in one go. The result does not depend on it. */
const queriesAtOnce = 512;

/**
 * Ranks the whole gallery for each query, exactly, and keeps what the metrics need. The ranking
 * itself is never held: memory is the input, some hundred bytes a query, and a block's positives.
 *
 * @throws UserError `retrieval-empty`, `retrieval-length` (labels or uids do not fit the rows),
 * `retrieval-uids` (one side only), `retrieval-leave-one-out` (queries are not the gallery),
 * `retrieval-k`, `dimension-mismatch`, `vector-not-finite`.
 */
export async function rankQueries(
  input: RetrievalInput,
  options: RankingOptions = {},
): Promise<RetrievalEvidence> {
  const {
    protocol = "standard",
    ks = [1, 5, 10],
    top = 10,
    cmcLength = 100,
    heldPositives = 1_000_000,
    threads,
    progress,
  } = options;
  const rules: RetrievalRules = { ...rulesOf(protocol), ...options.rules };
  if (rules.penalty === "from-zero" && rules.ties !== "stable")
    throw new RangeError("rules: a penalty from zero goes with stable ties only");
  check(input, ks);
  const { queries, gallery } = input;
  const count = rowCount(queries);
  const labels = codeTexts(input.queryLabels, input.galleryLabels);
  const uids =
    input.queryUids && input.galleryUids ? codeTexts(input.queryUids, input.galleryUids) : null;
  const relevant = relevance({ labels, uids, leaveOneOut: input.leaveOneOut ?? false });
  const gallerySize = rowCount(gallery);
  const kept = Math.min(Math.max(1, top), gallerySize);
  const orders: readonly Order[] =
    rules.ties === "stable" ? ["stable"] : ["expected", "optimistic", "pessimistic"];
  const values = Object.fromEntries(
    orders.map((o) => [o, emptyValues(count, ks.length)]),
  ) as Record<Order, QueryValues>;
  const cmc = Object.fromEntries(orders.map((o) => [o, new Float64Array(cmcLength)])) as Record<
    Order,
    Float64Array
  >;
  const evidence = {
    protocol,
    rules,
    ks,
    labels,
    gallerySize,
    values,
    cmc,
    undecidedFirst: 0,
    positives: new Int32Array(count),
    junk: new Int32Array(count),
    top: kept,
    topRows: new Int32Array(count * kept),
    topScores: new Float64Array(count * kept),
  };
  const junkScore = rules.junk === "zeroed" ? zeroScore(gallery) : null;
  for (let begin = 0, end = 0; begin < count; begin = end) {
    end = begin + 1;
    for (
      let held = relevant.most(begin);
      end < Math.min(count, begin + queriesAtOnce) && (held += relevant.most(end)) <= heldPositives;
    )
      end++;
    const { positives, junk } = relevant.of(begin, end);
    const ranks = await rankRows({
      queries: slice(queries, begin, end),
      gallery,
      marked: positives,
      excluded: junk,
      top: kept,
      ...(threads !== undefined && { threads }),
    });
    for (let i = 0; i < end - begin; i++) {
      const query = begin + i;
      const aside = junkScore === null ? null : { rows: list(junk, i), score: junkScore };
      evidence.junk[query] = junk.start[i + 1]! - junk.start[i]!;
      const ranked = positives.start[i + 1]! - positives.start[i]!;
      const right = input.listedPositives?.[query] ?? ranked;
      evidence.positives[query] = right;
      writeTop(
        ranks,
        i,
        kept,
        aside,
        evidence.topRows.subarray(query * kept, (query + 1) * kept),
        evidence.topScores.subarray(query * kept, (query + 1) * kept),
      );
      if (ranked === 0) continue;
      if (rules.ties === "stable") {
        const found = stableRanks(ranks, positives, i, aside);
        const value = valueOfRanks(found, ks, right);
        store(
          values.stable,
          query,
          rules.penalty === "from-zero"
            ? { ...value, inverseNegativePenalty: ranked < right ? 0 : penaltyFromZero(found) }
            : value,
        );
        addStep(cmc.stable, found[0]!);
        continue;
      }
      const groups = tieGroups(ranks, positives, i, aside, gallerySize);
      const tied = isTied(groups);
      const best = valueOfRanks(extremeRanks(groups, "optimistic"), ks, right);
      const worst = tied ? valueOfRanks(extremeRanks(groups, "pessimistic"), ks, right) : best;
      store(values.optimistic, query, best);
      store(values.pessimistic, query, worst);
      store(values.expected, query, tied ? expectedValue(groups, ks, right) : best);
      addStep(cmc.optimistic, best.firstRank);
      addStep(cmc.pessimistic, worst.firstRank);
      if (tied) for (let k = 1; k <= cmcLength; k++) cmc.expected[k - 1]! += expectedHit(groups, k);
      else addStep(cmc.expected, best.firstRank);
      if (best.firstRank === 1 && worst.firstRank > 1) evidence.undecidedFirst++;
    }
    progress?.(end, count);
  }
  return evidence;
}

function check(input: RetrievalInput, ks: readonly number[]): void {
  const { queries, gallery } = input;
  requireSameSpace(queries, gallery);
  const sides = [
    ["query", queries, input.queryLabels, input.queryUids],
    ["gallery", gallery, input.galleryLabels, input.galleryUids],
  ] as const;
  for (const [side, rows, labels, uids] of sides) {
    const n = rowCount(rows);
    if (!isCodes(rows)) requireFinite(rows, `${side} vectors`);
    if (n === 0)
      throw new UserError({
        code: "retrieval-empty",
        message: `there is no ${side} row`,
        expected: "at least one",
        found: "0",
        fix: "check the files",
      });
    for (const [what, given] of [
      ["labels", labels],
      ["uids", uids],
    ] as const) {
      if (given !== undefined && given.length !== n) {
        throw new UserError({
          code: "retrieval-length",
          message: `the ${side} has not as many ${what} as rows`,
          expected: `${n} ${what}`,
          found: String(given.length),
          fix:
            "row i of the features must be line i of the list: give the list that the " +
            "features were made from",
        });
      }
    }
  }
  if ((input.queryUids === undefined) !== (input.galleryUids === undefined)) {
    const has = input.queryUids ? "query" : "gallery";
    throw new UserError({
      code: "retrieval-uids",
      message: `only the ${has} list has uids, so nothing can be told apart by them`,
      expected: "a third column in both lists, or in neither",
      found: `one in the ${has} list`,
      fix: "add the uid to the other list, or read both with 2 columns",
    });
  }
  if (
    input.leaveOneOut === true &&
    (rowCount(queries) !== rowCount(gallery) ||
      input.queryLabels.some((l, i) => l !== input.galleryLabels[i]))
  ) {
    throw new UserError({
      code: "retrieval-leave-one-out",
      message: "leaving one out needs the gallery as queries",
      expected: "the same rows and labels on both sides",
      found: `${rowCount(queries)} queries and ${rowCount(gallery)} gallery rows`,
      fix: "give the gallery only",
    });
  }
  for (const k of ks) {
    if (!Number.isInteger(k) || k < 1)
      throw new UserError({
        code: "retrieval-k",
        message: "k must be a positive integer",
        expected: "1, 5, 10 or the like",
        found: String(k),
        fix: "mend the list of k",
      });
  }
}

function slice(rows: Vectors | Codes, begin: number, end: number): Vectors | Codes {
  if (isCodes(rows))
    return {
      bits: rows.bits,
      data: rows.data.subarray((begin * rows.bits) / 8, (end * rows.bits) / 8),
    };
  return { dim: rows.dim, data: rows.data.subarray(begin * rows.dim, end * rows.dim) };
}

/**
 * The score that stands for similarity 0: codes of +1 and -1 have inner product bits - 2 *
 * distance.
 */
function zeroScore(gallery: Vectors | Codes): number {
  return isCodes(gallery) ? -gallery.bits / 2 : 0;
}

function list({ start, rows }: RowLists, i: number): Int32Array {
  return rows.subarray(start[i], start[i + 1]);
}

function emptyValues(count: number, ks: number): QueryValues {
  const column = () => new Float64Array(count);
  const columns = () => Array.from({ length: ks }, column);
  return {
    hit: columns(),
    precision: columns(),
    averagePrecision: column(),
    mapAtR: column(),
    rPrecision: column(),
    inverseNegativePenalty: column(),
    firstRank: column(),
  };
}

function store(values: QueryValues, query: number, value: QueryValue): void {
  value.hit.forEach((v, k) => {
    values.hit[k]![query] = v;
  });
  value.precision.forEach((v, k) => {
    values.precision[k]![query] = v;
  });
  values.averagePrecision[query] = value.averagePrecision;
  values.mapAtR[query] = value.mapAtR;
  values.rPrecision[query] = value.rPrecision;
  values.inverseNegativePenalty[query] = value.inverseNegativePenalty;
  values.firstRank[query] = value.firstRank;
}

function addStep(curve: Float64Array, firstRank: number): void {
  for (let k = firstRank; k <= curve.length; k++) curve[k - 1]!++;
}
