import { join } from "node:path";
import { loadCard, type Card } from "../../../../src/pipeline/model/card.js";
import { readOnnx, type OnnxModel } from "../../../../src/pipeline/onnx/read-model.js";
import { projectRoot } from "../../../../src/pipeline/root.js";
import {
  intTensor,
  nodeMessage,
  tensorMessage,
  floatTensor,
} from "../../../../src/pipeline/onnx/write-model.js";
import { renamedNode } from "../../../../src/pipeline/onnx/edit-graph.js";
import { foldedNormalisation, foldedShapes, renamed, reordered } from "./re-exports.js";
import { perTensor } from "./quantised-faults.js";
import {
  behindInput,
  draft,
  edited,
  nth,
  reorderColumns,
  reorderRows,
  replaced,
  withAttributes,
  withConstant,
} from "./surgery.js";

/** A good export, and what was done to it: to its graph, or to the card that says how it is fed. */
export interface Exhibit {
  readonly title: string;
  /** The committed model that it was made from, and the one it is held against where another. */
  readonly model: string;
  readonly baseline?: string;
  /** The name that the diagnosis should give; null for a faithful export. */
  readonly fault: string | null;
  readonly graph?: (model: OnnxModel) => OnnxModel | Promise<OnnxModel>;
  readonly card?: (card: Card) => Card;
}

const input =
  (over: Partial<Card["input"]>) =>
  (card: Card): Card =>
    ({ ...card, input: { ...card.input, ...over } }) as Card;
const recognition =
  (over: object) =>
  (card: Card): Card =>
    card.task === "recognition" ? { ...card, recognition: { ...card.recognition, ...over } } : card;

const general = "light-general";
const detector = "det-light";
const classifier = "cls-pp-lcnet-0.25x";

const byte = (i: number): number => (i & ~7) + 7 - (i & 7);

export const faults: readonly Exhibit[] = [
  {
    title: "BGR in the card of an RGB model",
    model: general,
    fault: "colour-order",
    card: input({ colour: "bgr" }),
  },
  {
    title: "an export that wants BGR",
    model: general,
    fault: "colour-order",
    graph: (m) => withConstant(m, nth(m, "Conv", 0), 1, bgr),
  },
  {
    title: "BGR in a detector's card",
    model: detector,
    fault: "colour-order",
    card: input({ colour: "bgr" }),
  },
  {
    title: "BGR in the card of an int8 model",
    model: "light-int8",
    baseline: general,
    fault: "colour-order",
    card: input({ colour: "bgr" }),
  },
  {
    title: "mean and std in BGR order",
    model: general,
    fault: "mean-order",
    card: input({ mean: [0.406, 0.456, 0.485], std: [0.225, 0.224, 0.229] }),
  },
  {
    title: "no mean and std",
    model: classifier,
    fault: "normalisation",
    card: input({ mean: [0, 0, 0], std: [1, 1, 1] }),
  },
  { title: "0 to 255 for 0 to 1", model: general, fault: "value-range", card: input({ scale: 1 }) },
  {
    title: "0 to 255 for 0 to 1, detector",
    model: detector,
    fault: "value-range",
    card: input({ scale: 1 }),
  },
  {
    title: "cubic for linear",
    model: general,
    fault: "interpolation",
    card: input({ interpolation: "cubic" }),
  },
  {
    title: "linear for cubic, detector",
    model: detector,
    fault: "interpolation",
    card: input({ interpolation: "linear" }),
  },
  {
    title: "an export that wants a letterbox",
    model: general,
    fault: "letterbox",
    graph: letterboxed,
  },
  { title: "an export that wants NHWC floats", model: general, fault: "layout", graph: wantsNhwc },
  {
    title: "no L2 norm",
    model: general,
    fault: "missing-l2-norm",
    card: recognition({ normalise: false }),
  },
  {
    title: "round for sign",
    model: "light-dshsd",
    fault: "binarise-rule",
    card: recognition({ binarise: "round" }),
  },
  {
    title: "bits packed least significant first",
    model: "light-dshsd",
    fault: "bits-reversed",
    graph: reversedBits,
  },
  {
    title: "box centres off by half",
    model: "det-light-int8",
    fault: "box-centre",
    graph: shiftedBoxes,
  },
  { title: "no sigmoid", model: detector, fault: "missing-sigmoid", graph: withoutSigmoid },
  {
    title: "heads not transposed",
    model: detector,
    fault: "transposed-heads",
    graph: transposedHeads,
  },
  {
    title: "scale_factor as [x, y]",
    model: "det-server",
    fault: "scale-order",
    graph: swappedScale,
  },
  {
    title: "swapped classes",
    model: classifier,
    fault: "swapped-classes",
    graph: (m) => swapClasses(m, (i, n) => n - 1 - i),
  },
  {
    title: "a zeroed layer",
    model: general,
    fault: "zeroed-layer",
    graph: (m) => withConstant(m, nth(m, "Conv", 9), 1, (v) => v.map(() => 0)),
  },
  {
    title: "a zeroed layer, detector",
    model: detector,
    fault: "zeroed-layer",
    graph: (m) => withConstant(m, nth(m, "Conv", 40), 1, (v) => v.map(() => 0)),
  },
  {
    title: "weights shifted by one channel",
    model: general,
    fault: "shifted-channels",
    graph: (m) =>
      withConstant(
        m,
        nth(m, "Conv", 10),
        1,
        reorderRows((i, n) => (i + 1) % n),
      ),
  },
  {
    title: "another epsilon in the batch normalisation",
    model: general,
    fault: "wrong-attribute",
    graph: (m) => withAttributes(m, nth(m, "BatchNormalization", 0), { epsilon: { float: 0.5 } }),
  },
  {
    title: "resized from corners in the pyramid",
    model: detector,
    fault: "wrong-attribute",
    graph: (m) =>
      withAttributes(m, nth(m, "Resize", 0), {
        coordinate_transformation_mode: { text: "asymmetric" },
        nearest_mode: { text: "ceil" },
      }),
  },
  { title: "overflow in float16", model: general, fault: "fp16-overflow", graph: overflowing },
  {
    title: "padding on one side",
    model: general,
    fault: "wrong-padding",
    graph: (m) => withAttributes(m, nth(m, "Conv", 1), { pads: [0, 0, 2, 2] }),
  },
  {
    title: "hard sigmoid of slope 0.2 for 1/6",
    model: general,
    fault: "hard-sigmoid-slope",
    graph: (m) => withAttributes(m, nth(m, "HardSigmoid", 5), { alpha: { float: 0.2 } }),
  },
  {
    title: "per-tensor for per-channel scales",
    model: "light-int8",
    fault: "per-tensor-scales",
    graph: perTensor,
  },
  {
    title: "a lost bias",
    model: detector,
    fault: "bias-lost",
    graph: (m) => withConstant(m, nth(m, "Conv", 20), 2, (v) => v.map(() => 0)),
  },
  {
    title: "weights times two",
    model: classifier,
    fault: "weights-scaled",
    graph: (m) => withConstant(m, nth(m, "Conv", 7), 1, (v) => v.map((x) => 2 * x)),
  },
  {
    title: "ReLU for a hard swish's gate",
    model: general,
    fault: "operator-changed",
    graph: (m) => swapGate(m, 12),
  },
];

