// The ranking of a gallery for each query, exact. It never sees what a metric is: it is given what
// judges one query's ranks.
import { rankRows, type RankResult, type RowLists } from "../../../pipeline/index/row-ranks.js";
import type { Protocol } from "../../../pipeline/protocol.js";
import {
  isCodes,
  rowCount,
  type Codes,
  type Progress,
  type Vectors,
} from "../../../pipeline/types.js";
import { codeTexts, relevance, type Coded, type Relevance } from "./relevance.js";
import { stableRanks, tieGroups, writeTop, type Aside } from "./retrieval-block.js";
import type { MetricScore, RetrievalRules } from "./retrieval-metric.js";
import {
  expectedFirstRank,
  expectedHit,
  extremeRanks,
  isTied,
  type TieGroups,
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

/** `stable` alone, or the other three. */
export type Order = "expected" | "optimistic" | "pessimistic" | "stable";

/** What the ranking of each query is worth under one order of ties. */
export interface QueryValues {
  /** By score (`recall@5`), one number a query; 0 for queries without a positive. */
  readonly of: Readonly<Record<string, Float64Array>>;
  /** Rank of each query's first positive, from 1; 0 where there is none. */
  readonly firstRank: Float64Array;
}

/** All that the metrics need, kept a query, so that two systems can be compared query by query. */
export interface RetrievalEvidence {
  readonly protocol: Protocol;
  readonly rules: RetrievalRules;
  readonly scored: readonly MetricScore[];
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

export interface RankingSettings {
  readonly protocol: Protocol;
  readonly rules: RetrievalRules;
  readonly scored: readonly MetricScore[];
  readonly top: number;
  readonly cmcLength: number;
  readonly heldPositives: number;
  readonly threads: number | undefined;
  readonly progress: Progress | undefined;
}

/** So many queries are ranked in one go. The result does not depend on it. */
const queriesAtOnce = 512;

/** Queries [begin, end) that are ranked in one go: so many, and no more marks than are held. */
export function* blocksOf(
  count: number,
  held: (query: number) => number,
  mostHeld: number,
): Generator<{ readonly begin: number; readonly end: number }> {
  for (let begin = 0, end = 0; begin < count; begin = end) {
    end = begin + 1;
    let sum = held(begin);
    const most = Math.min(count, begin + queriesAtOnce);
    while (end < most && (sum += held(end)) <= mostHeld) end++;
    yield { begin, end };
  }
}

/**
 * Ranks the whole gallery for each query. The ranking itself is never held: memory is the input,
 * some hundred bytes a query, and a block's positives.
 */
export async function rankGallery(
  input: RetrievalInput,
  settings: RankingSettings,
): Promise<RetrievalEvidence> {
  const { queries, gallery } = input;
  const { heldPositives, threads, progress } = settings;
  const labels = codeTexts(input.queryLabels, input.galleryLabels);
  const relevant = relevanceOf(input, labels);
  const count = rowCount(queries);
  const sheet = new ScoreSheet(input, labels, settings);
  for (const { begin, end } of blocksOf(count, (q) => relevant.most(q), heldPositives)) {
    const { positives, junk } = relevant.of(begin, end);
    const ranks = await rankRows({
      queries: slice(queries, begin, end),
      gallery,
      marked: positives,
      excluded: junk,
      top: sheet.top,
      ...(threads !== undefined && { threads }),
    });
    for (let i = 0; i < end - begin; i++)
      sheet.enter(begin + i, { ranks, positives, junk, row: i });
    progress?.(end, count);
  }
  return sheet.evidence();
}

function relevanceOf(input: RetrievalInput, labels: Coded): Relevance {
  const { queryUids, galleryUids, leaveOneOut = false } = input;
  const uids = queryUids && galleryUids ? codeTexts(queryUids, galleryUids) : null;
  return relevance({ labels, uids, leaveOneOut });
}

/** One query of a block that was ranked. */
interface RankedRow {
  readonly ranks: RankResult;
  readonly positives: RowLists;
  readonly junk: RowLists;
  /** Its place in the block. */
  readonly row: number;
}

/** Where what each query's ranking is worth is written down. */
class ScoreSheet {
  readonly top: number;
  readonly #input: RetrievalInput;
  readonly #settings: RankingSettings;
  readonly #gallerySize: number;
  readonly #junkScore: number | null;
  readonly #evidence: RetrievalEvidence & { undecidedFirst: number };

  constructor(input: RetrievalInput, labels: Coded, settings: RankingSettings) {
    const { protocol, rules, scored, cmcLength } = settings;
    const count = rowCount(input.queries);
    this.#input = input;
    this.#settings = settings;
    this.#gallerySize = rowCount(input.gallery);
    this.#junkScore = rules.junk === "zeroed" ? zeroScore(input.gallery) : null;
    this.top = Math.min(Math.max(1, settings.top), this.#gallerySize);
    const orders: readonly Order[] =
      rules.ties === "stable" ? ["stable"] : ["expected", "optimistic", "pessimistic"];
    const each = <T>(of: () => T) => Object.fromEntries(orders.map((order) => [order, of()]));
    this.#evidence = {
      protocol,
      rules,
      scored,
      labels,
      gallerySize: this.#gallerySize,
      values: each(() => emptyValues(count, scored)),
      cmc: each(() => new Float64Array(cmcLength)),
      undecidedFirst: 0,
      positives: new Int32Array(count),
      junk: new Int32Array(count),
      top: this.top,
      topRows: new Int32Array(count * this.top),
      topScores: new Float64Array(count * this.top),
    };
  }

  enter(query: number, { ranks, positives, junk, row }: RankedRow): void {
    const { top } = this;
    const { topRows, topScores } = this.#evidence;
    const score = this.#junkScore;
    const aside = score === null ? null : { rows: list(junk, row), score };
    const ranked = list(positives, row).length;
    const right = this.#input.listedPositives?.[query] ?? ranked;
    this.#evidence.junk[query] = list(junk, row).length;
    this.#evidence.positives[query] = right;
    writeTop(ranks, row, aside, {
      rows: topRows.subarray(query * top, (query + 1) * top),
      scores: topScores.subarray(query * top, (query + 1) * top),
    });
    if (ranked === 0) return;
    if (this.#settings.rules.ties === "stable")
      this.#enterStable(query, right, stableRanks(ranks, positives, row, aside));
    else this.#enterTied(query, right, this.#groups({ ranks, positives, junk, row }, aside));
  }

  evidence(): RetrievalEvidence {
    return this.#evidence;
  }

  #groups({ ranks, positives, row }: RankedRow, aside: Aside | null): TieGroups {
    return tieGroups(ranks, positives, row, { aside, gallerySize: this.#gallerySize });
  }

  #enterStable(query: number, count: number, ranks: Float64Array): void {
    this.#judge(["stable"], query, count, ranks);
    addStep(this.#evidence.cmc.stable!, ranks[0]!);
  }

  #enterTied(query: number, count: number, groups: TieGroups): void {
    const { values, cmc } = this.#evidence;
    const tied = isTied(groups);
    const best = extremeRanks(groups, "optimistic");
    addStep(cmc.optimistic!, best[0]!);
    if (!tied) {
      this.#judge(["optimistic", "pessimistic", "expected"], query, count, best);
      addStep(cmc.pessimistic!, best[0]!);
      addStep(cmc.expected!, best[0]!);
      return;
    }
    const worst = extremeRanks(groups, "pessimistic");
    this.#judge(["optimistic"], query, count, best);
    this.#judge(["pessimistic"], query, count, worst);
    addStep(cmc.pessimistic!, worst[0]!);
    const { rules, scored, cmcLength } = this.#settings;
    for (const { name, metric, k } of scored)
      values.expected!.of[name]![query] = metric.ofTies(groups, { k, count, rules });
    values.expected!.firstRank[query] = expectedFirstRank(groups);
    for (let k = 1; k <= cmcLength; k++) cmc.expected![k - 1]! += expectedHit(groups, k);
    if (best[0] === 1 && worst[0]! > 1) this.#evidence.undecidedFirst++;
  }

  #judge(orders: readonly Order[], query: number, count: number, ranks: Float64Array): void {
    const { rules, scored } = this.#settings;
    const values = orders.map((order) => this.#evidence.values[order]!);
    for (const { name, metric, k } of scored) {
      const value = metric.ofRanks(ranks, { k, count, rules });
      for (const { of } of values) of[name]![query] = value;
    }
    for (const { firstRank } of values) firstRank[query] = ranks[0]!;
  }
}

function emptyValues(count: number, scored: readonly MetricScore[]): QueryValues {
  return {
    of: Object.fromEntries(scored.map(({ name }) => [name, new Float64Array(count)])),
    firstRank: new Float64Array(count),
  };
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

function addStep(curve: Float64Array, firstRank: number): void {
  for (let k = firstRank; k <= curve.length; k++) curve[k - 1]!++;
}
