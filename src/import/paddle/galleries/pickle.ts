import { UserError } from "../../../pipeline/errors.js";

/**
 * Reads the one kind of Python pickle that PaddleClas's galleries are: a dict from whole numbers to
 * texts. Nothing is ever called: the two names that numpy's int64 keys bring along, its dtype and
 * its scalar, are understood as values; any other name, and any other opcode, is refused.
 * Opcodes are those of Python's pickletools.
 */

type Value =
  | number
  | string
  | null
  | boolean
  | Uint8Array
  | { readonly tuple: readonly Value[] }
  | { readonly name: string }
  | { readonly width: number }
  | Map<number, string>
  | typeof mark;

const mark = Symbol("mark");

/** What numpy writes for an int64 key. */
const knownNames = new Set([
  "numpy.core.multiarray scalar",
  "numpy._core.multiarray scalar",
  "numpy dtype",
]);

/** Bytes of numpy's whole numbers, by dtype. */
const widths: Readonly<Record<string, number>> = { i4: 4, i8: 8, u4: 4, u8: 8 };

/** @throws UserError `pickle-refused` naming the opcode or what was made of it. */
export function parseIdMap(bytes: Uint8Array, file: string): Map<number, string> {
  return new PickleReading(bytes, file).run();
}

class PickleReading {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #file: string;
  readonly #stack: Value[] = [];
  readonly #memo = new Map<number, Value>();
  #at = 0;

  constructor(bytes: Uint8Array, file: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#file = file;
  }

  run(): Map<number, string> {
    for (;;) {
      const place = this.#at;
      const code = this.#take(1).getUint8(0);
      if (code === 0x2e) return this.#result();
      const read = opcodes[code];
      if (!read) throw this.refused(`opcode 0x${code.toString(16)} at byte ${place}`);
      read(this);
    }
  }

