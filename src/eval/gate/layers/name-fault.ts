import { largestHalf } from "../../../pipeline/onnx/half.js";
import { plainAttributes } from "../../../pipeline/onnx/attributes.js";
import { cosine, snrDb } from "../agreement/vectors.js";
import type { ConstantValue } from "./constants.js";
import type { Divergence, LayerAgreement } from "./divergence.js";
import { weightOf } from "./match.js";
import { anchorClass, type Skeleton, type Step } from "./skeleton.js";

/** What is wrong with the first layer that diverged. */
export interface LayerFault {
  /** Stable, kebab-case. */
  readonly fault: string;
  /** A clause: "all its weights are zero". */
  readonly why: string;
}

type Weights = ConstantValue;

interface Sides<T> {
  readonly baseline: T;
  readonly candidate: T;
}

/**
 * Compares operator, attributes and constants of the two nodes; the first difference that tells.
 */
export function nameFault(divergence: Divergence): LayerFault | null {
  const { first, baseline, candidate } = divergence;
  if (!first) return null;
  const skeletons = { baseline, candidate };
  if (first.overflow) return overflowFault(first);
  return (
    operatorFault(first) ??
    attributeFault(first) ??
    weightFault(first, skeletons, divergence) ??
    constantFault(first, skeletons) ?? {
      fault: "layer-differs",
      why: "its operator and constants are alike, its values are not",
    }
  );
}

function overflowFault({ candidate }: LayerAgreement): LayerFault {
  return {
    fault: "fp16-overflow",
    why:
      `${candidate.op} gives numbers that are not finite: ` +
      `values beyond ${largestHalf} do not fit float16`,
  };
}

function operatorFault({ baseline, candidate, wholeLayer }: LayerAgreement): LayerFault | null {
  if (wholeLayer || anchorClass(baseline.op) === anchorClass(candidate.op)) return null;
  return {
    fault: "operator-changed",
    why: `the baseline has ${baseline.op} there, the candidate ${candidate.op}`,
  };
}

/** Attributes that have a fault of their own; all others are an attribute like any. */
const knownAttributes: Readonly<Record<string, string>> = {
  "HardSigmoid alpha": "hard-sigmoid-slope",
  "Conv pads": "wrong-padding",
  "Conv auto_pad": "wrong-padding",
  "MaxPool pads": "wrong-padding",
  "AveragePool pads": "wrong-padding",
};

function attributeFault({ baseline, candidate, wholeLayer }: LayerAgreement): LayerFault | null {
  if (wholeLayer || baseline.op !== candidate.op) return null;
  const [a, b] = [plainAttributes(baseline.node), plainAttributes(candidate.node)];
  const ignored = new Set(["to", "saturate"]);
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    if (ignored.has(name) || same(a[name], b[name]) || isPlain(name, a[name], b[name])) continue;
    const shown = (v: unknown): string => (v === undefined ? "nothing" : JSON.stringify(v));
    return {
      fault: knownAttributes[`${baseline.op} ${name}`] ?? "wrong-attribute",
      why: `${baseline.op} has ${name} ${shown(b[name])} for ${shown(a[name])}`,
    };
  }
  return null;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/**
 * Left out means ones for strides and dilations, zeros for pads; the kernel is its weights' size.
 */
function isPlain(name: string, a: unknown, b: unknown): boolean {
  if (name === "kernel_shape") return a === undefined || b === undefined;
  const usual = name === "pads" ? 0 : 1;
  if (!["pads", "strides", "dilations"].includes(name)) return false;
  const plain = (v: unknown) => v === undefined || (v as number[]).every((x) => x === usual);
  return plain(a) && plain(b);
}

