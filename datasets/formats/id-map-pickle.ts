import { UserError } from "../../src/pipeline/errors.js";
import { readRegular } from "../../src/pipeline/regular-file.js";
import { unreadable } from "../../src/pipeline/schema.js";

type Value = number | string | Map<Value, Value> | typeof mark;
const mark = Symbol("mark");

/**
 * Reads the id map of a PaddleClas gallery, `id_map.pkl`: a pickled dict of row numbers to the
 * lines of the list that the gallery was built from. Only what such a dict needs is understood;
 * nothing in the file is ever called, as Python's own unpickling would.
 *
 * Source: PaddleClas `deploy/python/build_gallery.py` (`pickle.dump(ids, fd)`); Python's
 * `pickletools` for the opcodes.
 *
 * @throws UserError `file-unreadable`, `pickle-format`
 */
export async function readIdMap(file: string): Promise<ReadonlyMap<number, string>> {
  const bytes = await readRegular(file).catch((error: unknown) => {
    throw unreadable(file, error);
  });
  let value: Value | undefined;
  try {
    value = new Machine(bytes).run();
  } catch (error) {
    throw broken(file, (error as Error).message, error);
  }
  const isLine = ([id, line]: [Value, Value]): boolean =>
    typeof id === "number" && typeof line === "string";
  if (!(value instanceof Map) || ![...value].every(isLine)) {
    throw broken(file, "another kind of value");
  }
  return value as Map<number, string>;
}

function broken(file: string, found: string, cause?: unknown): UserError {
  return new UserError(
    {
      code: "pickle-format",
      message: "not the id map of a PaddleClas gallery",
      file,
      expected: "a pickled dict of whole numbers to text",
      found,
      fix: "give the list that the gallery was built from with --labels",
    },
    { cause },
  );
}

/** The stack machine that a pickle is a program for, as far as dicts of numbers and text go. */
class Machine {
  readonly #bytes: Buffer;
  readonly #stack: Value[] = [];
  readonly #memo = new Map<number, Value>();
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  run(): Value | undefined {
    for (;;) {
      const opcode = String.fromCharCode(this.#byte());
      if (opcode === ".") return this.#stack.pop();
      const step = this.#steps[opcode];
      if (step === undefined) {
        throw new Error(`opcode ${JSON.stringify(opcode)} at byte ${this.#at - 1}`);
      }
      step();
    }
  }

  readonly #steps: Readonly<Record<string, () => void>> = {
    "\x80": () => void this.#take(1), // PROTO
    "\x95": () => void this.#take(8), // FRAME
    "}": () => void this.#stack.push(new Map()), // EMPTY_DICT
    "(": () => void this.#stack.push(mark), // MARK
    "\x94": () => void this.#memo.set(this.#memo.size, this.#top()), // MEMOIZE
    q: () => void this.#memo.set(this.#byte(), this.#top()), // BINPUT
    r: () => void this.#memo.set(this.#take(4).readUInt32LE(0), this.#top()), // LONG_BINPUT
    h: () => void this.#stack.push(this.#recall(this.#byte())), // BINGET
    j: () => void this.#stack.push(this.#recall(this.#take(4).readUInt32LE(0))), // LONG_BINGET
    K: () => void this.#stack.push(this.#byte()), // BININT1
    M: () => void this.#stack.push(this.#take(2).readUInt16LE(0)), // BININT2
    J: () => void this.#stack.push(this.#take(4).readInt32LE(0)), // BININT
    "\x8c": () => void this.#stack.push(this.#text(this.#byte())), // SHORT_BINUNICODE
    X: () => void this.#stack.push(this.#text(this.#take(4).readUInt32LE(0))), // BINUNICODE
    s: () => this.#fill(this.#stack.splice(-2)), // SETITEM
    u: () => this.#fill(this.#sinceMark()), // SETITEMS
  };

  #byte(): number {
    return this.#take(1)[0]!;
  }

  #take(n: number): Buffer {
    if (this.#at + n > this.#bytes.length) throw new Error("an end before its time");
    this.#at += n;
    return this.#bytes.subarray(this.#at - n, this.#at);
  }

  #text(length: number): string {
    return this.#take(length).toString("utf8");
  }

  #top(): Value {
    const top = this.#stack.at(-1);
    if (top === undefined) throw new Error("an empty stack");
    return top;
  }

  #recall(place: number): Value {
    const value = this.#memo.get(place);
    if (value === undefined) throw new Error(`no value ${place}`);
    return value;
  }

  #sinceMark(): Value[] {
    const at = this.#stack.lastIndexOf(mark);
    if (at < 0) throw new Error("items without a beginning");
    return this.#stack.splice(at).slice(1);
  }

  #fill(items: readonly Value[]): void {
    const dict = this.#top();
    if (!(dict instanceof Map) || items.length % 2 !== 0) throw new Error("items outside a dict");
    for (let i = 0; i < items.length; i += 2) dict.set(items[i]!, items[i + 1]!);
  }
}
