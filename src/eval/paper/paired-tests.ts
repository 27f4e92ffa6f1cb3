import { evaluateCoco } from "../metrics/coco/coco.js";
import { apStatistic } from "../metrics/coco/coco-resample.js";
import type { Case } from "../record/case.js";
import type { Cell } from "../record/record.js";
import { clusterNumbers } from "../stats/bootstrap.js";
import { clusteredPair } from "../stats/clusters.js";
import { normalCdf } from "../stats/distributions.js";
import { defaultIntervals } from "../stats/interval-plan.js";
import { Random } from "../stats/random.js";
import { caseDetections } from "./case-detections.js";

/** A cell's answers, for a metric of it. */
export interface Evidence {
  readonly cell: Cell;
  readonly cases: readonly Case[];
  readonly metric: string;
}

export interface PairedTest {
  /** First less second. */
  readonly difference: number;
  /** Two-sided. */
  readonly p: number;
  readonly test: string;
}

/** Draws of the pictures: enough for a standard error within 5%. */
const resamples = 200;

/** AP of a cell on its pictures, and on each draw of them. */
interface Replicates {
  readonly value: number;
  readonly drawn: Float64Array;
}

/** Tests of two cells on the items that both hold; what is resampled of a cell is kept. */
export class PairedTests {
  readonly #replicates = new Map<Cell, Replicates | null>();

  /** The test, or why none is possible. */
  test(first: Evidence, second: Evidence): PairedTest | string {
    const items = pairItems(first.cases, second.cases);
    if (typeof items === "string") return items;
    return first.metric === "AP"
      ? this.#averagePrecision(first, second, items)
      : hits(first.metric, items);
  }

  /**
   * The pictures are drawn alike for both, so that what they have in common cancels; p by the
   * normal distribution of the difference over its bootstrap standard error, as shares of few draws
   * cannot be small enough for a whole table.
   */
  #averagePrecision(a: Evidence, b: Evidence, items: readonly Items[]): PairedTest | string {
    const [one, other] = [a, b].map(({ cell }, side) =>
      this.#replicatesOf(
        cell,
        items.map((pair) => pair[side]!),
      ),
    );
    if (!one || !other) return "its cases hold no true boxes";
    const difference = one.value - other.value;
    const spread = deviation(one.drawn.map((v, r) => v - other.drawn[r]!));
    const z = spread > 0 ? Math.abs(difference) / spread : 0;
    const p = 2 * (1 - normalCdf(z));
    return { difference, p, test: "paired bootstrap of pictures" };
  }

  #replicatesOf(cell: Cell, rows: readonly Case[]): Replicates | null {
    const known = this.#replicates.get(cell);
    if (known !== undefined) return known;
    const made = replicatesOf(rows, cell.labels.classes === "agnostic");
    this.#replicates.set(cell, made);
    return made;
  }
}

type Items = readonly [Case, Case];

/**
 * Rows of the same item, in the order of their names, whichever two cells they are of; the nth of
 * an item that is listed more often goes with the nth.
 */
function pairItems(first: readonly Case[], second: readonly Case[]): Items[] | string {
  const others = new Map(numbered(second));
  const own = numbered(first).sort(([a], [b]) => (a < b ? -1 : 1));
  const pairs = own.flatMap(([key, row]): Items[] => {
    const other = others.get(key);
    return other?.truth === row.truth ? [[row, other]] : [];
  });
  const same = pairs.length === first.length && pairs.length === second.length;
  return same && pairs.length > 0 ? pairs : "the two were not measured on the same items";
}

function numbered(rows: readonly Case[]): [string, Case][] {
  const seen = new Map<string, number>();
  return rows.map((row) => {
    const count = seen.get(row.item) ?? 0;
    seen.set(row.item, count + 1);
    return [`${count}/${row.item}`, row];
  });
}

/** McNemar's test, items of one label taken together. */
function hits(metric: string, items: readonly Items[]): PairedTest | string {
  const judged = items.filter(([x, y]) => x.outcome !== "none" || y.outcome !== "none");
  const hit = hitOf(metric, judged);
  if (hit === null) return `cases do not say what ${metric} counts`;
  const units = clusterNumbers(judged.map(([{ truth }], i) => truth ?? `item ${i}`));
  const right = (side: 0 | 1): number[] => judged.map((pair) => Number(hit(pair[side])));
  const found = clusteredPair(right(0), right(1), units, defaultIntervals.level);
  if (found === null) return "all items are of one label";
  return { difference: found.difference, p: found.p, test: "McNemar" };
}

/** Whether a case is a hit within the metric's k; null where cases do not say so. */
function hitOf(metric: string, judged: readonly Items[]): ((row: Case) => boolean) | null {
  const k = Number(/^(?:recall@|top-)(\d+)$/.exec(metric)?.[1]);
  if (k === 1) return ({ outcome }) => outcome === "hit";
  const ranked = judged.some((pair) => pair.every(({ rank }) => rank !== null));
  return k > 1 && ranked ? ({ rank }) => rank !== null && rank < k : null;
}

function replicatesOf(rows: readonly Case[], agnostic: boolean): Replicates | null {
  const boxes = caseDetections(rows);
  if (boxes === null) return null;
  const { matches } = evaluateCoco(boxes.truth, boxes.detections, { agnostic });
  const statistic = apStatistic(matches);
  const weights = new Uint32Array(rows.length).fill(1);
  const value = statistic.evaluate(weights) ?? 0;
  const random = new Random("orderings");
  const drawn = Float64Array.from({ length: resamples }, () => {
    random.resample(weights);
    return statistic.evaluate(weights) ?? 0;
  });
  return { value, drawn };
}

function deviation(values: Float64Array): number {
  const mean = values.reduce((s, v) => s + v, 0) / values.length;
  const squares = values.reduce((s, v) => s + (v - mean) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}