function weightFault(
  { baseline, candidate }: LayerAgreement,
  skeletons: Sides<Skeleton>,
  divergence: Divergence,
): LayerFault | null {
  const a = weightOf(skeletons.baseline, baseline);
  const b = weightOf(skeletons.candidate, candidate);
  if (!a || !b || a.values.length !== b.values.length) return null;
  if (b.values.every((v) => v === 0)) {
    return { fault: "zeroed-layer", why: "all its weights are zero" };
  }
  if (b.values.some((v) => !Number.isFinite(v))) {
    return { fault: "fp16-overflow", why: "weights of it are not finite" };
  }
  const scales = scaleFault(a, b);
  if (scales) return scales;
  if (closeEnough(a.values, b.values)) return biasFault({ baseline, candidate }, skeletons);
  const place = placeOf(baseline, divergence);
  return (
    rearranged(rowsFirst(a, baseline), rowsFirst(b, candidate), place) ??
    scaled(a, b) ?? {
      fault: "weights-changed",
      why: `its weights are others (cosine ${(cosine(a.values, b.values) ?? 0).toFixed(4)})`,
    }
  );
}

/** Weights of one tensor-wide scale where channels need their own. */
function scaleFault(a: Weights, b: Weights): LayerFault | null {
  const channels = a.dims[0] ?? 1;
  if (b.scales !== 1 || channels < 2) return null;
  const db = snrDb(a.values, b.values);
  if (a.scales === null || a.scales > 1) {
    const loss = db === null ? "" : ` (${db.toFixed(0)} dB)`;
    return {
      fault: "per-tensor-scales",
      why: `its weights share one scale where each of ${channels} channels had its own${loss}`,
    };
  }
  return null;
}

/** Rounding of an export or of int8 aside. */
function closeEnough(a: Float64Array, b: Float64Array): boolean {
  return (snrDb(a, b) ?? 0) > 30;
}

type Place = "first" | "last" | "inner";

function placeOf(step: Step, { baseline }: Divergence): Place {
  const weighted = baseline.steps.filter((s) => weightOf(baseline, s) !== null);
  if (weighted[0] === step) return "first";
  const readers = (output: string) => baseline.steps.filter((s) => s.data.includes(output));
  // Nothing with weights comes after it.
  const open = [step.output];
  const seen = new Set<string>();
  while (open.length > 0) {
    const name = open.pop()!;
    if (seen.has(name)) continue;
    seen.add(name);
    for (const next of readers(name)) {
      if (weightOf(baseline, next) !== null) return "inner";
      open.push(next.output);
    }
  }
  return "last";
}

interface Rows {
  readonly count: number;
  readonly width: number;
  readonly values: Float64Array;
  /** Input channels and places of a kernel, of a convolution. */
  readonly inputs: number;
  readonly kernel: number;
}

/** Weights a row an output: what a matrix that stands the other way round is turned into. */
function rowsFirst({ values, dims }: Weights, { op, node }: Step): Rows {
  const [first = 1, second = 1] = dims;
  const byColumns =
    op === "MatMul" || (op === "Gemm" && (node.attributes.get("transB")?.i ?? 0) === 0);
  if (dims.length === 2 && byColumns) {
    const turned = values.map((_, i) => values[(i % first) * second + Math.floor(i / first)]!);
    return { count: second, width: first, values: turned, inputs: first, kernel: 1 };
  }
  const kernel = dims.slice(2).reduce((product, d) => product * d, 1);
  return { count: first, width: values.length / first, values, inputs: second, kernel };
}

