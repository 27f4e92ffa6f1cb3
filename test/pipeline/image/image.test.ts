import { Worker } from "node:worker_threads";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import {
  crop,
  decode,
  encodeJpeg,
  encodePng,
  encodeWebp,
} from "../../../src/pipeline/image/image.js";
import type { Pixels } from "../../../src/pipeline/types.js";
import { shared, sharedData } from "../../shared-data.js";
import { colourType, png } from "./png-writer.js";

/** 3 x 2 pixels of six plain colours. */
const six: Pixels = {
  data: Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30, 200, 100, 50, 255, 255, 255),
  width: 3,
  height: 2,
};
const raw = (pixels: Pixels) =>
  sharp(pixels.data, { raw: { width: pixels.width, height: pixels.height, channels: 3 } });
const grey = (values: number[]): number[] => values.flatMap((v) => [v, v, v]);

describe("decode", () => {
  test("gives plain bytes in RGB, whatever lossless format they came in", async () => {
    const encoded = {
      png: await raw(six).png().toBuffer(),
      interlaced: await raw(six).png({ progressive: true }).toBuffer(),
      palette: await raw(six).png({ palette: true, quality: 100 }).toBuffer(),
      webp: await raw(six).webp({ lossless: true }).toBuffer(),
      tiff: await raw(six).tiff({ compression: "lzw" }).toBuffer(),
      "big-endian tiff": tiff(six),
    };
    for (const [name, bytes] of Object.entries(encoded)) {
      const pixels = await decode(bytes);
      expect(pixels, name).toEqual(six);
      expect(pixels.data.constructor, name).toBe(Uint8Array);
    }
  });

  test("JPEG and AVIF come near", async () => {
    const flat: Pixels = {
      data: new Uint8Array(32 * 32 * 3).map((_, i) => [200, 100, 50][i % 3]!),
      width: 32,
      height: 32,
    };
    for (const bytes of [
      await raw(flat).jpeg({ quality: 95 }).toBuffer(),
      await raw(flat).avif({ quality: 95 }).toBuffer(),
    ]) {
      const { data } = await decode(bytes);
      expect(data.every((v, i) => Math.abs(v - flat.data[i]!) <= 3)).toBe(true);
    }
  });

  test.each([
    // Where the stored top-left pixel ends up, and the shown size, for each of EXIF's orientations.
    [1, [3, 2], [0, 0]],
    [2, [3, 2], [2, 0]],
    [3, [3, 2], [2, 1]],
    [4, [3, 2], [0, 1]],
    [5, [2, 3], [0, 0]],
    [6, [2, 3], [1, 0]],
    [7, [2, 3], [1, 2]],
    [8, [2, 3], [0, 2]],
  ] as const)("applies EXIF orientation %s", async (orientation, [width, height], [x, y]) => {
    const shown = await decode(await raw(six).withMetadata({ orientation }).png().toBuffer());
    expect([shown.width, shown.height]).toEqual([width, height]);
    expect([...shown.data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)]).toEqual([
      255, 0, 0,
    ]);
  });

  test("drops alpha without compositing", async () => {
    const rows = [Uint8Array.of(255, 0, 0, 0, 1, 2, 3, 128)];
    expect([
      ...(await decode(png({ width: 2, height: 1, depth: 8, type: colourType.rgba, rows }))).data,
    ]).toEqual([255, 0, 0, 1, 2, 3]);
    const greys = [Uint8Array.of(77, 0, 5, 255)];
    expect([
      ...(
        await decode(
          png({ width: 2, height: 1, depth: 8, type: colourType.greyAlpha, rows: greys }),
        )
      ).data,
    ]).toEqual(grey([77, 5]));
  });

  test("reads a palette, with its transparency dropped", async () => {
    const chunks = [
      ["PLTE", Uint8Array.of(9, 8, 7, 250, 0, 1, 0, 0, 99)],
      ["tRNS", Uint8Array.of(0, 128)],
    ] as const;
    const bytes = png({
      width: 3,
      height: 1,
      depth: 2,
      type: colourType.palette,
      rows: [Uint8Array.of(0b00_01_10_00)],
      chunks,
    });
    expect([...(await decode(bytes)).data]).toEqual([9, 8, 7, 250, 0, 1, 0, 0, 99]);
  });

  test("spreads grey, also of 1 and 4 bits", async () => {
    const one = png({
      width: 4,
      height: 1,
      depth: 1,
      type: colourType.grey,
      rows: [Uint8Array.of(0b0101_0000)],
    });
    expect([...(await decode(one)).data]).toEqual(grey([0, 255, 0, 255]));
    const four = png({
      width: 3,
      height: 1,
      depth: 4,
      type: colourType.grey,
      rows: [Uint8Array.of(0x0f, 0x70)],
    });
    expect([...(await decode(four)).data]).toEqual(grey([0, 255, 119]));
  });

  test("cuts 16 bits to the upper 8, as OpenCV: no rounding", async () => {
    const rgb = png({
      width: 1,
      height: 1,
      depth: 16,
      type: colourType.rgb,
      rows: [Uint8Array.of(0x12, 0xff, 0xff, 0xfe, 0x00, 0xff)],
    });
    expect([...(await decode(rgb)).data]).toEqual([0x12, 0xff, 0x00]);
    const greys = png({
      width: 2,
      height: 1,
      depth: 16,
      type: colourType.grey,
      rows: [Uint8Array.of(0x7f, 0xff, 0x80, 0x00)],
    });
    expect([...(await decode(greys)).data]).toEqual(grey([0x7f, 0x80]));
    const rgba = png({
      width: 1,
      height: 1,
      depth: 16,
      type: colourType.rgba,
      rows: [Uint8Array.of(0x12, 0xff, 0x34, 0xff, 0x56, 0xff, 0, 0)],
    });
    expect([...(await decode(rgba)).data]).toEqual([0x12, 0x34, 0x56]);
  });

  test("turns inks into light with OpenCV's formula", async () => {
    // Without a JPEG in between: a CMYK TIFF of cyan, magenta, yellow, black, and a mixture.
    const inks = Uint8Array.of(
      255,
      0,
      0,
      0,
      0,
      255,
      0,
      0,
      0,
      0,
      255,
      0,
      0,
      0,
      0,
      255,
      100,
      50,
      200,
      30,
    );
    const k = 255 - 30;
    const mixed = [100, 50, 200].map((ink) => k - ((ink * k) >> 8));
    const { data } = await decode(tiff({ data: inks, width: 5, height: 1 }, 4));
    // 255 * 255 >> 8 is 254: a full ink leaves 1, in OpenCV too.
    expect([...data]).toEqual([1, 255, 255, 255, 1, 255, 255, 255, 1, 0, 0, 0, ...mixed]);
  });

  test("ignores a colour profile", async () => {
    const tagged = await raw(six).withIccProfile("p3").png().toBuffer();
    expect((await sharp(tagged).metadata()).icc?.length).toBeGreaterThan(0);
    const untagged = await sharp(tagged, { ignoreIcc: true }).png().toBuffer();
    expect((await sharp(untagged).metadata()).icc).toBeUndefined();
    expect((await decode(tagged)).data).toEqual((await decode(untagged)).data);
  });

  test("takes the first frame of an animation and the first page of a TIFF", async () => {
    const frames = Buffer.concat([Buffer.alloc(4 * 4 * 3, 10), Buffer.alloc(4 * 4 * 3, 240)]);
    const animation = sharp(frames, { raw: { width: 4, height: 8, channels: 3, pageHeight: 4 } });
    for (const bytes of [
      await animation.clone().webp({ lossless: true }).toBuffer(),
      await animation.clone().gif().toBuffer(),
    ]) {
      expect((await sharp(bytes).metadata()).pages).toBe(2);
      const { data, width, height } = await decode(bytes);
      expect([width, height]).toEqual([4, 4]);
      expect(data.every((v) => v < 20)).toBe(true);
    }
  });

  test("one pixel is a picture", async () => {
    const one = { data: Uint8Array.of(3, 2, 1), width: 1, height: 1 };
    expect(await decode(await encodePng(one))).toEqual(one);
  });

  test("decodes whole pictures, not reduced ones", async () => {
    // A decoder that shrinks while loading would blur this pattern of single pixels.
    const data = new Uint8Array(256 * 256 * 3).map((_, i) => (Math.floor(i / 3) % 2 ? 255 : 0));
    const { data: got } = await decode(
      await raw({ data, width: 256, height: 256 })
        .jpeg({ quality: 100, chromaSubsampling: "4:4:4" })
        .toBuffer(),
    );
    expect(got.every((v, i) => Math.abs(v - data[i]!) < 8)).toBe(true);
  });

  test("works in several worker threads at once", async () => {
    const bytes = await encodePng(six);
    const script = new URL("./image-decode-worker.mjs", import.meta.url);
    const all = await Promise.all(
      Array.from(
        { length: 3 },
        () =>
          new Promise<Uint8Array>((done, fail) => {
            const worker = new Worker(script, { workerData: { bytes, rounds: 30 } });
            worker.once("message", done).once("error", fail);
          }),
      ),
    );
    for (const data of all) expect(new Uint8Array(data)).toEqual(six.data);
  });
});

