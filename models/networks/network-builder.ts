import {
  floatTensor,
  intTensor,
  type DraftAttribute,
  type DraftModel,
  type DraftNode,
  type DraftTensor,
  type DraftValue,
} from "../../src/pipeline/onnx/write-model.js";
import { powerBehind, type Activation } from "./activations.js";
import type { WeightSource } from "./drawn-weights.js";

/** A value inside a network, of one picture: the batch stands before its dims. */
export interface Value {
  readonly name: string;
  /** Channels, height, width of a map; features of a vector. */
  readonly dims: readonly number[];
  /**
   * Mean square that is expected here of drawn weights. Batch norms take it for their running
   * variance, so that activations keep their scale through any depth: neither denormal numbers,
   * which processors are slow on, nor overflow.
   */
  readonly power: number;
}

export interface NodeSpec {
  readonly attributes?: Readonly<Record<string, DraftAttribute>>;
  readonly dims: readonly number[];
  readonly power: number;
}

export interface ConvSpec {
  readonly name: string;
  readonly out: number;
  readonly kernel?: number;
  readonly stride?: number;
  readonly groups?: number;
  /** Whether it has one; a function says what each channel's is drawn around, which else is 0. */
  readonly bias?: boolean | ((channel: number) => number);
  /** Deviation of the outputs beside that of the inputs; 1 unless said. */
  readonly gain?: number;
}

/** The batch of exports: open, or 1 where constants in the graph are as large as a picture. */
export type Batch = "batch" | 1;

/** Puts an ONNX graph together, operator by operator, and draws the weights on the way. */
export class NetworkBuilder {
  private readonly nodes: DraftNode[] = [];
  private readonly inputs: DraftValue[] = [];
  private readonly constants = new Map<string, DraftTensor>();
  private readonly sizes = new Map<string, readonly number[]>();

  constructor(
    private readonly weights: WeightSource,
    readonly batch: Batch,
  ) {}

  input(name: string, dims: readonly number[]): Value {
    this.inputs.push({ name, dtype: "float32", shape: [this.batch, ...dims] });
    this.sizes.set(name, [1, ...dims]);
    return { name, dims, power: 1 };
  }

  /** One operator with one output. */
  node(
    op: string,
    inputs: readonly (Value | string)[],
    { attributes, dims, power }: NodeSpec,
  ): Value {
    const [value] = this.nodeWithOutputs(op, inputs, [dims], {
      attributes: attributes ?? {},
      power,
    });
    return value!;
  }

  nodeWithOutputs(
    op: string,
    inputs: readonly (Value | string)[],
    dims: readonly (readonly number[])[],
    { attributes, power }: Required<Omit<NodeSpec, "dims">>,
  ): Value[] {
    const names = dims.map((_, i) => `${op}.${this.nodes.length}${i === 0 ? "" : `.${i}`}`);
    const given = inputs.map((i) => (typeof i === "string" ? i : i.name));
    this.nodes.push({ op, inputs: given, outputs: names, attributes });
    for (const [i, name] of names.entries()) this.sizes.set(name, [1, ...dims[i]!]);
    return names.map((name, i) => ({ name, dims: dims[i]!, power }));
  }

  /** A constant of the graph that no training changes. */
  constant(tensor: DraftTensor): string {
    this.constants.set(tensor.name, tensor);
    return tensor.name;
  }

  scalar(value: number): string {
    return this.constant(floatTensor(`scalar ${value}`, [], Float32Array.of(value)));
  }

  shape(dims: readonly number[]): string {
    return this.constant(intTensor(`shape ${dims.join("x")}`, dims));
  }

  /** A learned tensor, uniform between low and high. */
  weight(name: string, dims: readonly number[], [low, high]: readonly [number, number]): string {
    if (this.constants.has(name)) throw new RangeError(`two tensors are called ${name}`);
    const count = dims.reduce((product, d) => product * d, 1);
    return this.constant(floatTensor(name, dims, this.weights.between(name, count, low, high)));
  }

  /**
   * A convolution, padded so that a stride of 1 keeps the size. Weights have the variance 1 /
   * fan-in (what is kept is the mean square: every activation is taken care of by `power`).
   */
  conv(x: Value, spec: ConvSpec): Value {
    const { name, out, kernel = 1, stride = 1, groups = 1, bias = false, gain = 1 } = spec;
    const [channels, height, width] = mapOf(x);
    const fanIn = (channels / groups) * kernel * kernel;
    const bound = gain * Math.sqrt(3 / fanIn);
    const power = gain * gain * x.power;
    const around = typeof bias === "function" ? bias : undefined;
    const weight = this.weight(
      `${name}.weight`,
      [out, channels / groups, kernel, kernel],
      [-bound, bound],
    );
    const pad = (kernel - 1) / 2;
    const size = (length: number): number => Math.floor((length + 2 * pad - kernel) / stride) + 1;
    return this.node("Conv", [x, weight, ...(bias ? [this.bias(name, out, power, around)] : [])], {
      attributes: {
        kernel_shape: [kernel, kernel],
        strides: [stride, stride],
        pads: [pad, pad, pad, pad],
        group: groups,
      },
      dims: [out, size(height), size(width)],
      power,
    });
  }

