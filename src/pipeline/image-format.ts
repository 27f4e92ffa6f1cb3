/** The raster formats that are read. SVG, PDF and the like are programs rather than pictures and never reach a decoder. */
export const imageFormats = ["jpeg", "png", "webp", "tiff", "gif", "avif"] as const;
export type ImageFormat = (typeof imageFormats)[number];

/** Bytes that `imageFormat` needs to see. */
export const HEADER_BYTES = 64;

/** The format that the first bytes claim, whatever the file is called; null where it is none of ours. */
export function imageFormat(bytes: Uint8Array): ImageFormat | null {
  const text = latin(bytes, 0, HEADER_BYTES);
  if (text.startsWith("\xff\xd8\xff")) return "jpeg";
  if (text.startsWith("\x89PNG\r\n\x1a\n")) return "png";
  if (text.startsWith("GIF87a") || text.startsWith("GIF89a")) return "gif";
  if (text.startsWith("RIFF") && text.slice(8, 12) === "WEBP") return "webp";
  if (/^(II[*+]\0|MM\0[*+])/.test(text)) return "tiff";
  // ISO base media: the brand, or one of the compatible brands, says that the picture in it is AV1.
  if (text.slice(4, 8) === "ftyp" && /avi[fs]/.test(text.slice(8, Math.min(bigEndian(bytes, 0), HEADER_BYTES)))) return "avif";
  return null;
}

/** What a file that is none of ours seems to be, for the error message. */
export function describeStart(bytes: Uint8Array): string {
  const text = latin(bytes, 0, HEADER_BYTES);
  if (text.startsWith("BM")) return "a BMP picture";
  if (text.slice(4, 8) === "ftyp") return `an ISO media file (${text.slice(8, 12)})`;
  if (text.startsWith("%PDF")) return "a PDF file";
  if (/^(\xef\xbb\xbf)?\s*<(\?xml|svg|!doctype|html)/i.test(text)) return "an XML, SVG or HTML file";
  if (/^[\t\n\r\x20-\x7e]+$/.test(text)) return "a text file";
  return `bytes ${[...bytes.subarray(0, 4)].map((b) => b.toString(16).padStart(2, "0")).join(" ")}`;
}

/**
 * Whether a file that failed to decode ends too early: by the file's own structure where that says how long it is, else by what the
 * decoder reported.
 */
export function endsEarly(bytes: Uint8Array, format: ImageFormat, report: string): boolean {
  switch (format) {
    case "jpeg":
      return /premature end of JPEG/i.test(report);
    case "gif":
      return /unexpected end/i.test(report);
    case "png":
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).lastIndexOf("IEND") < 0;
    case "webp":
      return bytes.length < 12 || littleEndian(bytes, 4) + 8 > bytes.length;
    case "tiff":
      return bytes.length < 8 || (bytes[0] === 0x49 ? littleEndian(bytes, 4) : bigEndian(bytes, 4)) >= bytes.length;
    case "avif":
      return lastBoxIsCut(bytes);
  }
}

/** Whether a top-level box of an ISO base media file claims more bytes than there are. */
function lastBoxIsCut(bytes: Uint8Array): boolean {
  let at = 0;
  while (at + 8 <= bytes.length) {
    const size = bigEndian(bytes, at);
    if (size === 0) return false; // to the end of the file
    if (size < 8) return false; // 64-bit or broken: not for this check to say
    at += size;
  }
  return at !== bytes.length;
}

function latin(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to));
}

function littleEndian(bytes: Uint8Array, at: number): number {
  return bigEndian(Uint8Array.of(bytes[at + 3] ?? 0, bytes[at + 2] ?? 0, bytes[at + 1] ?? 0, bytes[at] ?? 0), 0);
}

function bigEndian(bytes: Uint8Array, at: number): number {
  return (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0;
}
