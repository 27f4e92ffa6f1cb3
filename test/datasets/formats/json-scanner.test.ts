import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { textSource } from "../../../datasets/formats/byte-source.js";
import { JsonScanner } from "../../../datasets/formats/json-scanner.js";
import { endOfObject, KeyTable, unknownKey } from "../../../datasets/formats/key-table.js";
import { UserError } from "../../../src/pipeline/errors.js";
import { complaintOf } from "../../complaint.js";

const scan = (
  text: string | Uint8Array,
  { chunk = Infinity, window = 1 << 16 } = {},
): JsonScanner => new JsonScanner("file.json", textSource(text, chunk), window);

function readNumber(text: string, how = {}): number {
  const scanner = scan(text, how);
  const value = scanner.number();
  scanner.finish();
  return value;
}

function accepts(text: string, how = {}): boolean {
  try {
    const scanner = scan(text, how);
    scanner.skip();
    scanner.finish();
    return true;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Everything but the names of keys. */
function readValue(scanner: JsonScanner): unknown {
  if (scanner.atString) return scanner.string();
  if (scanner.atNumber) return scanner.number();
  const values: unknown[] = [];
  if (scanner.atArray) {
    scanner.enterArray();
    while (scanner.nextItem()) values.push(readValue(scanner));
    return values;
  }
  if (scanner.atObject) {
    scanner.enterObject();
    while (scanner.nextKey(new KeyTable([])) !== endOfObject) values.push(readValue(scanner));
    return { values };
  }
  return JSON.parse(scanner.found()) as unknown;
}

function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shape);
  if (value !== null && typeof value === "object")
    return { values: Object.values(value).map(shape) };
  return value;
}

