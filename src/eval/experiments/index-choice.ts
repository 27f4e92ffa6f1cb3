import { UserError } from "../../pipeline/errors.js";
import { openIndex } from "../../pipeline/index/engine.js";
import type { Codes, IndexMetric, Neighbours, Protocol, Vectors } from "../../pipeline/types.js";
import { isCodes, rowCount } from "../../pipeline/types.js";
import type { ExperimentConfig, IndexMeasurement } from "../config/config.js";
import { allowance, judgeNeighbours } from "../metrics/index/neighbour-hits.js";
import {
  float32Rounding,
  neighbourRecall,
  type NeighbourRecallOptions,
  rescore,
  withoutOwn,
} from "../metrics/index/neighbour-recall.js";
import { timingLoop } from "../observe/loop-time.js";
import type { Resources } from "../observe/resources.js";
import type { CellContext, CellOutcome, CellPlan } from "./cell.js";
import { compareIndexes, type ComparedIndex } from "./index-comparison.js";
import { clusterNumbers } from "../stats/bootstrap.js";
import { shareOf } from "../stats/clusters.js";
import type { RecordedScore } from "../record/record.js";
import { named } from "../stats/score.js";
import { timingFindings } from "./model-cost.js";
import {
  buildIndex,
  codedNotes,
  encode,
  indexPoints,
  pointName,
  timeQueries,
  timeScores,
  type BuiltIndex,
  type CodeRule,
  type IndexPoint,
} from "./index-points.js";
import { fileSources } from "./sources.js";
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
    sources: fileSources(() => source.files(), resources),
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
      sources: fileSources(() => source.files(), resources),
      measure: (context) => bench.compare(compared, rounds, context),
    },
  ];
}

function kindOf(codes: CodeRule): "real" | "binary" {
  return codes === "real" ? "real" : "binary";
}

/** What an index found for queries among rows. */
interface Searched {
  readonly found: Neighbours;
  readonly queries: Vectors | Codes;
  readonly rows: Vectors | Codes;
  readonly metric: IndexMetric;
}

/** The vectors under one rule for codes, with their exact neighbours. */
interface Encoded {
  readonly codes: CodeRule;
  readonly rows: Vectors | Codes;
  readonly queries: Vectors | Codes;
  readonly exact: Neighbours;
  /** By the real vectors, where the rows are codes of them. */
  readonly real: Neighbours | null;
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
  #coded: Encoded | undefined;
  #real: Neighbours | undefined;
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
    const { rows, queries, exact, real } = await this.#encoded(codes, most);
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
    const drawing = { level, clusters: byLabel(labels) };
    const recallOf = this.#recalls(set, { found, queries, rows, metric }, exact, real, drawing);
    const timesMs = await timingLoop(() => timeQueries(index, queries, k));
    progress(4, 4);
    return {
      versions: { index: index.version, vectors: set.version },
      scores: [
        ...ks.flatMap(recallOf),
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
      notes: [...set.notes, ...codedNotes(rows), ...notes],
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

  /**
   * Neighbour recall at k: against the exact neighbours by the vectors that are searched and, where
   * these are codes of real ones, first against the exact neighbours by the real vectors: what
   * stands beside real indexes.
   */
  #recalls(
    { gallery, queries: asked, leaveOneOut }: VectorSet,
    { found, queries, rows, metric }: Searched,
    exact: Neighbours,
    real: Neighbours | null,
    drawing: Pick<NeighbourRecallOptions, "level" | "clusters">,
  ): (k: number) => RecordedScore[] {
    const others = (n: Neighbours): Neighbours => (leaveOneOut ? withoutOwn(n) : n);
    const against = (
      truth: Neighbours,
      [ask, held]: readonly [Vectors | Codes, Vectors | Codes],
      by: IndexMetric,
      of?: Record<string, string>,
    ) => {
      const near = others(by === metric ? found : rescore(found, ask, held, by));
      const options = { metric: by, rounding: float32Rounding(ask, held, by), ...drawing };
      return (k: number): RecordedScore =>
        named(
          { metric: `neighbour-recall@${k}`, unit: "ratio", better: "higher", ...(of && { of }) },
          neighbourRecall(near, others(truth), { k, ...options }).recall,
        );
    };
    if (real === null) {
      const own = against(exact, [queries, rows], metric);
      return (k) => [own(k)];
    }
    const [reals, codes] = [
      against(real, [asked, gallery], "inner-product", { neighbours: "of the real vectors" }),
      against(exact, [queries, rows], metric, { neighbours: "of the codes" }),
    ];
    return (k) => [reals(k), codes(k)];
  }

  async #encoded(codes: CodeRule, ask: number): Promise<Encoded> {
    if (this.#coded?.codes === codes) return this.#coded;
    const { gallery, queries: asked } = this.#set!;
    const rows = encode(gallery, codes);
    const queries = asked === gallery ? rows : encode(asked, codes);
    const most = Math.min(ask, rowCount(rows));
    const coded = isCodes(rows) && !isCodes(gallery);
    const exact = await exactNeighbours(queries, rows, most);
    if (coded) this.#real ??= await exactNeighbours(asked, gallery, most);
    this.#coded = { codes, rows, queries, exact, real: coded ? this.#real! : null };
    return this.#coded;
  }

  async #index(codes: CodeRule, point: IndexPoint, rows: Vectors | Codes): Promise<BuiltIndex> {
    const key = JSON.stringify([codes, point.engine, point.factory]);
    if (this.#built?.key === key) return this.#built.index;
    this.close();
    this.#built = { key, index: await buildIndex(rows, point, this.#protocol) };
    return this.#built.index;
  }
}

async function exactNeighbours(
  queries: Vectors | Codes,
  rows: Vectors | Codes,
  k: number,
): Promise<Neighbours> {
  const binary = isCodes(rows);
  const oracle = await openIndex({
    engine: "faiss",
    factory: binary ? "BFlat" : "Flat",
    kind: binary ? "binary" : "real",
    dim: binary ? rows.bits : rows.dim,
    metric: binary ? "hamming" : "inner-product",
  });
  try {
    await oracle.add(rows);
    return rescore(await oracle.search(queries, k), queries, rows, oracle.metric);
  } finally {
    oracle.close();
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
