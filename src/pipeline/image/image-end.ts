import { type ImageFormat, view } from "./image-format.js";

/**
 * Whether a file that failed to decode ends too early: by the file's own structure where that says
 * how long it is, else by what the decoder reported.
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
      return bytes.length < 12 || view(bytes).getUint32(4, true) + 8 > bytes.length;
    case "tiff":
      return tiffPointsBeyond(bytes);
    case "avif":
      return lastBoxIsCut(bytes);
  }
}

/** Whether a top-level box of an ISO base media file claims more bytes than there are. */
function lastBoxIsCut(bytes: Uint8Array): boolean {
  let at = 0;
  while (at + 8 <= bytes.length) {
    const size = view(bytes).getUint32(at);
    // to the end of the file, 64-bit or broken: not for this check to say
    if (size < 8) return false;
    at += size;
  }
  return at !== bytes.length;
}

/** Bytes of a value of each TIFF 6.0 field type, from BYTE (1) to DOUBLE (12). */
const fieldBytes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8];

/**
 * Whether a TIFF's first directory, a value in it, or a strip or tile lies beyond the end. BigTIFF
 * is not looked into.
 */
function tiffPointsBeyond(bytes: Uint8Array): boolean {
  if (bytes.length < 8) return true;
  const data = view(bytes);
  const little = bytes[0] === 0x49;
  if (data.getUint16(2, little) !== 42) return false;
  const directory = data.getUint32(4, little);
  if (directory + 2 > bytes.length) return true;
  const entries = data.getUint16(directory, little);
  if (directory + 2 + entries * 12 > bytes.length) return true;
  const numbers = new Map<number, number[]>();
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + i * 12;
    const type = data.getUint16(entry + 2, little);
    const count = data.getUint32(entry + 4, little);
    const size = (fieldBytes[type] ?? 0) * count;
    const at = size > 4 ? data.getUint32(entry + 8, little) : entry + 8;
    if (at + size > bytes.length) return true;
    if (type === 3 || type === 4) {
      const read = (k: number): number =>
        type === 3 ? data.getUint16(at + 2 * k, little) : data.getUint32(at + 4 * k, little);
      numbers.set(
        data.getUint16(entry, little),
        Array.from({ length: count }, (_, k) => read(k)),
      );
    }
  }
  // Strips (273 offsets, 279 lengths) or tiles (324, 325).
  const lengths = numbers.get(279) ?? numbers.get(325) ?? [];
  return (numbers.get(273) ?? numbers.get(324) ?? []).some(
    (offset, i) => offset + (lengths[i] ?? 0) > bytes.length,
  );
}