/** The same numbers in other places: which rearrangement it is. */
function rearranged(a: Rows, b: Rows, place: Place): LayerFault | null {
  if (a.count !== b.count) return null;
  const inputs = reversedInputs(a);
  if (a.inputs === 3 && place === "first" && closeEnough(inputs, b.values)) {
    return { fault: "colour-order", why: "its input channels are reversed: it wants BGR for RGB" };
  }
  const from = rowOrder(a, b);
  if (from === null || from.every((row, i) => row === i)) return null;
  const byte = from.every((row, i) => row === (i & ~7) + 7 - (i & 7));
  if (byte && a.count % 8 === 0) {
    return {
      fault: "bits-reversed",
      why:
        "its outputs stand in each group of eight the other way round: " +
        "bits packed least significant first",
    };
  }
  const shift = (from[0]! + a.count) % a.count;
  const rolled = from.every((row, i) => row === (i + shift) % a.count);
  if (place === "last") {
    const moved = from.filter((row, i) => row !== i).length;
    return {
      fault: "swapped-classes",
      why: `its outputs are the baseline's in another order (${moved} of ${a.count} moved)`,
    };
  }
  if (rolled) {
    const by = Math.min(shift, a.count - shift);
    return {
      fault: "shifted-channels",
      why: `its weights are shifted by ${by} channel${by === 1 ? "" : "s"}`,
    };
  }
  return { fault: "channels-reordered", why: "its output channels stand in another order" };
}

function reversedInputs({ values, width, inputs, kernel }: Rows): Float64Array {
  return values.map((_, i) => {
    const row = Math.floor(i / width);
    const channel = Math.floor((i % width) / kernel);
    return values[row * width + (inputs - 1 - channel) * kernel + (i % kernel)]!;
  });
}

/** For each row of the candidate the baseline's row that it is; null where one is none of them. */
function rowOrder(a: Rows, b: Rows): number[] | null {
  const row = (of: Rows, i: number) => of.values.subarray(i * of.width, (i + 1) * of.width);
  const used = new Set<number>();
  const order: number[] = [];
  for (let i = 0; i < b.count; i++) {
    let best = -1;
    let most = 0.999;
    for (let j = 0; j < a.count; j++) {
      if (used.has(j)) continue;
      const like = cosine(row(a, j), row(b, i)) ?? -1;
      // Of equal rows (there are dead ones) the one in its place.
      if (like > most || (like === most && j === i)) {
        most = like;
        best = j;
      }
    }
    if (best < 0) return null;
    used.add(best);
    order.push(best);
  }
  return order;
}

function scaled(a: Weights, b: Weights): LayerFault | null {
  const like = cosine(a.values, b.values);
  if (like === null || like < 0.9999) return null;
  const norm = (v: Float64Array) => Math.hypot(...[...v].slice(0, 50_000));
  const factor = norm(b.values) / norm(a.values);
  return {
    fault: "weights-scaled",
    why: `its weights are ${factor.toPrecision(4)} times the baseline's`,
  };
}

function biasFault(
  { baseline, candidate }: Sides<Step>,
  skeletons: Sides<Skeleton>,
): LayerFault | null {
  const a = skeletons.baseline.constants.value(baseline.node.inputs[2]);
  const b = skeletons.candidate.constants.value(candidate.node.inputs[2]);
  if (a && (!b || b.values.every((v) => v === 0)) && a.values.some((v) => v !== 0)) {
    return { fault: "bias-lost", why: "its bias is gone" };
  }
  if (a && b && a.values.length === b.values.length && !closeEnough(a.values, b.values)) {
    return { fault: "bias-changed", why: "its bias is another" };
  }
  return null;
}

/** Other constants of a node: the bounds of a Clip, the numbers of a batch normalisation. */
function constantFault(
  { baseline, candidate, wholeLayer }: LayerAgreement,
  { baseline: a, candidate: b }: Sides<Skeleton>,
): LayerFault | null {
  if (wholeLayer) return null;
  for (let i = 0; i < baseline.node.inputs.length; i++) {
    const x = a.constants.value(baseline.node.inputs[i]);
    const y = b.constants.value(candidate.node.inputs[i]);
    if (!x || !y || (x.values.length === y.values.length && closeEnough(x.values, y.values)))
      continue;
    const shown = ({ values }: Weights) =>
      values.length > 3 ? `${values.length} numbers` : [...values].join(", ");
    return { fault: "constant-changed", why: `its input ${i + 1} is ${shown(y)} for ${shown(x)}` };
  }
  return null;
}
