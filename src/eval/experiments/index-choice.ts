import { UserError } from "../../pipeline/errors.js";
import { openIndex } from "../../pipeline/index/engine.js";
import type { Codes, Neighbours, Protocol, Vectors } from "../../pipeline/types.js";
import { isCodes, rowCount } from "../../pipeline/types.js";
import type { ExperimentConfig, IndexMeasurement } from "../config/config.js";
import { allowance, judgeNeighbours } from "../metrics/index/neighbour-hits.js";
import {
  float32Rounding,
  neighbourRecall,
  rescore,
  withoutOwn,
} from "../metrics/index/neighbour-recall.js";
import { timingLoop } from "../observe/loop-time.js";
import type { Resources } from "../observe/resources.js";
import type { CellContext, CellOutcome, CellPlan } from "./cell.js";
import { compareIndexes, type ComparedIndex } from "./index-comparison.js";
import { clusterNumbers } from "../stats/bootstrap.js";
import { shareOf } from "../stats/clusters.js";
import { named } from "../stats/score.js";
import { timingFindings } from "./model-cost.js";
import {
  buildIndex,
  encode,
  indexPoints,
  pointName,
  timeQueries,
  timeScores,
  type BuiltIndex,
  type CodeRule,
  type IndexPoint,
} from "./index-points.js";
import { vectorSource, type VectorSet, type VectorSource } from "./index-vectors.js";

/**
 * Indexes on vectors that are drawn or come from files: size, build time, time of a query,
 * neighbour recall and label recall.
 */
export function planIndexChoice(
  m: IndexMeasurement,
  { table, protocol }: Pick<ExperimentConfig, "table" | "protocol">,
  resources: Resources,
): CellPlan[] {
  const source = vectorSource(m, protocol, resources);
  const bench = new IndexBench(source, m.k, protocol);
  resources.atClose(() => {
    bench.close();
  });
  const rules = m.features?.packed ? (["own"] as const) : m.codes;
  const compared = rules.flatMap((codes) =>
    m.indexes.flatMap(indexPoints).map((point): ComparedIndex => ({
      name: `${kindOf(codes)} ${pointName(point, codes)}`,
      codes,
      point,
    })),
  );
  const cells = compared.map(({ codes, point }): CellPlan => ({
    kind: "index",
    labels: {
      vectors: source.name,
      codes: kindOf(codes),
      index: pointName(point, codes),
      ...Object.fromEntries(
        Object.entries(point.parameters).map(([name, value]) => [name, String(value)]),
      ),
    },
    measure: (context) => bench.measure(codes, point, context),
  }));
  if (!m.comparison) return cells;
  const { rounds } = m.comparison;
  const beside = table === undefined ? {} : { paperTable: String(table) };
  const names = compared.map((c) => c.name).join(", ");
  return [
    ...cells,
    {
      kind: "index-comparison",
      labels: { vectors: source.name, indexes: names, ...beside },
      measure: (context) => bench.compare(compared, rounds, context),
    },
  ];
}

function kindOf(codes: CodeRule): "real" | "binary" {
  return codes === "real" ? "real" : "binary";
}

/**
 * Draws or reads the vectors once, searches them exactly once for each kind of code, and keeps an
 * index while only its run-time parameters change.
 */
class IndexBench {
  readonly #source: VectorSource;
  readonly #ks: readonly number[];
  readonly #protocol: Protocol;
  #set: VectorSet | undefined;
  #coded:
    | { codes: CodeRule; rows: Vectors | Codes; queries: Vectors | Codes; exact: Neighbours }
    | undefined;
  #built: { key: string; index: BuiltIndex } | undefined;

  constructor(source: VectorSource, ks: readonly number[], protocol: Protocol) {
    this.#source = source;
    this.#ks = ks;
    this.#protocol = protocol;
  }

