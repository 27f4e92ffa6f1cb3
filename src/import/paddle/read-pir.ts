import { UserError } from "../../pipeline/errors.js";
import {
  byBytes,
  type AttributeValue,
  type Operator,
  type Program,
  type Variable,
} from "./program.js";
import { signatureOf } from "./operators/table.js";
import { attributesOf, constantOf, renamed, tensorType, type RawType } from "./pir-values.js";
import type { Signature } from "./signature.js";

/**
 * Reads `inference.json`: a program of Paddle 3's new representation (PIR), as
 * paddle/fluid/pir/serialize_deserialize writes it. Its operators know their operands by place and
 * by names of their own; here they are told in the terms of `ProgramDesc`.
 */

/** Versions whose layout is known; what Paddle 3.0 to 3.3 write. */
const knownVersions = [1, 2, 3, 4];

interface RawOutput {
  readonly "%": number;
  readonly TT?: RawType;
}

interface RawOperation {
  readonly "#": string;
  readonly A?: readonly unknown[];
  readonly I?: readonly { readonly "%": number }[];
  readonly O?: readonly RawOutput[] | RawOutput;
  /** Bodies of `if` and `while`. */
  readonly regions?: readonly { readonly blocks: readonly RawBlock[] }[];
}

interface RawBlock {
  /** Values that the body is given, by negative numbers. */
  readonly args: readonly { readonly "#": number; readonly TT?: RawType }[];
  readonly ops: readonly RawOperation[];
}

/** @throws UserError `paddle-unreadable` where the text is no PIR program of a known version. */
export function parsePir(text: string, file: string): Program {
  const operations = operationsOf(text, file);
  const reading = new PirReading(file);
  try {
    reading.addBlock(operations);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw unreadablePir(file, `an operation of another layout: ${(error as Error).message}`);
  }
  return reading.program();
}

function operationsOf(text: string, file: string): readonly RawOperation[] {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch (error) {
    throw unreadablePir(file, `no JSON: ${(error as Error).message}`);
  }
  const magic = at(root, "base_code", "magic");
  if (magic !== "pir") throw unreadablePir(file, "JSON that is no PIR program");
  const version = at(root, "base_code", "version");
  if (typeof version !== "number" || !knownVersions.includes(version)) {
    throw new UserError({
      code: "paddle-version",
      message: "is a PIR program of an unknown version",
      file,
      path: "base_code.version",
      expected: knownVersions.join(", "),
      found: JSON.stringify(version) ?? "nothing",
      fix: "export with PaddlePaddle 3.0 to 3.3, or with FLAGS_enable_pir_api=0",
    });
  }
  const operations = at(root, "program", "regions", 0, "blocks", 0, "ops");
  if (!Array.isArray(operations)) throw unreadablePir(file, "a program without operations");
  return operations as readonly RawOperation[];
}

function unreadablePir(file: string, found: string): UserError {
  return new UserError({
    code: "paddle-unreadable",
    message: "is not a whole Paddle inference model",
    file,
    expected: "a PIR program, as paddle.jit.save of Paddle 3 writes it",
    found,
    fix: "copy or export the file again",
  });
}

function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let here: unknown = value;
  for (const key of path) {
    if (typeof here !== "object" || here === null) return undefined;
    here = (here as Record<string | number, unknown>)[key];
  }
  return here;
}

/** Operations in, operators out: values get names, lists of values are taken apart. */
class PirReading {
  readonly #file: string;
  readonly #variables = new Map<string, Variable>();
  readonly #blocks: Operator[][] = [];
  readonly #feeds: Variable[] = [];
  readonly #fetches: { name: string; column: number }[] = [];
  readonly #parameters: Variable[] = [];
  /** The names behind a value: one, or those of a list's items. */
  readonly #names = new Map<number, readonly string[]>();
  /** Numbers that `full` and `full_int_array` make: attributes that came as operands. */
  readonly #constants = new Map<number, AttributeValue>();

  constructor(file: string) {
    this.#file = file;
  }

  /** Reads a block and those inside it; gives its number. */
  addBlock(operations: readonly RawOperation[]): number {
    const operators: Operator[] = [];
    const number = this.#blocks.push(operators) - 1;
    for (const [index, operation] of operations.entries()) {
      this.#add(operation, `operation ${index} of block ${number}`, operators);
    }
    return number;
  }

  #add(operation: RawOperation, place: string, into: Operator[]): void {
    const name = operation["#"].replace(/^\d+\./, "");
    if (name === "p") this.#addParameter(operation);
    else if (name === "data" || name === "feed") this.#addFeed(operation);
    else if (name === "fetch") this.#addFetch(operation);
    else if (name === "combine") this.#aliasList(operation);
    else if (name === "split" && operation["#"].startsWith("0.")) this.#takeApart(operation);
    else if (operation.regions) into.push(this.#control(name, operation, place));
    else into.push(this.#operator(name, operation, place));
  }

  program(): Program {
    const fetches = [...this.#fetches].sort((a, b) => a.column - b.column);
    return {
      format: "PIR",
      file: this.#file,
      blocks: this.#blocks.map((operators) => ({ variables: this.#variables, operators })),
      feeds: this.#feeds,
      fetches: fetches.map((f) => f.name),
      parameters: [...this.#parameters].sort(byBytes),
    };
  }

  #addParameter({ A, O }: RawOperation): void {
    const name = String(A?.[3] ?? "");
    const output = (Array.isArray(O) ? O[0] : O) as RawOutput;
    const variable = { ...tensorType(name, output.TT), persistable: true };
    this.#names.set(output["%"], [name]);
    this.#variables.set(name, variable);
    this.#parameters.push(variable);
  }

  #addFeed(operation: RawOperation): void {
    const output = outputsOf(operation)[0];
    if (!output) return;
    const name = String(attributesOf(operation.A).get("name") ?? `input_${this.#feeds.length}`);
    const variable = tensorType(name, output.TT);
    this.#names.set(output["%"], [name]);
    this.#variables.set(name, variable);
    this.#feeds.push(variable);
  }

  #addFetch(operation: RawOperation): void {
    const [name = ""] = this.#operand(operation, 0);
    const column = attributesOf(operation.A).get("col");
    this.#fetches.push({ name, column: typeof column === "number" ? column : 0 });
  }

