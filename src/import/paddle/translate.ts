import { UserError } from "../../pipeline/errors.js";
import type { DType } from "../../pipeline/onnx/read-tensor.js";
import { GraphBuilder } from "../graph/builder.js";
import type { Dim, Shape } from "../graph/values.js";
import { isKnownAttribute } from "./attributes.js";
import { controlOf } from "./control.js";
import { Call, type Scope } from "./operators/call.js";
import type { Entry, Made } from "./operators/operator.js";
import { entryOf } from "./operators/table.js";
import type { Operator, Program, Variable } from "./program.js";
import type { Parameters } from "./read-parameters.js";

/** What is fixed of the inputs. */
export interface InputSizes {
  /** Null leaves an open batch open. */
  readonly batch: number | null;
  /** Inputs that become constants, by name: their numbers, row-major. */
  readonly fixed: ReadonlyMap<string, readonly number[]>;
}

export interface Translated {
  readonly graph: GraphBuilder;
  /** How often each of Paddle's operators was taken over. */
  readonly operators: ReadonlyMap<string, number>;
  /** Attributes that nothing here knows, as `operator.attribute`. */
  readonly unknown: readonly string[];
  /** The graph's value for each of Paddle's fetched variables, in order. */
  readonly fetched: ReadonlyMap<string, string>;
}

/** Operators that only mark the graph's ends. */
const ends = new Set(["feed", "fetch"]);

/**
 * Turns a program into an ONNX graph, operator by operator.
 * @throws UserError `paddle-operator` for operators that are not in the table, all of them at once,
 * and for one that cannot come along; `paddle-graph` where the program contradicts itself.
 */
export function translate(
  program: Program,
  parameters: Parameters,
  opset: number,
  sizes: InputSizes,
): Translated {
  refuseUnknown(program);
  const translation = new Translation(program, parameters, opset);
  translation.feed(sizes);
  translation.runBlock(0);
  return translation.result();
}

/** Variables of a running program and the values they hold. A variable may be written again. */
export class Translation implements Scope {
  readonly graph: GraphBuilder;
  readonly #program: Program;
  readonly #parameters: Parameters;
  readonly #values = new Map<string, string>();
  readonly #arrays = new Map<string, string[]>();
  readonly #operators = new Map<string, number>();
  readonly #unknown = new Set<string>();
  /** Variables that the body which ran last handed on. */
  yielded: readonly string[] = [];

  constructor(program: Program, parameters: Parameters, opset: number) {
    this.#program = program;
    this.#parameters = parameters;
    this.graph = new GraphBuilder(opset);
  }

