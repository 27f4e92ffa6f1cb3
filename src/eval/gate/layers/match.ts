import { cosine } from "../agreement/vectors.js";
import { anchorClass, type Skeleton, type Step } from "./skeleton.js";

/** Two steps that compute the same thing in the two graphs. */
export interface StepPair {
  readonly baseline: Step;
  readonly candidate: Step;
  /** The whole layer was rearranged (folded, fused): only its end is comparable. */
  readonly wholeLayer: boolean;
}

export interface GraphMatch {
  /** In the baseline's order. */
  readonly pairs: readonly StepPair[];
  /** Steps of the baseline behind which the candidate's graph ends already. */
  readonly missing: readonly Step[];
  /** Layers of one side that the other has not. */
  readonly unmatched: { readonly baseline: readonly Step[]; readonly candidate: readonly Step[] };
}

/**
 * Pairs the layers of two graphs by topology and shape; names are not looked at. Both graphs are
 * walked at once: a layer's partner does the same to values that are already paired, with weights
 * of the same shape. Where several do, the one with the likest weights is taken.
 */
export function matchGraphs(baseline: Skeleton, candidate: Skeleton): GraphMatch {
  const walk = new Walk(baseline, candidate);
  walk.run();
  const { layers } = walk;
  const pairs = [...layers.values()].flatMap(({ first, second }) => pairLayer(first, second));
  const place = new Map(baseline.steps.map((step, i) => [step, i]));
  pairs.sort((a, b) => place.get(a.baseline)! - place.get(b.baseline)!);
  const outputs = new Set(candidate.model.graph.outputs.map((o) => o.name));
  const missing = [...layers.values()].flatMap(({ first, second }) => {
    const end = second.at(-1);
    if (!end || !outputs.has(end.output) || first.length === 0) return [];
    const paired = new Set(pairs.map((p) => p.baseline));
    const last = first.findLastIndex((step) => paired.has(step));
    return first.slice(last + 1).filter((step) => step.role !== "passing");
  });
  return { pairs, missing, unmatched: walk.unmatched };
}

interface Layer {
  readonly first: Step[];
  readonly second: Step[];
}

interface Side {
  readonly skeleton: Skeleton;
  /** The layer of each value. */
  readonly layerOf: Map<string, number>;
  open: Step[];
}

class Walk {
  readonly layers = new Map<number, Layer>();
  readonly unmatched = { baseline: [] as Step[], candidate: [] as Step[] };
  readonly #sides: readonly [Side, Side];
  #next = 0;

  constructor(baseline: Skeleton, candidate: Skeleton) {
    const side = (skeleton: Skeleton): Side => {
      const layerOf = new Map<string, number>();
      // Inputs in the order of rank: the picture first, whatever its name.
      const inputs = [...skeleton.model.graph.inputs];
      inputs.sort((a, b) => (b.shape?.length ?? 4) - (a.shape?.length ?? 4));
      inputs.forEach(({ name }, i) => layerOf.set(name, -1 - i));
      return { skeleton, layerOf, open: [...skeleton.steps] };
    };
    this.#sides = [side(baseline), side(candidate)];
  }

  run(): void {
    for (;;) {
      const [first, second] = [this.#ready(this.#sides[0], 0), this.#ready(this.#sides[1], 1)];
      if (first.size === 0 && second.size === 0) return;
      for (const key of new Set([...first.keys(), ...second.keys()])) {
        this.#pair(first.get(key) ?? [], second.get(key) ?? []);
      }
    }
  }

  /** Puts what lies between layers into its layer; the layers that can be paired next, by key. */
  #ready(side: Side, which: 0 | 1): Map<string, Step[]> {
    const ready = new Map<string, Step[]>();
    const open: Step[] = [];
    for (const step of side.open) {
      const ids = step.data.map((name) => side.layerOf.get(name));
      if (ids.some((id) => id === undefined)) {
        open.push(step);
        continue;
      }
      const distinct = [...new Set(ids as number[])];
      if (step.role !== "anchor" && distinct.length <= 1) {
        this.#put(side, which, step, distinct[0] ?? -1);
        continue;
      }
      open.push(step);
      const key = keyOf(side.skeleton, step, ids as number[]);
      const list = ready.get(key);
      if (list) list.push(step);
      else ready.set(key, [step]);
    }
    side.open = open;
    return ready;
  }