describe("crop", () => {
  test("copies the window", () => {
    expect(crop(six, { x0: 1, y0: 0, x1: 3, y1: 2 })).toEqual({
      data: Uint8Array.of(0, 255, 0, 0, 0, 255, 200, 100, 50, 255, 255, 255),
      width: 2,
      height: 2,
    });
    const all = crop(six, { x0: 0, y0: 0, x1: 3, y1: 2 });
    expect(all).toEqual(six);
    expect(all.data.buffer).not.toBe(six.data.buffer);
  });

  test.each([
    [-1, 0, 2, 2],
    [0, 0, 4, 2],
    [1, 1, 1, 2],
    [0.5, 0, 2, 2],
    [0, 0, NaN, 2],
  ])("refuses [%s, %s, %s, %s]", (x0, y0, x1, y1) => {
    expect(() => crop(six, { x0, y0, x1, y1 })).toThrow(RangeError);
  });
});

test("what is written can be read again", async () => {
  expect(await decode(await encodePng(six))).toEqual(six);
  const flat: Pixels = { data: new Uint8Array(16 * 16 * 3).fill(120), width: 16, height: 16 };
  for (const bytes of [
    await encodeJpeg(flat),
    await encodeWebp(flat),
    await encodeJpeg(flat, 50),
  ]) {
    expect((await decode(bytes)).data.every((v) => Math.abs(v - 120) <= 2)).toBe(true);
  }
});

