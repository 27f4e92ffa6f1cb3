import { dtypeNumber } from "../../../pipeline/onnx/read-tensor.js";
import type { Call } from "./call.js";
import type { Entry, Family, Made } from "./operator.js";
import { reduce } from "./pooling.js";

/**
 * Suppression of overlapping boxes, for a batch of 1. After MultiClassNMSKernel and
 * MatrixNMSKernel of paddle/phi/kernels/cpu.
 */

const multiclass: Entry = {
  pir: { multiclass_nms3: ["BBoxes Scores RoisNum", "Out Index NmsRoisNum"] },
  limits: "batch 1; nms_eta 1; normalized",
  emit: multiclassNms,
};

export const suppression: Family = {
  multiclass_nms3: multiclass,
  multiclass_nms2: { ...multiclass, pir: {} },
  multiclass_nms: { ...multiclass, pir: {} },
  matrix_nms: {
    pir: { matrix_nms: ["BBoxes Scores", "Out Index RoisNum"] },
    limits: "batch 1",
    emit: matrixNms,
  },
};

/** Types of the operators that end a detector, for whoever wants to cut before them. */
export const suppressions: ReadonlySet<string> = new Set(Object.keys(suppression));

interface Candidates {
  /** [A, 4]. */
  readonly boxes: string;
  /** [C, A]; a background class never passes a threshold. */
  readonly scores: string;
  readonly anchors: number;
}

function candidatesOf(call: Call): Candidates {
  const [boxes, scores] = [call.input("BBoxes"), call.input("Scores")];
  if (call.inputs("RoisNum").length > 0) throw call.refusal("it has RoisNum", "export otherwise");
  const [batch, anchors] = call.shape(boxes) ?? [];
  if (batch !== 1 || typeof anchors !== "number") {
    throw call.refusal(
      "the batch or the number of boxes is open",
      "give --batch 1 and --size, or --form decoded",
    );
  }
  const first = call.ints64([0]);
  const alone = call.graph.node("Squeeze", [scores, first]);
  return {
    boxes: call.graph.node("Squeeze", [boxes, first]),
    scores: withoutBackground(call, alone),
    anchors,
  };
}

function withoutBackground(call: Call, scores: string): string {
  const background = call.number("background_label", 0);
  const classes = call.shape(scores)?.[0];
  if (typeof classes !== "number") throw call.refusal("its classes are open", "export otherwise");
  if (background < 0 || background >= classes) return scores;
  const mask = Array.from({ length: classes }, (_, c) => (c === background ? -1e9 : 0));
  return call.graph.node("Add", [scores, call.graph.constant("float32", mask, [classes, 1])]);
}

/**
 * A class is a batch of ONNX's NonMaxSuppression, over its own best candidates. Rows stay in
 * Paddle's order: by class, then by score.
 */
function multiclassNms(call: Call): Made {
  if (call.number("nms_eta", 1) !== 1) throw call.refusal("nms_eta is not 1", "use nms_eta 1");
  if (!call.flag("normalized", true))
    throw call.refusal("it is not normalized", "export otherwise");
  const { boxes, scores, anchors } = candidatesOf(call);
  const wanted = call.number("nms_top_k", -1);
  const count = wanted < 0 ? anchors : Math.min(wanted, anchors);
  const names = ["candidates", "candidates.places"];
  const best = call.graph.nodeWithOutputs(
    "TopK",
    [scores, call.ints64([count])],
    { axis: 1 },
    names,
  );
  const [values = "", places = ""] = best;
  const near = call.graph.node("Gather", [boxes, places], { axis: 0 });
  const chosen = call.graph.node("NonMaxSuppression", [
    near,
    call.graph.node("Unsqueeze", [values, call.ints64([1])]),
    call.ints64([count]),
    call.graph.constant("float32", [call.number("nms_threshold", 0.3)]),
    call.graph.constant("float32", [call.number("score_threshold", 0)]),
  ]);
  const pairs = call.graph.node("Gather", [chosen, call.ints64([0, 2])], { axis: 1 });
  const kept = bestPairs(call, pairs, values);
  return rows(call, kept, { values, near, places });
}

/** The best `keep_top_k` of [n, 2] pairs (class, candidate), in the order that they have. */
function bestPairs(call: Call, pairs: string, values: string): string {
  const keep = call.number("keep_top_k", -1);
  if (keep < 0) return pairs;
  const scores = call.graph.node("GatherND", [values, pairs]);
  const places = topPlaces(call, scores, keep);
  const negative = call.graph.node("Neg", [places]);
  const count = call.graph.node("Shape", [places]);
  const sorted = call.graph.nodeWithOutputs("TopK", [negative, count], {}, ["order", "order.at"]);
  return call.graph.node("Gather", [pairs, call.graph.node("Neg", [sorted[0]!])]);
}