  /** A bias of a tenth of what it is added to, around what is asked. */
  bias(
    name: string,
    count: number,
    power: number,
    around: (channel: number) => number = () => 0,
  ): string {
    const bound = 0.1 * Math.sqrt(3 * power);
    const drawn = this.weights.between(`${name}.bias`, count, -bound, bound);
    return this.constant(
      floatTensor(
        `${name}.bias`,
        [count],
        drawn.map((v, i) => v + around(i)),
      ),
    );
  }

  /** Scale, shift and running statistics near those that a training ends with. */
  batchNorm(x: Value, name: string): Value {
    const channels = x.dims[0]!;
    const deviation = Math.sqrt(x.power);
    const parts = [
      this.weight(`${name}.weight`, [channels], [0.8, 1.2]),
      this.weight(`${name}.bias`, [channels], [-0.4, 0.4]),
      this.weight(`${name}._mean`, [channels], [-0.1 * deviation, 0.1 * deviation]),
      this.weight(`${name}._variance`, [channels], [0.9 * x.power, 1.1 * x.power]),
    ];
    const attributes = { epsilon: { float: 1e-5 } };
    return this.node("BatchNormalization", [x, ...parts], { attributes, dims: x.dims, power: 1 });
  }

  activate(x: Value, activation: Activation | null): Value {
    if (activation === null) return x;
    const spec = { dims: x.dims, power: powerBehind(activation, x.power) };
    switch (activation) {
      case "relu":
        return this.node("Relu", [x], spec);
      case "relu6":
        return this.node("Clip", [x, this.scalar(0), this.scalar(6)], spec);
      case "hard-swish":
        return this.node("HardSwish", [x], spec);
      case "leaky-relu":
        return this.node("LeakyRelu", [x], { ...spec, attributes: { alpha: { float: 0.01 } } });
      case "leaky-relu-0.1":
        return this.node("LeakyRelu", [x], { ...spec, attributes: { alpha: { float: 0.1 } } });
      case "mish": {
        const gate = this.node("Tanh", [this.node("Softplus", [x], spec)], spec);
        return this.node("Mul", [x, gate], spec);
      }
    }
  }

  add(a: Value, b: Value): Value {
    return this.node("Add", [a, b], { dims: a.dims, power: a.power + b.power });
  }

  /** Joins maps by their channels. */
  concat(parts: readonly Value[]): Value {
    const channels = parts.reduce((sum, p) => sum + p.dims[0]!, 0);
    const power = parts.reduce((sum, p) => sum + p.power * p.dims[0]!, 0) / channels;
    const dims = [channels, ...parts[0]!.dims.slice(1)];
    return this.node("Concat", parts, { attributes: { axis: 1 }, dims, power });
  }

  globalAveragePool(x: Value): Value {
    // A mean over places keeps what the places have in common, about a third of the mean square.
    return this.node("GlobalAveragePool", [x], { dims: [x.dims[0]!, 1, 1], power: 0.3 * x.power });
  }

  sigmoid(x: Value): Value {
    return this.node("Sigmoid", [x], { dims: x.dims, power: 0.3 });
  }

  /** Reorders and reshapes; dims are those of one picture, as in all values here. */
  reshape(x: Value, dims: readonly number[]): Value {
    const shape = this.shape([this.batch === 1 ? 1 : 0, ...dims]);
    return this.node("Reshape", [x, shape], { dims, power: x.power });
  }

  /** `order` names the axes of one picture: 0 is the first behind the batch. */
  transpose(x: Value, order: readonly number[]): Value {
    const dims = order.map((axis) => x.dims[axis]!);
    const attributes = { perm: [0, ...order.map((axis) => axis + 1)] };
    return this.node("Transpose", [x], { attributes, dims, power: x.power });
  }

  /** A fully connected layer; its weights are [in, out]. */
  linear(x: Value, { name, out }: { name: string; out: number }): Value {
    const features = x.dims[0]!;
    const bound = Math.sqrt(3 / features);
    const weight = this.weight(`${name}.weight`, [features, out], [-bound, bound]);
    const bias = this.bias(name, out, x.power);
    return this.node("Gemm", [x, weight, bias], { dims: [out], power: x.power });
  }

  /** The shape of every value at a batch of 1: what tracing a run of the model would give. */
  shapes(): Map<string, readonly number[]> {
    const constants = [...this.constants.values()].map((c): [string, readonly number[]] => [
      c.name,
      c.dims,
    ]);
    return new Map([...this.sizes, ...constants]);
  }

  /** The model, with its outputs by the names that its users know them by. */
  model(name: string, outputs: Readonly<Record<string, Value>>, opset: number): DraftModel {
    for (const [output, { name: inner }] of Object.entries(outputs)) {
      this.nodes.push({ op: "Identity", inputs: [inner], outputs: [output] });
      this.sizes.set(output, this.sizes.get(inner)!);
    }
    return {
      opset,
      // Each version of the operators wants its version of the format at least.
      irVersion: opset >= 19 ? 9 : 8,
      producer: "shitu-networks",
      graph: {
        name,
        nodes: this.nodes,
        inputs: this.inputs,
        initializers: [...this.constants.values()],
        outputs: Object.entries(outputs).map(([output, { dims }]) => ({
          name: output,
          dtype: "float32",
          shape: [this.batch, ...dims],
        })),
      },
    };
  }
}

/** Channels, height and width of a map. */
export function mapOf(x: Value): readonly [number, number, number] {
  const [channels, height, width] = x.dims;
  if (channels === undefined || height === undefined || width === undefined) {
    throw new RangeError(`${x.name} is no map: [${x.dims.join(", ")}]`);
  }
  return [channels, height, width];
}
