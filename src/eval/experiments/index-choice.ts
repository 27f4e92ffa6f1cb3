import { openIndex } from "../../pipeline/index/engine.js";
import type { Codes, Neighbours, Protocol, Vectors } from "../../pipeline/types.js";
import { isCodes, rowCount } from "../../pipeline/types.js";
import type { IndexMeasurement } from "../config.js";
import { judgeNeighbours, type LabelledRow } from "../metrics/neighbour-hits.js";
import { neighbourRecall, rescore } from "../metrics/neighbour-recall.js";
import type { RecordedScore } from "../record.js";
import type { Resources } from "../resources.js";
import type { CellContext, CellOutcome, CellPlan } from "./cell.js";
import { wilson } from "../stats/proportion.js";
import { Random } from "../stats/random.js";
import { buildIndex, encode, indexPoints, pointName, timeQueries, timeScores, type BuiltIndex, type CodeRule, type IndexPoint } from "./index-points.js";

type Spec = IndexMeasurement["vectors"];

/** Indexes on vectors that are drawn, not embedded: size, build time, time of a query, neighbour recall and label recall. */
export function planIndexChoice(m: IndexMeasurement, protocol: Protocol, resources: Resources): CellPlan[] {
  const bench = new IndexBench(m, protocol);
  resources.atClose(() => { bench.close(); });
  return m.codes.flatMap((codes) => m.indexes.flatMap(indexPoints).map((point): CellPlan => ({
    kind: "index",
    labels: {
      vectors: `${m.vectors.rows} x ${m.vectors.dim}`,
      codes: codes === "real" ? "real" : "binary",
      index: pointName(point, codes),
      ...Object.fromEntries(Object.entries(point.parameters).map(([name, value]) => [name, String(value)])),
    },
    measure: (context) => bench.measure(codes, point, context),
  })));
}

/** Draws the vectors once, searches them exactly once for each kind of code, and keeps an index while only its run-time parameters change. */
class IndexBench {
  readonly #m: IndexMeasurement;
  readonly #protocol: Protocol;
  #drawn: Drawn | undefined;
  #coded: { codes: CodeRule; rows: Vectors | Codes; queries: Vectors | Codes; exact: Neighbours } | undefined;
  #built: { key: string; index: BuiltIndex } | undefined;

  constructor(m: IndexMeasurement, protocol: Protocol) {
    this.#m = m;
    this.#protocol = protocol;
  }

  async measure(codes: CodeRule, point: IndexPoint, { signal, progress }: CellContext): Promise<CellOutcome> {
    const { k: ks, vectors } = this.#m;
    const k = Math.max(...ks);
    this.#drawn ??= drawVectors(vectors);
    progress(1, 4);
    const { rows, queries, exact } = await this.#encoded(codes, k);
    signal.throwIfAborted();
    progress(2, 4);
    const { index, scores, notes } = await this.#index(codes, point, rows);
    if (Object.keys(point.parameters).length > 0) index.set(point.parameters);
    signal.throwIfAborted();
    progress(3, 4);
    const found = rescore(await index.search(queries, k), queries, rows, index.metric);
    const hits = judgeNeighbours(found, this.#drawn.queryLabels, this.#drawn.labels, { k, leaveOneOut: false });
    const timesMs = await timeQueries(index, queries, k);
    progress(4, 4);
    return {
      versions: { index: index.version, vectors: JSON.stringify(vectors) },
      scores: [
        ...ks.map((at): RecordedScore => withHead({ metric: `neighbour-recall@${at}`, unit: "ratio", better: "higher" }, neighbourRecall(found, exact, { k: at, metric: index.metric }).recall, "percentile bootstrap over queries")),
        ...ks.map((at): RecordedScore => withHead({ metric: `label-recall@${at}`, unit: "ratio", better: "higher" }, wilson(hits.filter((h) => h.rank !== null && h.rank < at).length, hits.length), "Wilson")),
        ...scores,
        ...timeScores(timesMs),
      ],
      notes,
      cases: [],
      samples: { retrieval: timesMs },
    };
  }

  close(): void {
    this.#built?.index.index.close();
    this.#built = undefined;
  }

  async #encoded(codes: CodeRule, k: number): Promise<{ rows: Vectors | Codes; queries: Vectors | Codes; exact: Neighbours }> {
    if (this.#coded?.codes === codes) return this.#coded;
    const { gallery, queries: drawn } = this.#drawn!;
    const rows = encode(gallery, codes);
    const queries = encode(drawn, codes);
    const kind = isCodes(rows) ? "binary" : "real";
    const oracle = await openIndex({ engine: "faiss", factory: kind === "real" ? "Flat" : "BFlat", kind, dim: isCodes(rows) ? rows.bits : rows.dim, metric: kind === "real" ? "inner-product" : "hamming" });
    try {
      await oracle.add(rows);
      const exact = rescore(await oracle.search(queries, Math.min(k, rowCount(rows))), queries, rows, oracle.metric);
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

function withHead(head: { metric: string; unit: "ratio"; better: "higher" }, score: ReturnType<typeof wilson>, method: string): RecordedScore {
  return score.value === null ? { ...head, ...score } : { ...head, value: score.value, n: score.n, ci: score.ci && [...score.ci], method };
}

interface Drawn {
  readonly gallery: Vectors;
  readonly labels: readonly LabelledRow[];
  readonly queries: Vectors;
  readonly queryLabels: readonly LabelledRow[];
}

/**
 * Unit vectors around random centres, a label a centre: normalise(centre + spread * noise), both of unit length in expectation. Gallery
 * and queries are drawn alike, from streams of their own.
 */
export function drawVectors({ rows, dim, queries, labels, spread, seed }: Spec): Drawn {
  const centres = new Float32Array(labels * dim);
  const random = new Random(`${seed}/centres`);
  for (let i = 0; i < centres.length; i++) centres[i] = random.normal();
  const draw = (n: number, stream: string): { vectors: Vectors; labels: LabelledRow[] } => {
    const source = new Random(`${seed}/${stream}`);
    const data = new Float32Array(n * dim);
    const of: LabelledRow[] = [];
    for (let row = 0; row < n; row++) {
      const label = source.below(labels);
      let squares = 0;
      for (let d = 0; d < dim; d++) {
        const x = centres[label * dim + d]! + spread * source.normal();
        data[row * dim + d] = x;
        squares += x * x;
      }
      const norm = Math.sqrt(squares);
      for (let d = 0; d < dim; d++) data[row * dim + d]! /= norm;
      of.push({ label: String(label), uid: null });
    }
    return { vectors: { data, dim }, labels: of };
  };
  const gallery = draw(rows, "gallery");
  const query = draw(queries, "queries");
  return { gallery: gallery.vectors, labels: gallery.labels, queries: query.vectors, queryLabels: query.labels };
}