describe.skipIf(!sharedData)("real photos", () => {
  test("decode to the size that their header says", async () => {
    for (const name of ["001.jpeg", "002.jpeg", "003.jpeg"]) {
      const file = shared("drink", "test_images", name);
      const { width, height } = await sharp(file).metadata();
      const pixels = await decode(file);
      expect([pixels.width, pixels.height, pixels.data.length]).toEqual([
        width,
        height,
        width * height * 3,
      ]);
    }
  });
});

/** A big-endian TIFF without compression: 3 channels are RGB, 4 are CMYK. */
function tiff({ data, width, height }: Pixels, channels = 3): Uint8Array {
  const entries: [tag: number, type: 3 | 4, value: number][] = [
    [256, 4, width],
    [257, 4, height],
    [258, 3, 8],
    [259, 3, 1],
    [262, 3, channels === 4 ? 5 : 2],
    [273, 4, 8],
    [277, 3, channels],
    [278, 4, height],
    [279, 4, data.length],
    [284, 3, 1],
  ];
  const directory = Buffer.alloc(2 + entries.length * 12 + 4);
  directory.writeUInt16BE(entries.length, 0);
  entries.forEach(([tag, type, value], i) => {
    directory.writeUInt16BE(tag, 2 + i * 12);
    directory.writeUInt16BE(type, 4 + i * 12);
    directory.writeUInt32BE(1, 6 + i * 12);
    if (type === 3) directory.writeUInt16BE(value, 10 + i * 12);
    else directory.writeUInt32BE(value, 10 + i * 12);
  });
  const header = Buffer.alloc(8);
  header.write("MM\0*", 0, "latin1");
  header.writeUInt32BE(8 + data.length + (data.length % 2), 4);
  return new Uint8Array(Buffer.concat([header, data, Buffer.alloc(data.length % 2), directory]));
}