/** The places of the k largest of a vector, or of all where there are fewer. */
function topPlaces(call: Call, scores: string, k: number): string {
  const count = call.graph.node("Min", [call.graph.node("Shape", [scores]), call.ints64([k])]);
  const names = ["kept", "kept.places"];
  return call.graph.nodeWithOutputs("TopK", [scores, count], { axis: 0 }, names)[1]!;
}

/** [class, score, x1, y1, x2, y2] a pair, the candidates' own places, and how many there are. */
function rows(
  call: Call,
  pairs: string,
  { values, near, places }: { values: string; near: string; places: string },
): Made {
  const { graph } = call;
  const column = (value: string): string => graph.node("Unsqueeze", [value, call.ints64([1])]);
  const classes = graph.node("Gather", [pairs, call.ints64([0])], { axis: 1 });
  const parts = [
    graph.node("Cast", [classes], { to: dtypeNumber("float32") }),
    column(graph.node("GatherND", [values, pairs])),
    graph.node("GatherND", [near, pairs]),
  ];
  const out = call.node("Concat", parts, { axis: 1 });
  graph.state(out, { dtype: "float32", shape: [null, 6] });
  const index = column(graph.node("GatherND", [places, pairs]));
  return { Out: out, Index: index, ...counted(call, out) };
}

function counted(call: Call, out: string): Record<string, string> {
  const range = [call.ints64([0]), call.ints64([1]), call.ints64([0])];
  const length = call.graph.node("Slice", [call.graph.node("Shape", [out]), ...range]);
  const count = call.graph.node("Cast", [length], { to: dtypeNumber("int32") });
  call.graph.state(count, { dtype: "int32", shape: [1] });
  return { NmsRoisNum: count, RoisNum: count };
}

/**
 * Matrix NMS (SOLOv2, algorithm 1): a box loses score by how much better ones of its class cover
 * it. All pairs (class, box) over the threshold are sorted once; those of other classes, and worse
 * ones, are masked.
 */
function matrixNms(call: Call): Made {
  const { graph } = call;
  const { boxes, scores } = candidatesOf(call);
  const { values, pairs } = sortedPairs(call, scores);
  const classes = graph.node("Gather", [pairs, graph.constant("int64", 0)], { axis: 1 });
  const places = graph.node("Gather", [pairs, graph.constant("int64", 1)], { axis: 1 });
  const near = graph.node("Gather", [boxes, places], { axis: 0 });
  const better = betterMask(call, classes);
  const covers = graph.node("Mul", [overlaps(call, near), better]);
  const decay = decays(call, covers, better);
  const decayed = graph.node("Mul", [values, decay]);
  const kept = survivors(call, decayed, better);
  const pick = (value: string): string => graph.node("Gather", [value, kept], { axis: 0 });
  const column = (value: string): string => graph.node("Unsqueeze", [value, call.ints64([1])]);
  const asFloat = graph.node("Cast", [pick(classes)], { to: dtypeNumber("float32") });
  const out = call.node("Concat", [column(asFloat), column(pick(decayed)), pick(near)], {
    axis: 1,
  });
  graph.state(out, { dtype: "float32", shape: [null, 6] });
  return { Out: out, Index: column(pick(places)), ...counted(call, out) };
}

/** (class, box) of every score over the threshold, the best first. */
function sortedPairs(call: Call, scores: string): { values: string; pairs: string } {
  const { graph } = call;
  const threshold = call.scalarLike(scores, call.number("score_threshold", 0));
  const over = graph.node("Greater", [scores, threshold]);
  const found = graph.node("Transpose", [graph.node("NonZero", [over])], { perm: [1, 0] });
  graph.state(found, { dtype: "int64", shape: [null, 2] });
  const all = graph.node("GatherND", [scores, found]);
  graph.state(all, { dtype: "float32", shape: [null] });
  const count = graph.node("Shape", [all]);
  const sorted = graph.nodeWithOutputs("TopK", [all, count], { axis: 0 }, ["best", "best.at"]);
  return { values: sorted[0]!, pairs: graph.node("Gather", [found, sorted[1]!], { axis: 0 }) };
}

