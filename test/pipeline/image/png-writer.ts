import { deflateSync } from "node:zlib";

/** PNG colour types of the specification (W3C PNG, 11.2.2). */
export const colourType = { grey: 0, rgb: 2, palette: 3, greyAlpha: 4, rgba: 6 } as const;

export interface PngParts {
  readonly width: number;
  readonly height: number;
  readonly depth: 1 | 2 | 4 | 8 | 16;
  readonly type: number;
  /** Rows without filter bytes, packed; or the compressed stream itself. */
  readonly rows: readonly Uint8Array[] | { readonly idat: Uint8Array };
  /** Chunks between header and data. */
  readonly chunks?: readonly (readonly [name: string, data: Uint8Array])[];
}

/** A PNG file byte by byte, for variants that encoders do not write. */
export function png({ width, height, depth, type, rows, chunks = [] }: PngParts): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, type, 0, 0, 0], 8);
  const idat =
    "idat" in rows
      ? rows.idat
      : deflateSync(Buffer.concat(rows.map((row) => Buffer.concat([Buffer.of(0), row]))));
  const all = [
    ["IHDR", header] as const,
    ...chunks,
    ["IDAT", idat] as const,
    ["IEND", new Uint8Array()] as const,
  ];
  return new Uint8Array(
    Buffer.concat([
      Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
      ...all.map(([name, data]) => chunk(name, data)),
    ]),
  );
}

function chunk(name: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  out.set(body, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
