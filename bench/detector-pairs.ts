import type { CocoDetections, CocoTruth } from "../datasets/formats/coco-set.js";
import { evaluateCoco, type CocoMatches } from "../src/eval/metrics/coco/coco.js";
import { Random } from "../src/eval/stats/random.js";

/** Two detectors of the same pictures, for a gate's simulation. */
export interface PairedPopulation {
  /** Share of the boxes that the candidate places and scores anew, no better and no worse. */
  readonly redrawn: number;
  /** Share of the boxes that the candidate loses. */
  readonly drop?: number;
}

interface Rows {
  readonly image: number[];
  readonly box: number[];
  readonly score: number[];
}

const noRows = (): Rows => ({ image: [], box: [], score: [] });

/** Draws both on the same pictures of one class: in hard ones more is missed, at lower scores. */
export function drawPair(
  random: Random,
  images: number,
  { redrawn, drop = 0 }: PairedPopulation,
): [baseline: CocoMatches, candidate: CocoMatches] {
  const truth = noRows();
  const sides: [Rows, Rows] = [noRows(), noRows()];
  for (let image = 0; image < images; image++) {
    const hardness = random.next();
    for (let j = 1 + random.below(5); j > 0; j--) {
      truth.image.push(image);
      truth.box.push(150 * j, 0, 100, 100);
      const drawn = () => ({
        found: random.next() < 0.95 - 0.5 * hardness,
        height: 100 * (1 - 0.6 * random.next() ** 2),
        score: random.next() * (1 - 0.4 * hardness),
      });
      const first = drawn();
      const second = random.next() < redrawn ? drawn() : first;
      const lost = random.next() < drop;
      add(sides[0], first.found, image, [150 * j, 0, 100, first.height], first.score);
      add(sides[1], second.found && !lost, image, [150 * j, 0, 100, second.height], second.score);
      const ghost = random.next() ** 2;
      const seen = random.next() < 0.5;
      for (const side of sides) add(side, seen, image, [150 * j, 500, 100, 100], ghost);
    }
  }
  return [matches(truth, sides[0], images), matches(truth, sides[1], images)];
}

function add(rows: Rows, found: boolean, image: number, box: number[], score: number): void {
  if (!found) return;
  rows.image.push(image);
  rows.box.push(...box);
  rows.score.push(score);
}

function matches(truth: Rows, found: Rows, images: number): CocoMatches {
  const n = truth.image.length;
  const set: CocoTruth = {
    images: Array.from({ length: images }, (_, id) => ({
      id,
      width: 0,
      height: 0,
      fileName: null,
    })),
    categories: [{ id: 0, name: "object" }],
    image: Int32Array.from(truth.image),
    category: new Int32Array(n),
    box: Float64Array.from(truth.box),
    area: new Float64Array(n).fill(10_000),
    crowd: new Uint8Array(n),
    ignore: new Uint8Array(n),
    id: Float64Array.from({ length: n }, (_, g) => g + 1),
    notes: [],
  };
  const detections: CocoDetections = {
    image: Int32Array.from(found.image),
    category: new Int32Array(found.image.length),
    box: Float64Array.from(found.box),
    score: Float64Array.from(found.score),
    notes: [],
  };
  const areas = [{ name: "all", min: 0, max: 1e10 }];
  return evaluateCoco(set, detections, { maxDets: [100], areas }).matches;
}

/** Pictures that stand for the whole population. */
const many = 20_000;

/** The share of boxes to drop for a true loss of AP, by bisection on one large sample. */
export function dropFor(
  loss: number,
  population: PairedPopulation,
  ap: (m: CocoMatches) => number,
): number {
  if (loss === 0) return 0;
  const lossOf = (drop: number): number => {
    const [first, second] = drawPair(new Random("population"), many, { ...population, drop });
    return ap(first) - ap(second);
  };
  const usual = lossOf(0);
  let [low, high] = [0, 0.5];
  for (let step = 0; step < 12; step++) {
    const middle = (low + high) / 2;
    if (lossOf(middle) - usual < loss) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