export const faithful: readonly Exhibit[] = [
  { title: "other names", model: general, fault: null, graph: renamed },
  {
    title: "other names and order",
    model: general,
    fault: null,
    graph: (m) => renamed(reordered(m, "order")),
  },
  {
    title: "other names and order, detector",
    model: detector,
    fault: null,
    graph: (m) => renamed(reordered(m, "order")),
  },
  {
    title: "other names and order, classifier",
    model: classifier,
    fault: null,
    graph: (m) => renamed(reordered(m, "order")),
  },
  { title: "batch normalisation folded", model: general, fault: null, graph: foldedNormalisation },
  { title: "shapes folded", model: detector, fault: null, graph: (m) => foldedShapes(m, 160) },
  { title: "int8", model: "light-int8", baseline: general, fault: null },
  {
    title: "int8, and decoded in the graph",
    model: "det-light-int8",
    baseline: detector,
    fault: null,
  },
];

/** The model and the card of an exhibit's two sides. */
export async function exhibited({ model, baseline = model, graph, card }: Exhibit) {
  const folder = (name: string): string => join(projectRoot, "models", name);
  const file = (name: string): string => join(folder(name), "model.onnx");
  const cardOf = async (name: string) => (await loadCard(join(folder(name), "card.yaml"))) as Card;
  const good = await readOnnx(file(model));
  const own = await cardOf(model);
  return {
    baseline: { onnx: await readOnnx(file(baseline)), card: await cardOf(baseline) },
    candidate: { onnx: graph ? await graph(good) : good, card: card ? card(own) : own },
  };
}

function bgr(values: Float64Array, dims: readonly number[]): Float64Array {
  const kernel = dims[2]! * dims[3]!;
  return values.map((_, i) => {
    const channel = Math.floor(i / kernel) % 3;
    return values[i + (2 - 2 * channel) * kernel]!;
  });
}

/** Takes the picture out of its margins itself: right for pictures of 3 to 2. */
function letterboxed(model: OnnxModel): OnnxModel {
  const [top, rows] = [10, 43];
  const ints = (name: string, values: number[]): [string, Uint8Array] => [
    name,
    tensorMessage(intTensor(name, values)),
  ];
  const constants = new Map([
    ints("box/start", [top]),
    ints("box/end", [top + rows]),
    ints("box/axis", [2]),
    ints("box/size", [1, 3, 64, 64]),
  ]);
  const nodes = (from: string, to: string) => [
    { op: "Slice", inputs: [from, "box/start", "box/end", "box/axis"], outputs: ["box/inner"] },
    {
      op: "Resize",
      inputs: ["box/inner", "", "", "box/size"],
      outputs: [to],
      attributes: { mode: { text: "linear" } },
    },
  ];
  return behindInput(model, "image", nodes, constants);
}

