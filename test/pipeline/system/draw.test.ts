import { XMLParser, XMLValidator } from "fast-xml-parser";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  annotate,
  type Annotation,
  escapeXml,
  shortened,
} from "../../../src/pipeline/system/draw.js";
import { decode } from "../../../src/pipeline/image/image.js";
import type { Box, Pixels } from "../../../src/pipeline/types.js";

const plain = (width: number, height: number): Pixels => ({
  data: new Uint8Array(width * height * 3).fill(50),
  width,
  height,
});
const box = (x0: number, y0: number, x1: number, y1: number): Box => ({ x0, y0, x1, y1 });
const red = [255, 0, 0] as const;

const drawn = async (pixels: Pixels, list: readonly Annotation[]): Promise<Pixels> =>
  decode(await annotate(pixels, list, { format: "png" }));
const at = ({ data, width }: Pixels, x: number, y: number): number[] => [
  ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
];

describe("annotate", () => {
  test("frames a box from within, to the pixel", async () => {
    const out = await drawn(plain(20, 10), [{ box: box(3, 2, 9, 7), label: "", colour: red }]);
    for (let y = 0; y < 10; y++) {
      for (let x = 0; x < 20; x++) {
        const inside = x >= 3 && x < 9 && y >= 2 && y < 7;
        const core = x >= 4 && x < 8 && y >= 3 && y < 6;
        expect(at(out, x, y), `${x}, ${y}`).toEqual(inside && !core ? [255, 0, 0] : [50, 50, 50]);
      }
    }
  });

  test("leaves the picture as it was, and draws nothing for no boxes", async () => {
    const pixels = plain(20, 10);
    await annotate(pixels, [{ box: box(0, 0, 20, 10), label: "x", colour: red }]);
    expect(pixels).toEqual(plain(20, 10));
    expect(await drawn(pixels, [])).toEqual(pixels);
  });

  test("boxes beyond the edge are cut, boxes outside or of no number are left out", async () => {
    const out = await drawn(plain(20, 10), [
      { box: box(-50, -50, 100, 100), label: "", colour: red },
      { box: box(30, 30, 40, 40), label: "gone" },
      { box: box(NaN, 0, 5, 5), label: "gone" },
      { box: box(5, 5, 5, 8), label: "gone" },
    ]);
    expect([at(out, 0, 0), at(out, 19, 9), at(out, 10, 5)]).toEqual([
      [255, 0, 0],
      [255, 0, 0],
      [50, 50, 50],
    ]);
  });

  test("a label covers a strip above the box in the box's colour, inside the picture", async () => {
    const out = await drawn(plain(200, 120), [
      { box: box(20, 60, 180, 110), label: "tea", score: 0.5, colour: red },
    ]);
    expect(at(out, 21, 59)).toEqual([255, 0, 0]);
    expect(at(out, 21, 30)).toEqual([50, 50, 50]);
    const high = await drawn(plain(200, 120), [
      { box: box(190, 0, 200, 40), label: "a long label at the edge", colour: red },
    ]);
    expect(at(high, 100, 8)).not.toEqual([50, 50, 50]);
  });

  test.each([
    [1, 1],
    [2, 300],
    [300, 2],
    [16, 16],
  ])("a picture of %s x %s takes any label", async (width, height) => {
    const out = await drawn(plain(width, height), [
      { box: box(0, 0, width, height), label: "a label that is far too long for this", score: 1 },
    ]);
    expect([out.width, out.height]).toEqual([width, height]);
  });

  test("hostile labels are drawn as text", async () => {
    const labels = [
      "</text><script>alert(1)</script>",
      '<!ENTITY x SYSTEM "file:///etc/passwd">&x;',
      "]]>",
      "&#0;",
      "\u0000\u001b[31m",
      "\ud800",
      "\udc00x",
      "\ufffe",
      "%s%n",
      "\u202eright to left",
      "日本語".repeat(40),
      "👩‍👩‍👧‍👦".repeat(20),
      "a".repeat(100_000),
      "",
    ];
    for (const label of labels) {
      const out = await drawn(plain(120, 60), [
        { box: box(10, 30, 90, 58), label, score: 0.123, colour: red },
      ]);
      expect([out.width, out.height], label.slice(0, 20)).toEqual([120, 60]);
      expect(at(out, 10, 40), label.slice(0, 20)).toEqual([255, 0, 0]);
    }
  });

  test("writes JPEG unless PNG is asked for", async () => {
    expect([...(await annotate(plain(8, 8), [])).subarray(0, 2)]).toEqual([0xff, 0xd8]);
    expect((await annotate(plain(8, 8), [], { format: "png" })).subarray(1, 4).toString()).toBe(
      "PNG",
    );
  });

  test("refuses pixels that do not hold what they say", async () => {
    await expect(annotate({ data: new Uint8Array(5), width: 2, height: 2 }, [])).rejects.toThrow(
      RangeError,
    );
  });
});

describe("label text", () => {
  test("is short, on one line, and well-formed inside XML", () => {
    const parser = new XMLParser({ parseTagValue: false, trimValues: false });
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 120 }), (label) => {
        const text = shortened(label);
        expect([...text].length).toBeLessThanOrEqual(48);
        expect(text).not.toMatch(/[\n\r\t\u0000-\u001f]/);
        const xml = `<t>${escapeXml(text)}</t>`;
        expect(XMLValidator.validate(xml)).toBe(true);
        if (text !== "") expect((parser.parse(xml) as { t: string }).t).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  test("keeps what is harmless", () => {
    expect(shortened("东方树叶 (500 ml) & co")).toBe("东方树叶 (500 ml) & co");
    expect(escapeXml(`<a b="c" d='e'>&`)).toBe("&lt;a b=&quot;c&quot; d=&apos;e&apos;&gt;&amp;");
    expect(shortened("x".repeat(49))).toBe(`${"x".repeat(47)}…`);
    expect(shortened("x".repeat(48))).toBe("x".repeat(48));
  });
});