  async measure(
    codes: CodeRule,
    point: IndexPoint,
    { signal, progress, intervals }: CellContext,
  ): Promise<CellOutcome> {
    const ks = this.#ks;
    const k = Math.max(...ks);
    const set = (this.#set ??= await this.#source.load());
    progress(1, 4);
    const { leaveOneOut } = set;
    requireNeighbours(k, rowCount(set.gallery) - Number(leaveOneOut));
    const most = k + allowance(set.queryLabels, set.labels, leaveOneOut);
    const { rows, queries, exact } = await this.#encoded(codes, most);
    const ask = Math.min(most, rowCount(rows));
    signal.throwIfAborted();
    progress(2, 4);
    const { index, scores, notes } = await this.#index(codes, point, rows);
    if (Object.keys(point.parameters).length > 0) index.set(point.parameters);
    signal.throwIfAborted();
    progress(3, 4);
    const { metric } = index;
    const { level } = intervals;
    const byLabel = (labels: readonly string[]): Int32Array =>
      clusterNumbers(intervals.clusters === "label" ? labels : labels.map((_, i) => String(i)));
    const found = rescore(await index.search(queries, ask), queries, rows, metric);
    const hits = judgeNeighbours(found, set.queryLabels, set.labels, { k, leaveOneOut });
    const labels = set.queryLabels.map(({ label }) => label);
    const answerable = hits.flatMap((hit, i) =>
      hit.answerable ? [{ hit, label: labels[i]! }] : [],
    );
    const near = leaveOneOut
      ? { found: withoutOwn(found), exact: withoutOwn(exact) }
      : { found, exact };
    const rounding = float32Rounding(queries, rows, index.metric);
    const timesMs = await timingLoop(() => timeQueries(index, queries, k));
    progress(4, 4);
    return {
      versions: { index: index.version, vectors: set.version },
      scores: [
        ...ks.map((k) =>
          named(
            { metric: `neighbour-recall@${k}`, unit: "ratio", better: "higher" },
            neighbourRecall(near.found, near.exact, {
              k,
              metric,
              rounding,
              level,
              clusters: byLabel(labels),
            }).recall,
          ),
        ),
        ...ks.map((k) =>
          named(
            { metric: `label-recall@${k}`, unit: "ratio", better: "higher" },
            shareOf(
              answerable.map(({ hit }) => Number(hit.rank !== null && hit.rank < k)),
              byLabel(answerable.map(({ label }) => label)),
              level,
            ),
          ),
        ),
        ...scores,
        ...timeScores(timesMs, level),
      ],
      findings: timingFindings({ search: timesMs }),
      notes: [...set.notes, ...notes],
      cases: [],
      samples: { retrieval: timesMs },
    };
  }

  /** Every index of the sweep in the same rounds. */
  async compare(
    compared: readonly ComparedIndex[],
    rounds: number,
    context: CellContext,
  ): Promise<CellOutcome> {
    this.close(); // an index of its own for each: what was kept would be in memory twice
    const set = (this.#set ??= await this.#source.load());
    const k = Math.max(...this.#ks);
    requireNeighbours(k, rowCount(set.gallery));
    return compareIndexes(compared, set, { rounds, k, protocol: this.#protocol }, context);
  }

  close(): void {
    this.#built?.index.index.close();
    this.#built = undefined;
  }

  async #encoded(
    codes: CodeRule,
    ask: number,
  ): Promise<{ rows: Vectors | Codes; queries: Vectors | Codes; exact: Neighbours }> {
    if (this.#coded?.codes === codes) return this.#coded;
    const { gallery, queries: asked } = this.#set!;
    const rows = encode(gallery, codes);
    const queries = asked === gallery ? rows : encode(asked, codes);
    const kind = isCodes(rows) ? "binary" : "real";
    const oracle = await openIndex({
      engine: "faiss",
      factory: kind === "real" ? "Flat" : "BFlat",
      kind,
      dim: isCodes(rows) ? rows.bits : rows.dim,
      metric: kind === "real" ? "inner-product" : "hamming",
    });
    try {
      await oracle.add(rows);
      const exact = rescore(
        await oracle.search(queries, Math.min(ask, rowCount(rows))),
        queries,
        rows,
        oracle.metric,
      );
      this.#coded = { codes, rows, queries, exact };
      return this.#coded;
    } finally {
      oracle.close();
    }
  }

  async #index(codes: CodeRule, point: IndexPoint, rows: Vectors | Codes): Promise<BuiltIndex> {
    const key = JSON.stringify([codes, point.engine, point.factory]);
    if (this.#built?.key === key) return this.#built.index;
    this.close();
    this.#built = { key, index: await buildIndex(rows, point, this.#protocol) };
    return this.#built.index;
  }
}

function requireNeighbours(k: number, there: number): void {
  if (k <= there) return;
  throw new UserError({
    code: "k-too-large",
    message: "no query has so many neighbours",
    path: "k",
    expected: `${there} at most`,
    found: String(k),
    fix: "ask for fewer, or take a larger gallery",
  });
}
