// image/: a file or its bytes in, 8-bit RGB pixels and a model's input tensor out. It never sees a
// model, a label or a score.
import sharp, { type Sharp } from "sharp";
import { oneOf, UserError } from "../errors.js";
import { endsEarly } from "./image-end.js";
import { emptyImage, readImageFile } from "./image-file.js";
import { describeStart, imageFormat, type ImageFormat, imageFormats } from "./image-format.js";
import { patchOf } from "./resize.js";
import { MAX_SIDE } from "./resize-taps.js";
import type { Box, Pixels } from "../types.js";

// Pictures are read once: a cache of operations would only hold memory. One thread a picture:
// callers run pictures side by side.
sharp.cache(false);
sharp.concurrency(1);

/** Most pixels that a picture may claim: 100 megapixels, 300 MB decoded. */
export const DEFAULT_MAX_PIXELS = 100_000_000;

export interface DecodeOptions {
  /** Refuse pictures of more pixels than this, by their header. */
  readonly maxPixels?: number;
  /** What to call a picture given as bytes in errors. */
  readonly file?: string;
}

/**
 * Decodes a picture, a file or its bytes, to 8-bit RGB as OpenCV's `imread(…, IMREAD_COLOR)` does:
 * EXIF orientation applied, alpha dropped without compositing, 16 bits cut to their upper 8, colour
 * profiles ignored, the first frame or page of several. The format is told from the content, not
 * from the name. docs/methodology lists where results differ from OpenCV's.
 *
 * @throws UserError `image-unreadable`, `image-truncated`, `image-too-large` or `image-empty`.
 */
export async function decode(
  source: string | Uint8Array,
  options: DecodeOptions = {},
): Promise<Pixels> {
  const maxPixels = options.maxPixels ?? DEFAULT_MAX_PIXELS;
  const file = typeof source === "string" ? source : options.file;
  const bytes =
    typeof source === "string"
      ? await readImageFile(source, maxPixels, (start) => void knownFormat(start, file))
      : source;
  if (bytes.length === 0) throw emptyImage(file);
  const format = knownFormat(bytes, file);
  try {
    const { width, height, space } = await sharp(bytes, {
      limitInputPixels: false,
      failOn: "error",
    }).metadata();
    if (width * height > maxPixels || Math.max(width, height) > MAX_SIDE)
      throw tooLarge(width, height, maxPixels, file);
    return space === "cmyk"
      ? await decodeCmyk(bytes, maxPixels)
      : await decodeColour(bytes, maxPixels);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const ended = format === "jpeg" ? withEnd(bytes) : null;
    // Every value is there: strictly, so that a scan that is cut stays an error.
    if (ended) {
      const pixels = await decodeColour(ended, maxPixels, "warning").catch(() => null);
      if (pixels) return pixels;
    }
    throw undecodable(bytes, format, file, error as Error);
  }
}

/** A JPEG with the marker of its end, where that is all that may be missing; else null. */
function withEnd(bytes: Uint8Array): Uint8Array | null {
  if (bytes.at(-2) === 0xff && bytes.at(-1) === 0xd9) return null;
  const rest = bytes.at(-1) === 0xff ? [0xd9] : [0xff, 0xd9];
  return Buffer.concat([bytes, Uint8Array.from(rest)]);
}

function opened(bytes: Uint8Array, maxPixels: number, failOn: "error" | "warning"): Sharp {
  return sharp(bytes, {
    failOn,
    ignoreIcc: true,
    autoOrient: true,
    limitInputPixels: maxPixels,
  });
}

async function decodeColour(
  bytes: Uint8Array,
  maxPixels: number,
  failOn: "error" | "warning" = "error",
): Promise<Pixels> {
  const { data, info } = await opened(bytes, maxPixels, failOn)
    .toColourspace("srgb")
    .removeAlpha()
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  if (channels !== 3) throw new Error(`decoded to ${channels} channels`);
  return { data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength), width, height };
}

/**
 * Inks to RGB with OpenCV's formula (`icvCvt_CMYK2BGR_8u_C4C3R`), where sharp would go through a
 * colour profile.
 */
async function decodeCmyk(bytes: Uint8Array, maxPixels: number): Promise<Pixels> {
  const { data: inks, info } = await opened(bytes, maxPixels, "error")
    .pipelineColourspace("cmyk")
    .toColourspace("cmyk")
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  if (channels < 4) throw new Error(`decoded to ${channels} inks`);
  const data = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < data.length; from += channels, to += 3) {
    const light = 255 - inks[from + 3]!;
    for (let c = 0; c < 3; c++) data[to + c] = light - ((inks[from + c]! * light) >> 8);
  }
  return { data, width, height };
}

/** @throws UserError `image-unreadable` where the first bytes are of no format that is read. */
function knownFormat(start: Uint8Array, file: string | undefined): ImageFormat {
  const format = imageFormat(start);
  if (format) return format;
  throw new UserError({
    code: "image-unreadable",
    message: "the content is no picture that can be read, whatever the name says",
    ...(file !== undefined && { file }),
    expected: oneOf(imageFormats),
    found: describeStart(start),
    fix: "convert it to JPEG or PNG, or take it off the list",
  });
}

function tooLarge(
  width: number,
  height: number,
  maxPixels: number,
  file: string | undefined,
): UserError {
  return new UserError({
    code: "image-too-large",
    message: "the picture has too many pixels",
    ...(file !== undefined && { file }),
    expected: `at most ${maxPixels} pixels and ${MAX_SIDE} a side`,
    found: `${width} x ${height} by its header`,
    fix: "scale it down, or raise the pixel limit if its source is trusted",
  });
}

function undecodable(
  bytes: Uint8Array,
  format: ImageFormat,
  file: string | undefined,
  error: Error,
): UserError {
  const named = file !== undefined && { file };
  const found = `${format}: ${error.message.trim().split("\n")[0]!.slice(0, 200)}`;
  if (endsEarly(bytes, format, error.message)) {
    return new UserError(
      {
        code: "image-truncated",
        message: "the picture ends early",
        ...named,
        found,
        fix: "copy or download the picture again",
      },
      { cause: error },
    );
  }
  return new UserError(
    {
      code: "image-unreadable",
      message: "the picture cannot be decoded",
      ...named,
      found,
      fix: "copy or download the picture again, or convert it to JPEG or PNG",
    },
    { cause: error },
  );
}

/**
 * Copies a window out of a picture.
 *
 * @throws RangeError where the box is empty, not made of integers or not inside the picture.
 */
export function crop(pixels: Pixels, box: Box): Pixels {
  const { data, offset, stride, width, height } = patchOf(pixels, box);
  const out = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const start = offset + y * stride;
    out.set(data.subarray(start, start + width * 3), y * width * 3);
  }
  return { data: out, width, height };
}

/** A picture as a JPEG file; quality 1 to 100. */
export async function encodeJpeg(pixels: Pixels, quality = 90): Promise<Buffer> {
  return raw(pixels).jpeg({ quality }).toBuffer();
}

/** A picture as a WebP file; quality 1 to 100. */
export async function encodeWebp(pixels: Pixels, quality = 90): Promise<Buffer> {
  return raw(pixels).webp({ quality }).toBuffer();
}

/** A picture as a PNG file, without loss. */
export async function encodePng(pixels: Pixels): Promise<Buffer> {
  return raw(pixels).png().toBuffer();
}

function raw({ data, width, height }: Pixels): Sharp {
  return sharp(data, { raw: { width, height, channels: 3 } });
}