/** [n, n] of 0 and 1: row j is a better candidate of column i's class. */
function betterMask(call: Call, classes: string): string {
  const { graph } = call;
  const column = graph.node("Unsqueeze", [classes, call.ints64([1])]);
  const same = graph.node("Equal", [column, graph.node("Unsqueeze", [classes, call.ints64([0])])]);
  const count = graph.node("Squeeze", [graph.node("Shape", [classes]), call.ints64([0])]);
  const [zero, one] = [graph.constant("int64", 0), graph.constant("int64", 1)];
  const ranks = graph.node("Range", [zero, count, one]);
  const rows = graph.node("Unsqueeze", [ranks, call.ints64([1])]);
  const before = graph.node("Less", [rows, graph.node("Unsqueeze", [ranks, call.ints64([0])])]);
  return graph.node("Cast", [graph.node("And", [same, before])], { to: dtypeNumber("float32") });
}

/** Intersection over union of every two boxes. */
function overlaps(call: Call, boxes: string): string {
  const { graph } = call;
  const one = call.scalarLike(boxes, call.flag("normalized", true) ? 0 : 1);
  const side = (place: number, axis: number): string => {
    const line = graph.node("Gather", [boxes, graph.constant("int64", place)], { axis: 1 });
    return graph.node("Unsqueeze", [line, call.ints64([axis])]);
  };
  const extent = (low: number): string => {
    const high = low + 2;
    const least = graph.node("Max", [side(low, 0), side(low, 1)]);
    const most = graph.node("Min", [side(high, 0), side(high, 1)]);
    return graph.node("Relu", [graph.node("Add", [graph.node("Sub", [most, least]), one])]);
  };
  const length = (low: number, axis: number): string =>
    graph.node("Add", [graph.node("Sub", [side(low + 2, axis), side(low, axis)]), one]);
  const area = (axis: number): string => graph.node("Mul", [length(0, axis), length(1, axis)]);
  const common = graph.node("Mul", [extent(0), extent(1)]);
  const union = graph.node("Sub", [graph.node("Add", [area(0), area(1)]), common]);
  // Two boxes without area have nothing in common; 0 / 0 must not spread.
  const safe = graph.node("Max", [union, call.scalarLike(boxes, 1e-10)]);
  return graph.node("Div", [common, safe]);
}

/** The least factor that better ones leave to each candidate. */
function decays(call: Call, covers: string, better: string): string {
  const { graph } = call;
  const most = reduce(call, "ReduceMax", covers, { axes: [0], keep: false });
  const worst = graph.node("Unsqueeze", [most, call.ints64([1])]);
  const factor = factors(call, covers, worst);
  // Where row j is no better one of the class, it takes nothing away.
  const one = call.scalarLike(covers, 1);
  const condition = graph.node("Cast", [better], { to: dtypeNumber("bool") });
  const masked = graph.node("Where", [condition, factor, one]);
  const least = reduce(call, "ReduceMin", masked, { axes: [0], keep: false });
  return graph.node("Min", [least, one]);
}

function factors(call: Call, covers: string, worst: string): string {
  const { graph } = call;
  const one = call.scalarLike(covers, 1);
  if (!call.flag("use_gaussian", false)) {
    const left = graph.node("Sub", [one, covers]);
    return graph.node("Div", [left, graph.node("Sub", [one, worst])]);
  }
  const squares = graph.node("Sub", [
    graph.node("Mul", [worst, worst]),
    graph.node("Mul", [covers, covers]),
  ]);
  const sigma = call.scalarLike(covers, call.number("gaussian_sigma", 2));
  return graph.node("Exp", [graph.node("Mul", [squares, sigma])]);
}

/** Places of those that keep enough score and stand among their class's first, the best first. */
function survivors(call: Call, decayed: string, better: string): string {
  const { graph } = call;
  const threshold = call.scalarLike(decayed, call.number("post_threshold", 0));
  let passes = graph.node("Greater", [decayed, threshold]);
  const candidates = call.number("nms_top_k", -1);
  if (candidates >= 0) {
    const rank = reduce(call, "ReduceSum", better, { axes: [0], keep: false });
    const early = graph.node("Less", [rank, call.scalarLike(rank, candidates)]);
    passes = graph.node("And", [passes, early]);
  }
  const found = graph.node("Squeeze", [graph.node("NonZero", [passes]), call.ints64([0])]);
  graph.state(found, { dtype: "int64", shape: [null] });
  const scores = graph.node("Gather", [decayed, found]);
  const keep = call.number("keep_top_k", -1);
  const most = keep < 0 ? Number.MAX_SAFE_INTEGER : keep;
  return graph.node("Gather", [found, topPlaces(call, scores, most)]);
}