  /** `builtin.combine`: a list whose items are the operands. */
  #aliasList(operation: RawOperation): void {
    const items = (operation.I ?? []).flatMap((_, slot) => this.#operand(operation, slot));
    for (const output of outputsOf(operation)) this.#names.set(output["%"], items);
  }

  /** `builtin.split`: the items of a list, one value each. */
  #takeApart(operation: RawOperation): void {
    const items = this.#operand(operation, 0);
    for (const [place, output] of outputsOf(operation).entries()) {
      this.#names.set(output["%"], items.slice(place, place + 1));
    }
  }

  /** `if` and `while`: their bodies become blocks, by number in the attribute `blocks`. */
  #control(name: string, operation: RawOperation, place: string): Operator {
    const operands = (operation.I ?? []).map((_, slot) => this.#operand(operation, slot)[0] ?? "");
    const bodies = (operation.regions ?? []).flatMap((region) => region.blocks);
    const given = bodies.flatMap((body) => body.args).map((arg) => this.#argument(arg));
    const blocks = bodies.map((body) => this.addBlock(body.ops));
    const outputs = outputsOf(operation).flatMap((output) => this.#declare(output));
    const [condition = "", ...carried] = operands;
    return {
      type: `pir_${name}`,
      inputs: new Map([
        ["Condition", [condition]],
        ["X", carried],
      ]),
      outputs: new Map([["Out", outputs]]),
      attributes: new Map<string, AttributeValue>([
        ["blocks", blocks],
        ["arguments", given],
      ]),
      place,
    };
  }

  #argument({ "#": id, TT }: RawBlock["args"][number]): string {
    const name = `argument ${-id}`;
    this.#names.set(id, [name]);
    this.#variables.set(name, tensorType(name, TT));
    return name;
  }

  #operator(name: string, operation: RawOperation, place: string): Operator {
    const signature = signatureOf(name);
    const attributes = renamed(attributesOf(operation.A), signature);
    const outputs = this.#outputs(operation, signature);
    const constant = constantOf(name, attributes);
    const made = outputsOf(operation)[0];
    if (constant !== undefined && made) this.#constants.set(made["%"], constant);
    const inputs = this.#inputs(operation, signature, attributes);
    return { type: signature.type, inputs, outputs, attributes, place };
  }

  #inputs(
    operation: RawOperation,
    signature: Signature,
    attributes: Map<string, AttributeValue>,
  ): Map<string, readonly string[]> {
    const inputs = new Map<string, readonly string[]>();
    for (const [slot, operand] of (operation.I ?? []).entries()) {
      const input = signature.inputs[slot] ?? { slot: `operand ${slot}`, attribute: null };
      const constant = this.#constants.get(operand["%"]);
      if (operand["%"] === 0) continue;
      if (input.attribute !== null && constant !== undefined) {
        attributes.set(input.attribute, constant);
      } else {
        inputs.set(input.slot, this.#operand(operation, slot));
      }
    }
    return inputs;
  }

  #operand(operation: RawOperation, slot: number): readonly string[] {
    const id = operation.I?.[slot]?.["%"] ?? 0;
    if (id === 0) return [];
    const names = this.#names.get(id);
    if (!names) throw unreadablePir(this.#file, `value ${id} is used before it is made`);
    return names;
  }

  #outputs(operation: RawOperation, signature: Signature): Map<string, readonly string[]> {
    const outputs = new Map<string, readonly string[]>();
    for (const [place, output] of outputsOf(operation).entries()) {
      outputs.set(signature.outputs[place] ?? `result ${place}`, this.#declare(output));
    }
    return outputs;
  }

  /** Names an output `v12`; the items of a list `v12.0`, `v12.1`. */
  #declare({ "%": id, TT }: RawOutput): readonly string[] {
    const list = TT && (TT["#"].endsWith("t_vec") || TT["#"].endsWith("t_vector"));
    const types = list ? ((TT.D ?? []) as readonly RawType[]) : [TT];
    const names = types.map((_, place) => (list ? `v${id}.${place}` : `v${id}`));
    for (const [place, name] of names.entries()) {
      this.#variables.set(name, tensorType(name, types[place]));
    }
    this.#names.set(id, names);
    return names;
  }
}

function outputsOf({ O }: RawOperation): readonly RawOutput[] {
  if (O === undefined) return [];
  return (Array.isArray(O) ? O : [O]).filter((o: RawOutput) => o["%"] !== 0) as RawOutput[];
}
