import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../../../src/pipeline/errors.js";
import { decode, type DecodeOptions } from "../../../src/pipeline/image/image.js";
import { colourType, png } from "./png-writer.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "image-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** The complaint that decoding ends in; fails where it works, or fails otherwise. */
async function complaint(source: string | Uint8Array, options?: DecodeOptions) {
  const error = await decode(source, options).then(
    () => null,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).complaint;
}

const noise = Uint8Array.from(
  { length: 90 * 60 * 3 },
  (_, i) => (Math.imul(i, 2654435761) >>> 0) >>> 24,
);
const picture = () => sharp(noise, { raw: { width: 90, height: 60, channels: 3 } });
const encoded = {
  jpeg: () => picture().jpeg().toBuffer(),
  "progressive jpeg": () => picture().jpeg({ progressive: true }).toBuffer(),
  png: () => picture().png().toBuffer(),
  webp: () => picture().webp().toBuffer(),
  "lossless webp": () => picture().webp({ lossless: true }).toBuffer(),
  gif: () => picture().gif().toBuffer(),
  tiff: () => picture().tiff({ compression: "lzw" }).toBuffer(),
  avif: () => picture().avif({ effort: 0 }).toBuffer(),
};

describe("a picture cut short", () => {
  test.each(Object.entries(encoded))(
    "%s is reported as truncated, wherever the cut is",
    async (name, make) => {
      const whole = await make();
      await expect(decode(whole)).resolves.toMatchObject({ width: 90, height: 60 });
      for (const part of [0.3, 0.7, 0.97]) {
        const path = file(
          `cut-${name.replace(" ", "-")}.jpg`,
          whole.subarray(0, Math.floor(whole.length * part)),
        );
        expect(await complaint(path), `${part}`).toMatchObject({
          code: "image-truncated",
          file: path,
          fix: expect.stringContaining("again") as string,
        });
      }
    },
  );

  test("a header alone is reported, not decoded", async () => {
    for (const make of Object.values(encoded)) {
      expect((await complaint((await make()).subarray(0, 20))).code).toMatch(
        /^image-(truncated|unreadable)$/,
      );
    }
  });
});

describe("what is no picture", () => {
  test.each([
    ["a text file", "photo.jpg", "this is no photo\n", /a text file/],
    [
      "an SVG drawing",
      "drawing.jpg",
      '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>',
      /SVG/,
    ],
    ["an SVG drawing with a declaration", "drawing.svg", '<?xml version="1.0"?><svg/>', /SVG/],
    [
      "a web page, as a failed download leaves it",
      "photo.png",
      "<!DOCTYPE html><html></html>",
      /HTML/,
    ],
    ["a PDF file", "photo.pdf", "%PDF-1.7\n%\u00e2", /PDF/],
    ["a BMP picture", "photo.bmp", "BM\u0000\u0000\u0000\u0000\u0000", /BMP/],
    [
      "a HEIC photo",
      "photo.heic",
      "\u0000\u0000\u0000\u0018ftypheic\u0000\u0000\u0000\u0000mif1heic",
      /ISO media file \(heic\)/,
    ],
    [
      "zero bytes in a row",
      "photo.jpg",
      "\u0000\u0000\u0000\u0000\u0000\u0000",
      /bytes 00 00 00 00/,
    ],
    ["one byte", "photo.jpg", "\u00ff", /bytes ff|c3/],
  ])("%s is refused by its content", async (_, name, content, found) => {
    const path = file(name, Buffer.from(content, "latin1"));
    const said = await complaint(path);
    expect(said).toMatchObject({
      code: "image-unreadable",
      file: path,
      expected: "jpeg, png, webp, tiff, gif or avif",
    });
    expect(said.found).toMatch(found);
    expect(said.fix).toBeTruthy();
  });

  test.each([
    ["JPEG", "\xff\xd8\xff\xe0 and then nonsense that goes on for a while"],
    ["PNG", "\x89PNG\r\n\x1a\n and then nonsense IEND"],
    ["TIFF", "II*\0\x08\0\0\0 nonsense that has no directory"],
    ["GIF", "GIF89a"],
  ])("%s by its first bytes only", async (_, content) => {
    expect((await complaint(new Uint8Array(Buffer.from(content, "latin1")))).code).toMatch(
      /^image-(truncated|unreadable)$/,
    );
  });

  test("a PNG with damaged data", async () => {
    const bytes = Buffer.from(await encoded.png());
    bytes[bytes.length >> 1]! ^= 0xff;
    expect(await complaint(bytes, { file: "damaged.png" })).toMatchObject({
      code: "image-unreadable",
      file: "damaged.png",
    });
  });
});