/** JSON with blanks in all places and characters escaped here and there. */
const spaced = fc
  .record({
    value: fc.jsonValue({ maxDepth: 4 }),
    indent: fc.constantFrom("", " ", "\t", "\r\n  "),
    escape: fc.boolean(),
  })
  .map(({ value, indent, escape }) => {
    const text = JSON.stringify(value, null, indent);
    return escape
      ? text.replace(
          /[\u0080-\uffff]/g,
          (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
        )
      : text;
  });
const cut = fc.record({
  chunk: fc.constantFrom(1, 2, 3, 7, 1000),
  window: fc.constantFrom(1, 2, 5, 64, 4096),
});

describe("JsonScanner", () => {
  it(
    "reads what JSON.parse reads, whatever the blanks, the escapes, the chunks and the " + "window",
    () => {
      fc.assert(
        fc.property(spaced, cut, (text, how) => {
          const scanner = scan(text, how);
          expect(readValue(scanner)).toEqual(shape(JSON.parse(text)));
          scanner.finish();
        }),
        { seed: 1, numRuns: 400 },
      );
    },
  );

  it("accepts and refuses what JSON.parse does, one character changed, dropped or doubled", () => {
    const edit = fc.record({
      at: fc.nat(),
      kind: fc.constantFrom("change", "drop", "double", "cut"),
      to: fc.constantFrom(...'{}[]",:.-+eE019 tnfu\\\n\t\u0000x'),
    });
    fc.assert(
      fc.property(spaced, edit, cut, (text, { at, kind, to }, how) => {
        const i = at % text.length;
        const c = text[i]!;
        const edited =
          text.slice(0, i) +
          (kind === "change" ? to : kind === "double" ? c + c : "") +
          (kind === "cut" ? "" : text.slice(i + 1));
        // lone surrogates come out of UTF-8 as replacement characters
        fc.pre(!/\\u[dD][89a-fA-F]/.test(edited));
        expect(accepts(edited, how)).toBe(parses(edited));
      }),
      { seed: 2, numRuns: 4000 },
    );
  });

  it.each([
    "0",
    "-0",
    "-0.0",
    "1",
    "-1.5",
    "1e3",
    "1E+3",
    "1e-3",
    "0e5",
    "0.1",
    "123456789",
    "1234567890",
    "9007199254740991",
    "9007199254740992",
    "9007199254740993",
    "9007199254740995",
    "18014398509481986",
    "0.30000000000000004",
    "258.1499938964844",
    "0.13842134177684784",
    "5e-324",
    "2.4703282292062328e-324",
    "1.7976931348623157e308",
    "1e400",
    "-1e400",
    "1e-400",
    "123456789012345678",
    "1234567890123456789012345678901234567890",
    "0.000000000000000000000000000000123",
    "1e22",
    "1e23",
    "9.5e-05",
    "100000000000000000000000",
    "8.5e+00",
    "0.00000000000000000000000000000000000000000000000000000000000000000000000000000001",
  ])("reads %s to the last bit", (text) => {
    for (const how of [{}, { chunk: 1, window: 1 }])
      expect(readNumber(text, how)).toBe(Number(text));
  });

  it("reads the numbers that lie halfway between two doubles as JSON.parse does", () => {
    for (let i = 0; i < 500; i++) {
      // Odd integers above 2^53 are halfway; so are these over powers of ten.
      const digits = String(2n ** 53n + BigInt(2 * i + 1));
      for (const text of [
        digits,
        `${digits}0`,
        `${digits.slice(0, 5)}.${digits.slice(5)}`,
        `0.${digits}`,
        `${2 ** 54 + 4 * i + 2}`,
      ])
        expect(readNumber(text)).toBe(Number(text));
    }
  });

  it("reads the decimals of up to 18 digits that come closest to halfway", () => {
    // m / 10^k lies beside Q half units of 2^-a, Q odd, where m 2^b and Q 5^k differ by 1 (b = a -
    // k): Q is an inverse of 5^k.
    const hard: string[] = [];
    for (let k = 8n; k <= 22n; k++) {
      for (let b = 1n; b < 54n; b++) {
        const [five, two] = [5n ** k, 2n ** b];
        let inverse = 1n; // Newton's iteration doubles the bits that are right
        for (let bits = 1n; bits < b; bits *= 2n)
          inverse = (((inverse * (2n - five * inverse)) % two) + two) % two;
        for (const by of [1n, -1n]) {
          const least = (((by * inverse) % two) + two) % two;
          for (const j of [0n, 1n, 1000n]) {
            const Q = least + (2n ** 53n / two + j) * two;
            const m = (Q * five - by) / two;
            if (Q >= 2n ** 54n || m >= 10n ** 18n || m < 2n ** 53n) continue;
            expect(Q * five - m * two).toBe(by);
            const digits = String(m).padStart(Number(k) + 1, "0");
            hard.push(`${digits.slice(0, -Number(k))}.${digits.slice(-Number(k))}`);
          }
        }
      }
    }
    expect(hard.length).toBeGreaterThan(30);
    for (const text of hard) expect(readNumber(text)).toBe(Number(text));
  });

  it("reads any double, however it is written", () => {
    const double = fc.double({ noNaN: true, noDefaultInfinity: true });
    const written = fc.oneof(
      double.map(String),
      double.map((v) => String(Math.fround(v)).replace("Infinity", "1")),
      fc
        .tuple(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.integer({ min: 0, max: 20 }))
        .map(([v, n]) => v.toFixed(n)),
      fc.tuple(double, fc.integer({ min: 0, max: 20 })).map(([v, n]) => v.toExponential(n)),
      fc
        .tuple(fc.bigInt({ min: 0n, max: 10n ** 20n }), fc.nat(24))
        .map(([n, k]) => (k === 0 ? String(n) : `${n}.${String(n).padStart(k, "0").slice(-k)}`)),
    );
    fc.assert(
      fc.property(written, (text) => {
        expect(Object.is(readNumber(text), Number(text)) || `${text}: ${readNumber(text)}`).toBe(
          true,
        );
      }),
      { seed: 3, numRuns: 5000 },
    );
  });

  it("reads NaN and the infinities that Python writes, for the caller to refuse", () => {
    expect([
      readNumber("NaN"),
      readNumber("Infinity"),
      readNumber("-Infinity", { chunk: 1, window: 1 }),
    ]).toEqual([NaN, Infinity, -Infinity]);
  });

  it("finds keys by name, escaped or not", () => {
    const keys = new KeyTable(["id", "bbox", "image_id"]);
    const scanner = scan('{"id":1,"image_id":2,"other":3,"\\u0062box":4,"ix":5,"é":6,"":7}', {
      chunk: 1,
      window: 4,
    });
    scanner.enterObject();
    const found: number[] = [];
    for (let key; (key = scanner.nextKey(keys)) !== endOfObject; scanner.skip()) found.push(key);
    expect(found).toEqual([0, 2, unknownKey, 1, unknownKey, unknownKey, unknownKey]);
  });

  it("passes over a byte order mark", () => {
    expect(accepts("\ufeff[1]", { chunk: 1 })).toBe(true);
  });

  it("names the byte, what was expected and what was found", async () => {
    const faults: [string, string, string, string][] = [
      ["[1, 2", "byte 5", "a value", "the end of the file"],
      ['{"a" 1}', "byte 5", "a colon", '"1}"'],
      ["[1 2]", "byte 3", "a comma or ]", '"2]"'],
      ["[01]", "byte 1", "a number without leading zeros", '"01]"'],
      ['["\u0001"]', "byte 2", "an escape instead of a bare control character", '"\\u0001\\"]"'],
      ["[1] x", "byte 4", "the end of the file", '"x"'],
      ["[nul]", "byte 1", "a value", '"nul]"'],
      ["", "byte 0", "a value", "the end of the file"],
    ];
    for (const [text, path, expected, found] of faults) {
      expect(
        await complaintOf(() => {
          const s = scan(text);
          s.skip();
          s.finish();
        }),
      ).toMatchObject({ code: "json-syntax", file: "file.json", path, expected, found });
    }
    // The offset is that of the file, not of the window.
    expect(
      await complaintOf(() => scan(`[${"1,".repeat(5000)}?]`, { window: 64 }).skip()),
    ).toMatchObject({ path: "byte 10001" });
  });

  it("refuses nesting without end", async () => {
    expect(await complaintOf(() => scan("[".repeat(100_000)).skip())).toMatchObject({
      code: "json-syntax",
      expected: "at most 1000 levels of nesting",
    });
  });

  it("holds a window, not the file: 32 MB pass through 4 KiB", () => {
    const parts = function* (): Generator<Buffer> {
      yield Buffer.from("[");
      const part = Buffer.from('123.25,-4,[5],"six",'.repeat(100));
      for (let given = 0; given < 32 << 20; given += part.length) yield part;
      yield Buffer.from(`"${"x".repeat(100_000)}"]`); // skipped without being held, too
    };
    const source = parts();
    let part = Buffer.alloc(0);
    let largest = 0;
    const scanner = new JsonScanner(
      "file.json",
      (into, at) => {
        largest = Math.max(largest, into.length);
        if (part.length === 0) part = source.next().value ?? part;
        const n = Math.min(part.length, into.length - at);
        into.set(part.subarray(0, n), at);
        part = part.subarray(n);
        return n;
      },
      4096,
    );
    scanner.skip();
    scanner.finish();
    expect(source.next().done).toBe(true);
    expect(largest).toBe(4096);
  });
});