  #put(side: Side, which: 0 | 1, step: Step, id: number): void {
    for (const output of step.node.outputs) side.layerOf.set(output, id);
    const layer = this.layers.get(id) ?? { first: [], second: [] };
    this.layers.set(id, layer);
    (which === 0 ? layer.first : layer.second).push(step);
  }

  #pair(first: readonly Step[], second: readonly Step[]): void {
    const taken = new Set<Step>();
    const [a, b] = this.#sides;
    const begin = (step: Step, which: 0 | 1, id: number): void => {
      const side = this.#sides[which];
      side.open = side.open.filter((s) => s !== step);
      this.#put(side, which, step, id);
    };
    for (const { one, other } of likestPairs(a.skeleton, first, b.skeleton, second)) {
      const id = this.#next++;
      begin(one, 0, id);
      begin(other, 1, id);
      taken.add(one).add(other);
    }
    for (const [which, list] of [first, second].entries()) {
      for (const step of list.filter((s) => !taken.has(s))) {
        begin(step, which as 0 | 1, this.#next++);
        this.unmatched[which === 0 ? "baseline" : "candidate"].push(step);
      }
    }
  }
}

function keyOf(skeleton: Skeleton, step: Step, ids: readonly number[]): string {
  const kind = anchorClass(step.op);
  const commutes = ["Add", "Mul", "Max", "Min", "Sum"].includes(step.op);
  const inputs = commutes ? [...ids].sort((a, b) => a - b) : ids;
  const weights = weightOf(skeleton, step);
  // A matrix may stand either way round; what else is of another shape is another layer.
  const shape = kind === "Dense" ? weights?.values.length : weights?.dims;
  return JSON.stringify([kind, inputs, shape ?? null]);
}

/** The weights of a step: the constant that its operator learns, dequantised. */
export function weightOf({ constants }: Skeleton, { op, node, data }: Step) {
  const kind = anchorClass(op);
  if (kind !== "Conv" && kind !== "ConvTranspose" && kind !== "Dense") return null;
  const own = node.inputs.filter((name) => name !== "" && !data.includes(name));
  return constants.value(op === "QLinearConv" || op === "QLinearMatMul" ? node.inputs[3] : own[0]);
}

/** Greedy, the likest weights first; what has none, or equal ones, in the order of the graphs. */
function likestPairs(
  a: Skeleton,
  first: readonly Step[],
  b: Skeleton,
  second: readonly Step[],
): { one: Step; other: Step }[] {
  if (first.length === 1 && second.length === 1) return [{ one: first[0]!, other: second[0]! }];
  const likeness = (one: Step, other: Step): number => {
    const [x, y] = [weightOf(a, one), weightOf(b, other)];
    return x && y && x.values.length === y.values.length ? (cosine(x.values, y.values) ?? -1) : 0;
  };
  const all = first.flatMap((one, i) =>
    second.map((other, j) => ({ one, other, i, j, like: likeness(one, other) })),
  );
  all.sort((p, q) => q.like - p.like || Math.abs(p.i - p.j) - Math.abs(q.i - q.j) || p.i - q.i);
  const used = new Set<Step>();
  return all.filter(({ one, other }) => {
    if (used.has(one) || used.has(other)) return false;
    used.add(one).add(other);
    return true;
  });
}

/** The steps of one layer, one by one where both sides have the same, else from the end. */
function pairLayer(first: readonly Step[], second: readonly Step[]): StepPair[] {
  const seen = (steps: readonly Step[]) => steps.filter((s) => s.role !== "passing");
  const [a, b] = [seen(first), seen(second)];
  if (a.length === 0 || b.length === 0) return [];
  const name = (step: Step): string => anchorClass(step.op);
  if (a.length === b.length && a.every((step, i) => name(step) === name(b[i]!))) {
    return a.map((baseline, i) => ({ baseline, candidate: b[i]!, wholeLayer: false }));
  }
  if (a.length === b.length) {
    // One operator stands for another: each is compared, the other one comes out by its values.
    return a.map((baseline, i) => ({ baseline, candidate: b[i]!, wholeLayer: false }));
  }
  // What only one side has at the end: folded into the layer, or left out.
  const common = Math.min(a.length, b.length);
  const begins = a.slice(0, common).every((step, i) => name(step) === name(b[i]!));
  const tail = [...a.slice(common), ...b.slice(common)];
  if (begins && !tail.some(({ op }) => foldable.has(op))) {
    return a.slice(0, common).map((baseline, i) => ({
      baseline,
      candidate: b[i]!,
      wholeLayer: false,
    }));
  }
  return pairFromEnd(a, b, name);
}

/** Operators that an export folds into the weights before them. */
const foldable = new Set(["BatchNormalization", "Mul", "Add", "Sub", "Div"]);

function pairFromEnd(
  a: readonly Step[],
  b: readonly Step[],
  name: (step: Step) => string,
): StepPair[] {
  const pairs: StepPair[] = [];
  let back = 1;
  while (back <= a.length && back <= b.length) {
    const [baseline, candidate] = [a.at(-back)!, b.at(-back)!];
    pairs.push({ baseline, candidate, wholeLayer: true });
    if (name(baseline) !== name(candidate)) break;
    back++;
  }
  return pairs.reverse();
}