describe("what has no bytes", () => {
  test("as a file and as an array", async () => {
    const path = file("nothing.jpg", "");
    expect(await complaint(path)).toMatchObject({ code: "image-empty", file: path });
    expect(await complaint(new Uint8Array(), { file: "sent.jpg" })).toMatchObject({
      code: "image-empty",
      file: "sent.jpg",
    });
    expect(await complaint(new Uint8Array())).not.toHaveProperty("file");
  });
});

describe("what is too large", () => {
  // 50,000 x 50,000 pixels of one colour: 7.5 GB decoded, from a file of a few hundred bytes.
  const bomb = (width: number, height: number): Uint8Array =>
    png({
      width,
      height,
      depth: 8,
      type: colourType.rgb,
      rows: { idat: deflateSync(Buffer.alloc(1000)) },
    });

  test("a zip-bomb PNG is refused by its header, in no time and memory", async () => {
    const path = file("bomb.png", bomb(50_000, 50_000));
    const before = process.memoryUsage().rss;
    expect(await complaint(path)).toMatchObject({
      code: "image-too-large",
      file: path,
      expected: expect.stringContaining("100000000 pixels") as string,
      found: "50000 x 50000 by its header",
    });
    expect(process.memoryUsage().rss - before).toBeLessThan(200e6);
  });

  test("the limit is inclusive and can be set", async () => {
    const bytes = await encoded.png();
    await expect(decode(bytes, { maxPixels: 90 * 60 })).resolves.toMatchObject({ width: 90 });
    expect((await complaint(bytes, { maxPixels: 90 * 60 - 1 })).code).toBe("image-too-large");
    expect((await complaint(await encoded.jpeg(), { maxPixels: 10 })).found).toBe(
      "90 x 60 by its header",
    );
  });

  test("the longest side is limited as in OpenCV", async () => {
    expect((await complaint(bomb((1 << 20) + 1, 1))).code).toMatch(
      /^image-(too-large|unreadable)$/,
    );
  });

  test("a file of gigabytes is refused before it is read", async () => {
    const path = file("huge.jpg", Buffer.from([0xff, 0xd8, 0xff, 0xe0]));
    truncateSync(path, 5e9); // sparse: takes no room on the disk
    expect(await complaint(path)).toMatchObject({
      code: "image-too-large",
      found: "5000000000 bytes",
    });
    expect((await complaint(path, { maxPixels: 1000 })).code).toBe("image-too-large");
  });
});

describe("what is no file", () => {
  test("missing, a folder, below a file, a loop of links, a null byte", async () => {
    const one = file("one.jpg", "x");
    mkdirSync(join(folder, "sub"));
    symlinkSync(join(folder, "loop"), join(folder, "loop"));
    const found = async (path: string): Promise<string | undefined> => {
      const said = await complaint(path);
      expect(said).toMatchObject({ code: "image-unreadable", file: path });
      expect(said.fix).toBeTruthy();
      return said.found;
    };
    expect(await found(join(folder, "missing.jpg"))).toBe("no such file");
    expect(await found(join(folder, "sub"))).toBe("no regular file");
    expect(await found(join(one, "below.jpg"))).toBe("a parent of that path is a file");
    expect(await found(join(folder, "loop"))).toBe("a loop of symbolic links");
    expect(await found(join(folder, "a\0b.jpg"))).toBe("a path with a null byte");
    expect(await found(join(folder, "n".repeat(300)))).toBe("a path that is too long");
  });

  test.skipIf(process.platform === "win32")("a pipe without a writer does not hang", async () => {
    const path = join(folder, "pipe.jpg");
    if (spawnSync("mkfifo", [path]).status !== 0) return;
    expect((await complaint(path)).found).toBe("no regular file");
  });
});

test("no damage to a picture ever ends in anything but a picture or a complaint", async () => {
  let state = 7;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const outcomes = new Set<string>();
  for (const make of Object.values(encoded)) {
    const whole = await make();
    for (let round = 0; round < 25; round++) {
      const bytes = Buffer.from(whole);
      for (let hits = 1 + random(8); hits > 0; hits--)
        bytes[random(round % 2 ? bytes.length : Math.min(bytes.length, 200))] = random(256);
      // Damage to the header may claim any size: the limit bounds what is tried.
      const outcome = await decode(bytes, { maxPixels: 1e6 }).then(
        ({ data, width, height }) => {
          expect(data.length).toBe(width * height * 3);
          return "decoded";
        },
        (error: unknown) => (error instanceof UserError ? error.code : String(error)),
      );
      outcomes.add(outcome);
    }
  }
  expect(
    [...outcomes].filter(
      (o) => o !== "decoded" && !/^image-(truncated|unreadable|too-large)$/.test(o),
    ),
  ).toEqual([]);
  expect(outcomes.size).toBeGreaterThan(2);
});
