/**
 * Protocol Buffers' wire format (https://protobuf.dev/programming-guides/encoding/), just enough to
 * read and write ONNX. Byte fields are views into the file's bytes, never copies, so that weights
 * cost nothing until somebody looks at them; each length is checked against its enclosing message,
 * so that a file cut short is noticed at once.
 */
export class WireError extends Error {
  override readonly name = "WireError";
}

export const WireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/**
 * One field of a message. `value` is set for varints, `bytes` for everything else (views, little
 * endian where fixed).
 */
export interface Field {
  readonly number: number;
  readonly type: number;
  readonly value: bigint;
  readonly bytes: Uint8Array;
}

const none = new Uint8Array(0);

/** Walks the fields of one message. Throws WireError where the bytes are not a message. */
export function* fields(message: Uint8Array): Generator<Field> {
  const cursor = { at: 0 };
  while (cursor.at < message.length) {
    const key = varint(message, cursor);
    const number = Number(key >> 3n);
    const type = Number(key & 7n);
    if (number === 0 || number > 0x1fffffff)
      throw new WireError(`field number ${number} at byte ${cursor.at}`);
    switch (type) {
      case WireType.varint:
        yield { number, type, value: varint(message, cursor), bytes: none };
        break;
      case WireType.fixed64:
        yield { number, type, value: 0n, bytes: take(message, cursor, 8) };
        break;
      case WireType.fixed32:
        yield { number, type, value: 0n, bytes: take(message, cursor, 4) };
        break;
      case WireType.bytes:
        yield {
          number,
          type,
          value: 0n,
          bytes: take(message, cursor, Number(varint(message, cursor))),
        };
        break;
      default:
        throw new WireError(`wire type ${type} at byte ${cursor.at}`);
    }
  }
}

/** A signed 64-bit integer as a number; ONNX's dimensions and versions stay far below 2^53. */
export function int64(value: bigint): number {
  return Number(BigInt.asIntN(64, value));
}

const decoder = new TextDecoder("utf-8", { fatal: true });

export function text(field: Field): string {
  need(field, WireType.bytes);
  try {
    return decoder.decode(field.bytes);
  } catch {
    throw new WireError(`field ${field.number} is not UTF-8 text`);
  }
}

export function message(field: Field): Uint8Array {
  need(field, WireType.bytes);
  return field.bytes;
}

export function integer(field: Field): number {
  need(field, WireType.varint);
  return int64(field.value);
}

/** A `repeated int64`, packed or not: appends to `into`. */
export function integers(field: Field, into: number[]): void {
  if (field.type === WireType.varint) {
    into.push(int64(field.value));
    return;
  }
  need(field, WireType.bytes);
  const cursor = { at: 0 };
  while (cursor.at < field.bytes.length) into.push(int64(varint(field.bytes, cursor)));
}

/** How many values a packed or unpacked repeated scalar field holds, without decoding it. */
export function countOf(field: Field, size: "varint" | 4 | 8): number {
  if (field.type !== WireType.bytes) return 1;
  if (size !== "varint") {
    if (field.bytes.length % size !== 0)
      throw new WireError(
        `field ${field.number} holds ${field.bytes.length} bytes, not a multiple of ${size}`,
      );
    return field.bytes.length / size;
  }
  let count = 0;
  for (const byte of field.bytes) if (byte < 0x80) count++;
  return count;
}

/** A `float`: four bytes. */
export function float(field: Field): number {
  need(field, WireType.fixed32);
  return new DataView(field.bytes.buffer, field.bytes.byteOffset, 4).getFloat32(0, true);
}

function need(field: Field, type: number): void {
  if (field.type !== type)
    throw new WireError(`field ${field.number} has wire type ${field.type}, not ${type}`);
}

function take(bytes: Uint8Array, cursor: { at: number }, length: number): Uint8Array {
  const end = cursor.at + length;
  if (!(end <= bytes.length))
    throw new WireError(
      `${length} bytes wanted at byte ${cursor.at}, ${bytes.length - cursor.at} left: the ` +
        "file is cut short or is something else",
    );
  const view = bytes.subarray(cursor.at, end);
  cursor.at = end;
  return view;
}

function varint(bytes: Uint8Array, cursor: { at: number }): bigint {
  // The low 28 bits as a number (nearly all varints end there), the rest as a bigint.
  let low = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = at(bytes, cursor);
    low |= (byte & 0x7f) << shift;
    if (byte < 0x80) return BigInt(low);
  }
  let value = BigInt(low);
  for (let shift = 28n; shift < 70n; shift += 7n) {
    const byte = at(bytes, cursor);
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return BigInt.asUintN(64, value);
  }
  throw new WireError(`a number of more than ten bytes ends at byte ${cursor.at}`);
}

function at(bytes: Uint8Array, cursor: { at: number }): number {
  const byte = bytes[cursor.at++];
  if (byte === undefined)
    throw new WireError("the file ends inside a number: it is cut short or is something else");
  return byte;
}

/** A field as it was read, written again. */
export function sameField(field: Field): Uint8Array {
  if (field.type === WireType.bytes) return bytesField(field.number, field.bytes);
  if (field.type === WireType.varint) return integerField(field.number, field.value);
  return concatBytes([
    encodeVarint((BigInt(field.number) << 3n) | BigInt(field.type)),
    field.bytes,
  ]);
}

/** A length-delimited field: a string, a nested message or raw bytes. */
export function bytesField(
  number: number,
  payload: Uint8Array | string | readonly Uint8Array[],
): Uint8Array {
  const parts =
    typeof payload === "string"
      ? [new TextEncoder().encode(payload)]
      : payload instanceof Uint8Array
        ? [payload]
        : payload;
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return concatBytes([
    encodeVarint((BigInt(number) << 3n) | BigInt(WireType.bytes)),
    encodeVarint(BigInt(length)),
    ...parts,
  ]);
}

/** Key and length of a length-delimited field, for a payload that is written after it. */
export function bytesFieldHead(number: number, length: number): Uint8Array {
  return concatBytes([
    encodeVarint((BigInt(number) << 3n) | BigInt(WireType.bytes)),
    encodeVarint(BigInt(length)),
  ]);
}

/** An integer field; negative numbers take ten bytes, as the format wants. */
export function integerField(number: number, value: number | bigint): Uint8Array {
  return concatBytes([
    encodeVarint(BigInt(number) << 3n),
    encodeVarint(BigInt.asUintN(64, BigInt(value))),
  ]);
}

/** A `float` field. */
export function floatField(number: number, value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return concatBytes([encodeVarint((BigInt(number) << 3n) | BigInt(WireType.fixed32)), bytes]);
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function encodeVarint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
