import type { FileHandle } from "node:fs/promises";

/**
 * The file of an observation cache: entries one after the other, read in parts, so that it may be
 * of any size.
 *
 * Entry: magic u32, payload length u32, checksum of hash and payload u32, picture sha256 (32
 * bytes), payload.
 */

export const logMark = "STB2";
const magic = 0x32425453; // the same, little-endian
export const headBytes = 4 + 4 + 4 + 32;
/** Read at once; a longer entry is read alone. */
const partBytes = 64 << 20;

/** A whole entry: picture's sha256 in hex, payload, and where in the file that begins. */
export type TakeEntry = (picture: string, payload: Uint8Array, at: number) => void;

/** Writes the head of an entry whose payload lies behind it already. */
export function writeHead(entry: Buffer, picture: string): void {
  entry.write(picture, 12, "hex");
  entry.writeUInt32LE(magic, 0);
  entry.writeUInt32LE(entry.byteLength - headBytes, 4);
  entry.writeUInt32LE(checksum(entry.subarray(12)), 8);
}

/**
 * Hands out every whole entry of a log in its order.
 *
 * @returns bytes that are no whole entry: torn by a kill, or damaged.
 */
export async function readLog(
  handle: FileHandle,
  take: TakeEntry,
  part = partBytes,
): Promise<number> {
  const { size } = await handle.stat();
  let damaged = 0;
  for (let at = 0; at < size;) {
    const block = await blockAt(handle, at, Math.min(part, size - at));
    const read = parseBlock(block, at, size, take);
    damaged += read.damaged;
    if (read.used > 0) at += read.used;
    else {
      // One entry is longer than a block.
      const length = headBytes + block.readUInt32LE(4);
      const whole = parseBlock(await blockAt(handle, at, length), at, size, take, true);
      damaged += whole.damaged;
      at += whole.used;
    }
  }
  return damaged;
}

async function blockAt(handle: FileHandle, at: number, length: number): Promise<Buffer> {
  const block = Buffer.allocUnsafeSlow(length);
  for (let read = 0; read < length;) {
    const { bytesRead } = await handle.read(block, read, length - read, at + read);
    if (bytesRead === 0) return block.subarray(0, read);
    read += bytesRead;
  }
  return block;
}

/** @param alone the block is one entry: what does not fit is damaged, not to be read again. */
function parseBlock(
  block: Buffer,
  start: number,
  size: number,
  take: TakeEntry,
  alone = false,
): { readonly used: number; readonly damaged: number } {
  const last = alone || start + block.length >= size;
  let damaged = 0;
  let at = 0;
  while (at < block.length) {
    const end = entryEnd(block, at, last ? block.length : size - start);
    if (end !== null && end > block.length) return { used: at, damaged };
    if (end !== null) {
      const payload = block.subarray(at + headBytes, end);
      take(block.toString("hex", at + 12, at + 44), payload, start + at + headBytes);
      at = end;
      continue;
    }
    if (!last && at > 0 && at + headBytes > block.length) return { used: at, damaged };
    // Not a whole entry: look for the next place that starts one, which may cross the end.
    const next = block.indexOf(logMark, at + 1, "latin1");
    const beyond = last && !alone ? block.length : Math.max(at + 1, block.length - 3);
    const stop = next >= 0 ? next : beyond;
    damaged += stop - at;
    at = stop;
    if (next < 0 || alone) break;
  }
  return { used: at, damaged };
}

/** Null where no whole entry begins; beyond the block where it has to be read further. */
function entryEnd(block: Buffer, at: number, most: number): number | null {
  if (at + headBytes > block.length || block.readUInt32LE(at) !== magic) return null;
  const end = at + headBytes + block.readUInt32LE(at + 4);
  if (end > most) return null;
  if (end > block.length) return end;
  return checksum(block.subarray(at + 12, end)) === block.readUInt32LE(at + 8) ? end : null;
}

/**
 * MurmurHash3 (Appleby 2011, `MurmurHash3_x86_32`, seed 0) over whole words, a rest of bytes
 * counted as a word: it tells torn and damaged entries, and costs a tenth of a cryptographic hash
 * on entries of a KB. (zlib's crc32 is not in every Node 20.)
 */
export function checksum(data: Uint8Array): number {
  const whole = data.byteLength & ~3;
  const aligned = data.byteOffset % 4 === 0 ? data : Uint8Array.from(data);
  const words = new Int32Array(aligned.buffer, aligned.byteOffset, whole / 4);
  let h = 0;
  for (let i = 0; i < words.length; i++) h = mix(h, words[i]!);
  let rest = 0;
  for (let i = whole; i < data.byteLength; i++) rest = (rest << 8) | data[i]!;
  if (whole < data.byteLength) h = mix(h, rest);
  h ^= data.byteLength;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function mix(h: number, word: number): number {
  const k = Math.imul(word, 0xcc9e2d51);
  const g = h ^ Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  return (Math.imul((g << 13) | (g >>> 19), 5) + 0xe6546b64) | 0;
}