  #result(): Map<number, string> {
    const made = this.pop();
    if (!(made instanceof Map)) throw this.refused("something that is no dict");
    return made;
  }

  #take(length: number): DataView {
    if (!(this.#at + length <= this.#bytes.length)) throw this.refused("an end before its end");
    const view = new DataView(this.#view.buffer, this.#view.byteOffset + this.#at, length);
    this.#at += length;
    return view;
  }

  number(width: 1 | 2 | 4 | 8, signed: boolean): number {
    const view = this.#take(width);
    if (width === 1) return view.getUint8(0);
    if (width === 2) return view.getUint16(0, true);
    if (width === 8) return Number(view.getBigUint64(0, true));
    return signed ? view.getInt32(0, true) : view.getUint32(0, true);
  }

  raw(length: number): Uint8Array {
    const { buffer, byteOffset } = this.#take(length);
    return new Uint8Array(buffer, byteOffset, length);
  }

  text(length: number): string {
    return Buffer.from(this.raw(length)).toString("utf8");
  }

  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw this.refused("an end before its end");
    const line = this.text(end - this.#at);
    this.#at = end + 1;
    return line;
  }

  push(value: Value): void {
    if (this.#stack.length > 100_000_000) throw this.refused("too much");
    this.#stack.push(value);
  }

  pop(): Value {
    const value = this.#stack.pop();
    if (value === undefined) throw this.refused("more taken than put");
    return value;
  }

  top(): Value {
    const value = this.pop();
    this.#stack.push(value);
    return value;
  }

  /** What was put since the last mark. */
  sinceMark(): Value[] {
    const at = this.#stack.lastIndexOf(mark);
    if (at < 0) throw this.refused("no mark");
    const values = this.#stack.splice(at);
    return values.slice(1);
  }

  remember(place: number | null): void {
    this.#memo.set(place ?? this.#memo.size, this.top());
  }

  recall(place: number): void {
    const value = this.#memo.get(place);
    if (value === undefined) throw this.refused("a memory that is empty");
    this.push(value);
  }

  setItems(pairs: readonly Value[]): void {
    const dict = this.top();
    if (!(dict instanceof Map) || pairs.length % 2 !== 0) throw this.refused("items of no dict");
    for (let i = 0; i < pairs.length; i += 2) {
      const [key, value] = [pairs[i], pairs[i + 1]];
      if (typeof key !== "number" || !Number.isSafeInteger(key) || key < 0) {
        throw this.refused("a key that is no whole number");
      }
      if (typeof value !== "string") throw this.refused("an entry that is no text");
      dict.set(key, value);
    }
  }

  global(name: string): void {
    if (!knownNames.has(name)) throw this.refused(`the name ${name}`);
    this.push({ name });
  }

  /** `dtype("i8", False, True)` and `scalar(dtype, bytes)`, understood, not called. */
  reduce(): void {
    const given = this.pop();
    const called = this.pop();
    const parts = isTuple(given) ? given.tuple : [];
    if (!isNamed(called)) throw this.refused("a call");
    const [first, second] = parts;
    if (called.name === "numpy dtype") {
      const width = typeof first === "string" ? widths[first] : undefined;
      if (width === undefined) throw this.refused("numbers of another type");
      this.push({ width });
      return;
    }
    const fits = isWidth(first) && second instanceof Uint8Array && second.length === first.width;
    if (!fits) throw this.refused("a number that cannot be read");
    this.push(wholeNumber(second));
  }

  /** The dtype's state: only its byte order counts, and must be little endian. */
  build(): void {
    const state = this.pop();
    const order = isTuple(state) ? state.tuple[1] : undefined;
    if (!isWidth(this.top()) || (order !== "<" && order !== "|")) throw this.refused("a state");
  }

  stackGlobal(): void {
    const name = this.pop();
    const module = this.pop();
    if (typeof name !== "string" || typeof module !== "string") throw this.refused("a name");
    this.global(`${module} ${name}`);
  }

  tuple(values: readonly Value[]): void {
    this.push({ tuple: values });
  }

  refused(found: string): UserError {
    return new UserError({
      code: "pickle-refused",
      message: "is not a pickle of a plain dict",
      file: this.#file,
      expected: "whole numbers to texts, as PaddleClas's build_gallery.py writes them",
      found,
      fix: "take the id map that was written with this vector.index; nothing in it is ever run",
    });
  }
}

function isTuple(value: Value | undefined): value is { tuple: readonly Value[] } {
  return typeof value === "object" && value !== null && "tuple" in value;
}

function isNamed(value: Value | undefined): value is { name: string } {
  return typeof value === "object" && value !== null && "name" in value;
}

function isWidth(value: Value | undefined): value is { width: number } {
  return typeof value === "object" && value !== null && "width" in value;
}

function wholeNumber(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return bytes.length === 8 ? Number(view.getBigInt64(0, true)) : view.getInt32(0, true);
}

type Opcode = (reading: PickleReading) => void;

const opcodes: Readonly<Record<number, Opcode>> = {
  0x80: (p) => void p.number(1, false), // PROTO
  0x95: (p) => void p.number(8, false), // FRAME
  0x28: (p) => p.push(mark), // MARK
  0x7d: (p) => p.push(new Map<number, string>()), // EMPTY_DICT
  0x75: (p) => p.setItems(p.sinceMark()), // SETITEMS
  0x73: (p) => setItem(p), // SETITEM
  0x64: (p) => dictOf(p), // DICT
  0x4b: (p) => p.push(p.number(1, false)), // BININT1
  0x4d: (p) => p.push(p.number(2, false)), // BININT2
  0x4a: (p) => p.push(p.number(4, true)), // BININT
  0x49: (p) => p.push(Number(p.line())), // INT
  0x8c: (p) => p.push(p.text(p.number(1, false))), // SHORT_BINUNICODE
  0x58: (p) => p.push(p.text(p.number(4, false))), // BINUNICODE
  0x43: (p) => p.push(p.raw(p.number(1, false))), // SHORT_BINBYTES
  0x42: (p) => p.push(p.raw(p.number(4, false))), // BINBYTES
  0x94: (p) => p.remember(null), // MEMOIZE
  0x71: (p) => p.remember(p.number(1, false)), // BINPUT
  0x72: (p) => p.remember(p.number(4, false)), // LONG_BINPUT
  0x68: (p) => p.recall(p.number(1, false)), // BINGET
  0x6a: (p) => p.recall(p.number(4, false)), // LONG_BINGET
  0x4e: (p) => p.push(null), // NONE
  0x88: (p) => p.push(true), // NEWTRUE
  0x89: (p) => p.push(false), // NEWFALSE
  0x85: (p) => p.tuple([p.pop()]), // TUPLE1
  0x86: (p) => tupleOf(p, 2), // TUPLE2
  0x87: (p) => tupleOf(p, 3), // TUPLE3
  0x74: (p) => p.tuple(p.sinceMark()), // TUPLE
  0x63: (p) => p.global(`${p.line()} ${p.line()}`), // GLOBAL
  0x93: (p) => p.stackGlobal(), // STACK_GLOBAL
  0x52: (p) => p.reduce(), // REDUCE
  0x62: (p) => p.build(), // BUILD
};

function setItem(p: PickleReading): void {
  const value = p.pop();
  p.setItems([p.pop(), value]);
}

function dictOf(p: PickleReading): void {
  const pairs = p.sinceMark();
  p.push(new Map<number, string>());
  p.setItems(pairs);
}

function tupleOf(p: PickleReading, count: number): void {
  const values = Array.from({ length: count }, () => p.pop());
  p.tuple(values.reverse());
}

/** Writes the same kind of pickle, protocol 2: a dict of whole numbers to texts. */
export function idMapPickle(map: ReadonlyMap<number, string>): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(0x80, 2, 0x7d, 0x28)];
  for (const [key, text] of map) {
    const number = Buffer.alloc(5);
    number[0] = 0x4a;
    number.writeInt32LE(key, 1);
    const bytes = Buffer.from(text, "utf8");
    const head = Buffer.alloc(5);
    head[0] = 0x58;
    head.writeUInt32LE(bytes.length, 1);
    parts.push(number, head, bytes);
  }
  parts.push(Uint8Array.of(0x75, 0x2e));
  return Buffer.concat(parts);
}