function wantsNhwc(model: OnnxModel): OnnxModel {
  const shape = tensorMessage(intTensor("rows", [-1, 64, 64, 3]));
  const nodes = (from: string, to: string) => [
    { op: "Reshape", inputs: [from, "rows"], outputs: ["image/rows"] },
    { op: "Transpose", inputs: ["image/rows"], outputs: [to], attributes: { perm: [0, 3, 1, 2] } },
  ];
  return behindInput(model, "image", nodes, new Map([["rows", shape]]));
}

/** The last layer's outputs, which become the bits, in another order within each byte. */
function reversedBits(model: OnnxModel): OnnxModel {
  const last = nth(model, "Gemm", -1);
  const turned = withConstant(model, last, 1, reorderRows(byte));
  return withConstant(turned, nth(turned, "Gemm", -1), 2, reorderColumns(byte));
}

function shiftedBoxes(model: OnnxModel): OnnxModel {
  const strides = [8, 16, 32, 64].flatMap((s) =>
    new Array<number>(Math.ceil(160 / s) ** 2).fill(s),
  );
  const shift = Float32Array.from(
    strides.flatMap((s) => [s / 2, s / 2, s / 2, s / 2]),
    (v) => -v,
  );
  const last = model.graph.nodes.find((n) => n.outputs[0] === "boxes")!;
  return edited(model, {
    node: (n) =>
      n === last
        ? [
            renamedNode(n, new Map(), new Map([["boxes", "boxes/right"]])),
            nodeMessage({ op: "Add", inputs: ["boxes/right", "shift"], outputs: ["boxes"] }),
          ]
        : undefined,
    initializers: new Map([
      ["shift", tensorMessage(floatTensor("shift", [1, strides.length, 4], shift))],
    ]),
  });
}

function withoutSigmoid(model: OnnxModel): OnnxModel {
  return edited(model, {
    node: (n) => (n.op === "Sigmoid" ? [nodeMessage({ ...draft(n), op: "Identity" })] : undefined),
  });
}

/** The heads reshaped to cells by channels where they should have been transposed to it. */
function transposedHeads(model: OnnxModel): OnnxModel {
  const shapes = new Map(model.graph.outputs.map((o) => [o.name, o.shape as number[]]));
  const constants = new Map<string, Uint8Array>();
  const node = (n: OnnxModel["graph"]["nodes"][number]) => {
    const shape = shapes.get(n.outputs[0] ?? "");
    if (n.op !== "Transpose" || !shape) return undefined;
    const name = `${n.outputs[0]!}/cells`;
    constants.set(name, tensorMessage(intTensor(name, shape)));
    return [nodeMessage({ op: "Reshape", inputs: [n.inputs[0]!, name], outputs: n.outputs })];
  };
  model.graph.nodes.forEach(node);
  return edited(model, { node, initializers: constants });
}

function swappedScale(model: OnnxModel): OnnxModel {
  const order = new Map([["scale/order", tensorMessage(intTensor("scale/order", [1, 0]))]]);
  const nodes = (from: string, to: string) => [
    { op: "Gather", inputs: [from, "scale/order"], outputs: [to], attributes: { axis: 1 } },
  ];
  return behindInput(model, "scale_factor", nodes, order);
}

function swapClasses(model: OnnxModel, order: (i: number, n: number) => number): OnnxModel {
  const turned = withConstant(model, nth(model, "Gemm", -1), 1, reorderRows(order));
  return withConstant(turned, nth(turned, "Gemm", -1), 2, reorderColumns(order));
}

/** A value that is scaled beyond what a half can hold, and back. */
function overflowing(model: OnnxModel): OnnxModel {
  const conv = nth(model, "Conv", 6);
  const value = conv.outputs[0]!;
  const scale = (name: string, by: number): [string, Uint8Array] => [
    name,
    tensorMessage(floatTensor(name, [], Float32Array.of(by))),
  ];
  const half = { op: "Cast", attributes: { to: 10 } };
  const single = { op: "Cast", attributes: { to: 1 } };
  return edited(model, {
    node: (n) =>
      n === conv
        ? [
            renamedNode(n, new Map(), new Map([[value, "half/in"]])),
            nodeMessage({ op: "Mul", inputs: ["half/in", "half/up"], outputs: ["half/large"] }),
            nodeMessage({ ...half, inputs: ["half/large"], outputs: ["half/half"] }),
            nodeMessage({ ...single, inputs: ["half/half"], outputs: ["half/single"] }),
            nodeMessage({ op: "Mul", inputs: ["half/single", "half/down"], outputs: [value] }),
          ]
        : undefined,
    initializers: new Map([scale("half/up", 32_768), scale("half/down", 1 / 32_768)]),
  });
}

function swapGate(model: OnnxModel, n: number): OnnxModel {
  const gate = nth(model, "HardSigmoid", n);
  return replaced(model, gate, [{ op: "Relu", inputs: gate.inputs, outputs: gate.outputs }]);
}
