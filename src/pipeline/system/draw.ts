import sharp, { type OverlayOptions } from "sharp";
import { clip } from "../box.js";
import { patchOf } from "../image/resize.js";
import type { Box, Pixels } from "../types.js";

type Colour = readonly [red: number, green: number, blue: number];

export interface Annotation {
  readonly box: Box;
  readonly label: string;
  /** Written after the label with two decimals. */
  readonly score?: number;
  /** Each 0 to 255; taken from a palette unless given. */
  readonly colour?: Colour;
}

export interface AnnotateOptions {
  readonly format?: "jpeg" | "png";
}

/** Okabe and Ito's palette without black: seven colours that most people can tell apart. */
const palette: readonly Colour[] = [
  [213, 94, 0],
  [0, 114, 178],
  [0, 158, 115],
  [204, 121, 167],
  [230, 159, 0],
  [86, 180, 233],
  [240, 228, 66],
];

/** Characters of a label that are drawn. */
const MOST_CHARACTERS = 48;

/**
 * The picture with each box framed and named, as a JPEG or PNG file. Frames lie inside their boxes
 * and are cut at the picture's edge; a box outside the picture is left out. Labels may come from
 * anywhere: they are escaped and shortened. A label shows where this machine has a font with its
 * characters and the picture is high enough for a line of text.
 */
export async function annotate(
  pixels: Pixels,
  annotations: readonly Annotation[],
  options: AnnotateOptions = {},
): Promise<Buffer> {
  patchOf(pixels); // refuses pixels that do not hold what they say
  const { width, height } = pixels;
  const data = new Uint8Array(pixels.data);
  const line = Math.max(1, Math.round(Math.min(width, height) / 250));
  const overlays: OverlayOptions[] = [];
  annotations.forEach(({ box, label, score, colour }, i) => {
    const frame = wholePixels(box, width, height);
    if (!frame) return;
    const paint = colour ?? palette[i % palette.length]!;
    drawFrame({ data, width, height }, frame, line, paint);
    const text = [shortened(label), score?.toFixed(2)].filter(Boolean).join(" ");
    const overlay = labelOverlay(text, frame, width, height, Math.max(12, line * 8), paint);
    if (overlay) overlays.push(overlay);
  });
  const drawn = sharp(data, { raw: { width, height, channels: 3 } })
    .composite(overlays)
    .removeAlpha();
  return options.format === "png" ? drawn.png().toBuffer() : drawn.jpeg({ quality: 90 }).toBuffer();
}

/**
 * The smallest rectangle of whole pixels around the visible part of a box; null where nothing of it
 * is visible.
 */
function wholePixels(box: Box, width: number, height: number): Box | null {
  const { x0, y0, x1, y1 } = clip(box, width, height);
  const frame = { x0: Math.floor(x0), y0: Math.floor(y0), x1: Math.ceil(x1), y1: Math.ceil(y1) };
  return frame.x1 > frame.x0 && frame.y1 > frame.y0 ? frame : null; // a NaN compares as false
}

function drawFrame(
  pixels: { data: Uint8Array; width: number; height: number },
  { x0, y0, x1, y1 }: Box,
  line: number,
  colour: Colour,
): void {
  fill(pixels, { x0, y0, x1, y1: Math.min(y0 + line, y1) }, colour);
  fill(pixels, { x0, y0: Math.max(y1 - line, y0), x1, y1 }, colour);
  fill(pixels, { x0, y0, x1: Math.min(x0 + line, x1), y1 }, colour);
  fill(pixels, { x0: Math.max(x1 - line, x0), y0, x1, y1 }, colour);
}

function fill(
  { data, width }: { data: Uint8Array; width: number },
  { x0, y0, x1, y1 }: Box,
  colour: Colour,
): void {
  for (let y = y0; y < y1; y++) {
    for (let x = x0; x < x1; x++) data.set(colour, (y * width + x) * 3);
  }
}

/**
 * A line of text on a coloured ground, above the box where there is room, else inside it; null
 * where the picture has no room.
 */
function labelOverlay(
  text: string,
  box: Box,
  width: number,
  height: number,
  size: number,
  colour: Colour,
): OverlayOptions | null {
  const lineHeight = Math.ceil(size * 1.4);
  if (text === "" || lineHeight > height) return null;
  // Wide characters (from the CJK blocks on) take one em, others about 0.6.
  const ems = [...text].reduce((sum, c) => sum + (c.codePointAt(0)! >= 0x2e80 ? 1 : 0.6), 0);
  const lineWidth = Math.min(Math.ceil((ems + 0.6) * size), width);
  const left = Math.max(0, Math.min(box.x0, width - lineWidth));
  const top = box.y0 >= lineHeight ? box.y0 - lineHeight : Math.min(box.y0, height - lineHeight);
  const [r, g, b] = colour;
  const ink = 0.299 * r + 0.587 * g + 0.114 * b > 140 ? "#000" : "#fff";
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${lineWidth}" height="${lineHeight}">` +
    `<rect width="100%" height="100%" fill="rgb(${r},${g},${b})"/>` +
    `<text x="${size * 0.3}" y="${size * 1.05}" font-family="sans-serif" font-size="${size}" ` +
    `fill="${ink}">${escapeXml(text)}</text></svg>`;
  return { input: Buffer.from(svg), left, top };
}

/**
 * At most MOST_CHARACTERS characters on one line, without those that XML forbids or that turn the
 * direction of writing.
 */
export function shortened(label: string): string {
  const clean = label
    .replace(
      /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|[\ufffe\uffff]/g,
      "\ufffd",
    )
    .replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "")
    .replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, " ")
    .trim();
  const characters = [...clean];
  return characters.length <= MOST_CHARACTERS
    ? clean
    : `${characters.slice(0, MOST_CHARACTERS - 1).join("")}…`;
}

/** Text as XML character data. */
export function escapeXml(text: string): string {
  const names: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&apos;",
  };
  return text.replace(/[&<>"']/g, (c) => names[c]!);
}