  feed(sizes: InputSizes): void {
    for (const name of this.#program.fetches) this.graph.reserve(name);
    for (const feed of this.#program.feeds) {
      const { shape, dtype } = statedFeed(feed, this.#program.file);
      const fixed = sizes.fixed.get(feed.name);
      const value = fixed
        ? this.graph.constant(dtype, fixed, [1, fixed.length])
        : this.graph.addInput(feed.name, dtype, fedShape(shape, sizes));
      this.#values.set(feed.name, value);
    }
  }

  runBlock(index: number): void {
    const block = this.#program.blocks[index];
    if (!block) throw this.#contradiction(`block ${index} is missing`);
    for (const operator of block.operators) if (!ends.has(operator.type)) this.#run(operator);
  }

  /** Runs a body and gives the variables that it hands on. */
  yieldOf(index: number): readonly string[] {
    this.yielded = [];
    this.runBlock(index);
    return this.yielded;
  }

  #run(operator: Operator): void {
    const call = new Call(operator, this.graph, this, this.#program.file);
    this.#operators.set(operator.type, (this.#operators.get(operator.type) ?? 0) + 1);
    const control = controlOf(operator);
    if (control) {
      control(call, this);
      return;
    }
    const entry = entryOf(operator.type);
    if (!entry) throw unknown([operator], this.#program.file);
    this.#keep(operator, this.#emitted(entry, call));
    for (const name of operator.attributes.keys()) {
      if (!isKnownAttribute(name)) this.#unknown.add(`${operator.type}.${name}`);
    }
  }

  /** Sizes and attributes that do not fit each other come from the file: said with its place. */
  #emitted(entry: Entry, call: Call): Made {
    try {
      return entry.emit(call);
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
      const { type, place } = call.operator;
      throw this.#contradiction(`${type}, ${place}: ${error.message}`);
    }
  }

  #keep(operator: Operator, made: Made): void {
    const bySlot = typeof made === "string" ? { [firstSlot(operator)]: made } : made;
    for (const [slot, values] of Object.entries(bySlot)) {
      const list = typeof values === "string" ? [values] : values;
      for (const [place, variable] of (operator.outputs.get(slot) ?? []).entries()) {
        const value = list[place];
        if (value !== undefined) this.#values.set(variable, value);
      }
    }
  }

  value(variable: string): string {
    const held = this.#values.get(variable);
    if (held !== undefined) return held;
    const parameter = this.#parameters.get(variable);
    if (!parameter) throw this.#contradiction(`variable ${variable} is used before it is made`);
    const value = this.graph.addConstant(parameter);
    this.#values.set(variable, value);
    return value;
  }

  has(variable: string): boolean {
    return this.#values.has(variable) || this.#parameters.has(variable);
  }

  set(variable: string, value: string): void {
    this.#values.set(variable, value);
  }

  /** The items of a tensor array, in place. */
  array(variable: string): string[] {
    const items = this.#arrays.get(variable) ?? [];
    this.#arrays.set(variable, items);
    return items;
  }

  copy(from: string, to: string): void {
    this.copyAll([from], [to]);
  }

  /** Several at once: what is copied to may be copied from as well. */
  copyAll(from: readonly string[], to: readonly string[]): void {
    const held = from.map((name) => this.#arrays.get(name) ?? this.value(name));
    for (const [place, name] of to.entries()) {
      const what = held[place];
      if (what === undefined) throw this.#contradiction(`nothing is there for ${name}`);
      if (typeof what === "string") this.#values.set(name, what);
      else this.#arrays.set(name, [...what]);
    }
  }

  statedRank(variable: string): number | null {
    for (const block of this.#program.blocks) {
      const shape = block.variables.get(variable)?.shape;
      if (shape) return shape.length;
    }
    return null;
  }

  result(): Translated {
    const fetched = new Map(this.#program.fetches.map((name) => [name, this.value(name)]));
    const { graph } = this;
    return { graph, operators: this.#operators, unknown: [...this.#unknown], fetched };
  }

  #contradiction(found: string): UserError {
    return new UserError({
      code: "paddle-graph",
      message: "the program contradicts itself",
      file: this.#program.file,
      found,
      fix: "export the model again",
    });
  }
}

function statedFeed(feed: Variable, file: string): { shape: readonly number[]; dtype: DType } {
  if (feed.shape && feed.dtype !== null) return { shape: feed.shape, dtype: feed.dtype };
  throw new UserError({
    code: "paddle-graph",
    message: `input ${feed.name} states no shape or element type`,
    file,
    fix: "export the model again with an InputSpec",
  });
}

/** Open sizes of an input get names, the batch its number where it has one. */
function fedShape(stated: readonly number[], { batch }: InputSizes): Shape {
  const shape: Dim[] = stated.map((d, place) => (d >= 0 ? d : `d${place}`));
  if (stated[0] !== undefined && stated[0] < 0) shape[0] = batch ?? "N";
  return shape;
}

/** Where an operator's one result goes. */
function firstSlot(operator: Operator): string {
  const usual = ["Out", "Output", "Y"].find((slot) => operator.outputs.has(slot));
  return usual ?? [...operator.outputs.keys()][0] ?? "Out";
}

function refuseUnknown(program: Program): void {
  const operators = program.blocks.flatMap((block) => block.operators);
  const missing = operators.filter(
    (op) => !ends.has(op.type) && !entryOf(op.type) && !controlOf(op),
  );
  if (missing.length > 0) throw unknown(missing, program.file);
}

/** All missing operators in one error: how many of each, where the first stands, what it takes. */
function unknown(missing: readonly Operator[], file: string): UserError {
  const counts = new Map<string, number>();
  for (const { type } of missing) counts.set(type, (counts.get(type) ?? 0) + 1);
  const list = [...counts].map(([type, n]) => (n === 1 ? type : `${type} (${n} times)`)).join(", ");
  return new UserError({
    code: "paddle-operator",
    message: `operators that cannot be imported yet: ${list}`,
    file,
    path: `${missing[0]!.place}: ${missing[0]!.type}`,
    fix: "a row in src/import/paddle/operators/ adds an operator; or export without it",
  });
}
