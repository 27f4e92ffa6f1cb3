import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bytesField,
  concatBytes,
  countOf,
  fields,
  float,
  floatField,
  integer,
  integerField,
  integers,
  sameField,
  text,
  WireError,
} from "../../../src/pipeline/onnx/wire.js";

describe("wire format", () => {
  it("reads the examples of the specification", () => {
    // https://protobuf.dev/programming-guides/encoding/: field 1 = 150, and field 2 = "testing".
    const [a] = [...fields(Uint8Array.of(0x08, 0x96, 0x01))];
    expect([a!.number, integer(a!)]).toEqual([1, 150]);
    const [b] = [...fields(Uint8Array.of(0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67))];
    expect([b!.number, text(b!)]).toEqual([2, "testing"]);
    // -2 as int64 takes ten bytes.
    const [c] = [
      ...fields(Uint8Array.of(0x08, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01)),
    ];
    expect(integer(c!)).toBe(-2);
    const packed: number[] = [];
    integers(
      [...fields(Uint8Array.of(0x32, 0x06, 0x03, 0x8e, 0x02, 0x9e, 0xa7, 0x05))][0]!,
      packed,
    );
    expect(packed).toEqual([3, 270, 86942]);
  });

  it("reads what it writes", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 0x1fffffff }),
        fc.maxSafeInteger(),
        fc.string(),
        fc.float({ noNaN: true }),
        (number, n, s, x) => {
          const bytes = concatBytes([
            integerField(number, n),
            bytesField(number, s),
            floatField(number, x),
          ]);
          const [a, b, c] = [...fields(bytes)];
          expect(integer(a!)).toBe(n);
          expect(text(b!)).toBe(new TextDecoder().decode(new TextEncoder().encode(s)));
          expect(float(c!)).toBe(x);
          expect(concatBytes([a!, b!, c!].map(sameField))).toEqual(bytes);
        },
      ),
    );
  });

  it("hands out views, not copies", () => {
    const bytes = bytesField(9, Uint8Array.of(1, 2, 3));
    expect([...fields(bytes)][0]!.bytes.buffer).toBe(bytes.buffer);
  });

  it.each([
    ["a length beyond the end", [0x12, 0x07, 0x74]],
    ["an end inside a number", [0x08, 0x96]],
    ["a number of eleven bytes", [0x08, ...new Array<number>(10).fill(0xff), 0x01]],
    ["a group", [0x0b, 0x0c]],
    ["field number 0", [0x00, 0x01]],
    ["four bytes that are not there", [0x0d, 0x01, 0x02]],
    ["a length of 2^63", [0x12, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]],
  ])("refuses %s", (_, bytes) => {
    expect(() => [...fields(Uint8Array.from(bytes))]).toThrow(WireError);
  });

  it("refuses text that is not UTF-8, and a field of another type than wanted", () => {
    expect(() => text([...fields(bytesField(1, Uint8Array.of(0xff)))][0]!)).toThrow(WireError);
    expect(() => text([...fields(integerField(1, 5))][0]!)).toThrow(WireError);
    expect(() => integer([...fields(bytesField(1, "x"))][0]!)).toThrow(WireError);
  });

  it("counts packed values without decoding them", () => {
    const field = [...fields(bytesField(4, new Uint8Array(12)))][0]!;
    expect(countOf(field, 4)).toBe(3);
    expect(() => countOf(field, 8)).toThrow(WireError);
    expect(
      countOf(
        [...fields(Uint8Array.of(0x32, 0x06, 0x03, 0x8e, 0x02, 0x9e, 0xa7, 0x05))][0]!,
        "varint",
      ),
    ).toBe(3);
  });
});
