import { UserError } from "../../../pipeline/errors.js";
import { dtypeNumber, type DType } from "../../../pipeline/onnx/read-tensor.js";
import type { Attributes, GraphBuilder } from "../../graph/builder.js";
import { fixed, fromFront, type Shape } from "../../graph/values.js";
import { paddleType, type AttributeValue, type Operator } from "../program.js";

/** Values of the graph that is being built, by the names of Paddle's variables. */
export interface Scope {
  /** The value that a variable holds now. @throws UserError `paddle-graph` where it holds none. */
  value(variable: string): string;
  has(variable: string): boolean;
  /** The rank that the file states for a variable; null where it states none. */
  statedRank(variable: string): number | null;
}

/** One operator on its way into the graph: its inputs as values, its attributes by type. */
export class Call {
  readonly operator: Operator;
  readonly graph: GraphBuilder;
  readonly #scope: Scope;
  readonly #file: string;

  constructor(operator: Operator, graph: GraphBuilder, scope: Scope, file: string) {
    this.operator = operator;
    this.graph = graph;
    this.#scope = scope;
    this.#file = file;
  }

  /** The value in a slot of one. @throws UserError `paddle-graph` where it is empty. */
  input(slot: string): string {
    const value = this.optional(slot);
    if (value === null) throw this.refusal(`input ${slot} is missing`, "export the model again");
    return value;
  }

  optional(slot: string): string | null {
    return this.inputs(slot)[0] ?? null;
  }

  inputs(slot: string): string[] {
    return this.variables(slot).map((name) => this.#scope.value(name));
  }

  /** Names of the variables in a slot, whether or not they hold a value. */
  variables(slot: string): readonly string[] {
    return this.operator.inputs.get(slot) ?? [];
  }

  holds(variable: string): boolean {
    return this.#scope.has(variable);
  }

  /** The name of the variable that an output goes to. */
  output(slot: string): string {
    return this.operator.outputs.get(slot)?.[0] ?? this.operator.type;
  }

  outputCount(slot: string): number {
    return this.operator.outputs.get(slot)?.length ?? 0;
  }

  statedRank(slot: string): number | null {
    return this.#scope.statedRank(this.output(slot));
  }

  /** The name that a new value of this operator should get: its variable's. */
  get wanted(): string {
    const first = [...this.operator.outputs.values()].find((names) => names.length > 0);
    return first?.[0] ?? this.operator.type;
  }

  node(op: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.graph.node(op, inputs, attributes, this.wanted);
  }

  ints64(values: readonly number[]): string {
    return this.graph.constant("int64", values);
  }

  /** A float constant of the element type that a value has. */
  scalarLike(value: string, number: number): string {
    return this.graph.constant(this.dtype(value), number);
  }

  dtype(value: string): DType {
    return this.graph.typeOf(value).dtype;
  }

  cast(value: string, dtype: DType): string {
    if (this.dtype(value) === dtype) return value;
    return this.node("Cast", [value], { to: dtypeNumber(dtype) });
  }

  shape(value: string): Shape | null {
    return this.graph.shapeOf(value);
  }

  /** The rank of a value. @throws UserError where the graph leaves it open. */
  rank(value: string): number {
    const shape = this.shape(value);
    if (!shape) throw this.refusal(`the rank of ${value} is open`, "export with fixed shapes");
    return shape.length;
  }

  /** The sizes of a value. @throws UserError where one is open. */
  sizes(value: string): readonly number[] {
    const sizes = fixed(this.shape(value));
    if (!sizes) {
      throw this.refusal(`the shape of ${value} is open`, "give the input's size with --size");
    }
    return sizes;
  }

  /** Height and width of a picture in NCHW. @throws UserError where one is open. */
  spatial(value: string): readonly number[] {
    const sizes = fixed(this.shape(value)?.slice(2) ?? null);
    if (!sizes) throw this.refusal(`the size of ${value} is open`, "give the input's --size");
    return sizes;
  }

  /** An axis from the front; negative ones count from the end of the value's shape. */
  axis(value: string, axis: number): number {
    return axis < 0 ? fromFront(axis, this.rank(value)) : axis;
  }

  has(attribute: string): boolean {
    return this.operator.attributes.has(attribute);
  }

  number(attribute: string, otherwise: number): number {
    const value = this.#attribute(attribute);
    if (typeof value === "boolean") return value ? 1 : 0;
    if (typeof value === "string") return Number(value);
    if (Array.isArray(value) && typeof value[0] === "number") return value[0];
    return typeof value === "number" ? value : otherwise;
  }

  flag(attribute: string, otherwise: boolean): boolean {
    const value = this.#attribute(attribute);
    if (typeof value === "number") return value !== 0;
    return typeof value === "boolean" ? value : otherwise;
  }

  text(attribute: string, otherwise: string): string {
    const value = this.#attribute(attribute);
    return typeof value === "string" ? value : otherwise;
  }

  numbers(attribute: string): readonly number[] | null {
    const value = this.#attribute(attribute);
    if (typeof value === "number") return [value];
    return Array.isArray(value) ? (value as readonly number[]) : null;
  }

  texts(attribute: string): readonly string[] {
    const value = this.#attribute(attribute);
    return Array.isArray(value) ? value.map(String) : [];
  }

  /** An element type: by number as `ProgramDesc` has it, by name as PIR does. */
  elementType(attribute: string, otherwise: DType): DType {
    const value = this.#attribute(attribute);
    if (typeof value === "string") return value.toLowerCase();
    return typeof value === "number" ? (paddleType(value) ?? otherwise) : otherwise;
  }

  /** Contents of an input that must not hang on what is fed. */
  contents(value: string): readonly number[] {
    const numbers = this.graph.numbersIn(value);
    if (!numbers) {
      throw this.refusal(`the contents of ${value} hang on the input`, "export with fixed shapes");
    }
    return numbers;
  }

  /** Why this operator cannot come along, by name and place. */
  refusal(why: string, fix: string): UserError {
    const { type, place } = this.operator;
    return new UserError({
      code: "paddle-operator",
      message: `operator ${type} cannot be imported: ${why}`,
      file: this.#file,
      path: place,
      fix,
    });
  }

  #attribute(name: string): AttributeValue | undefined {
    return this.operator.attributes.get(name);
  }
}
