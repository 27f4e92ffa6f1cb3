/**
 * The raster formats that are read. SVG, PDF and the like are programs rather than pictures and
 * never reach a decoder.
 */
export const imageFormats = ["jpeg", "png", "webp", "tiff", "gif", "avif"] as const;
export type ImageFormat = (typeof imageFormats)[number];

/** Bytes that `imageFormat` needs to see. */
export const HEADER_BYTES = 64;

/**
 * The format that the first bytes claim, whatever the file is called; null where it is none of
 * ours.
 */
export function imageFormat(bytes: Uint8Array): ImageFormat | null {
  const text = latin(bytes, 0, HEADER_BYTES);
  if (text.startsWith("\xff\xd8\xff")) return "jpeg";
  if (text.startsWith("\x89PNG\r\n\x1a\n")) return "png";
  if (text.startsWith("GIF87a") || text.startsWith("GIF89a")) return "gif";
  if (text.startsWith("RIFF") && text.slice(8, 12) === "WEBP") return "webp";
  if (/^(II[*+]\0|MM\0[*+])/.test(text)) return "tiff";
  // ISO base media: the brand, or one of the compatible brands, says that the picture in it is AV1.
  if (
    text.slice(4, 8) === "ftyp" &&
    /avi[fs]/.test(text.slice(8, Math.min(view(bytes).getUint32(0), HEADER_BYTES)))
  )
    return "avif";
  return null;
}

/** What a file that is none of ours seems to be, for the error message. */
export function describeStart(bytes: Uint8Array): string {
  const text = latin(bytes, 0, HEADER_BYTES);
  if (text.startsWith("BM")) return "a BMP picture";
  if (text.slice(4, 8) === "ftyp") return `an ISO media file (${text.slice(8, 12)})`;
  if (text.startsWith("%PDF")) return "a PDF file";
  if (/^(\xef\xbb\xbf)?\s*<(\?xml|svg|!doctype|html)/i.test(text))
    return "an XML, SVG or HTML file";
  if (/^[\t\n\r\x20-\x7e]+$/.test(text)) return "a text file";
  return `bytes ${[...bytes.subarray(0, 4)].map((b) => b.toString(16).padStart(2, "0")).join(" ")}`;
}

/** A view for reading numbers of several bytes. */
export function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function latin(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to));
}
