import { resizeTaps, type Taps } from "./resize-taps.js";
import type { Interpolation } from "../types.js";

/**
 * A rectangle of an 8-bit RGB picture: `offset` is the byte of its first pixel, `stride` the bytes
 * from row to row.
 */
export interface Patch {
  readonly data: Uint8Array;
  readonly offset: number;
  readonly stride: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Takes finished row `y`: `width * 3` bytes, interleaved RGB. The array is used again for the next
 * row.
 */
export type RowSink = (row: Uint8ClampedArray, y: number) => void;

/**
 * Resizes an 8-bit RGB patch to `width` x `height` and hands over row after row, bit for bit what
 * `cv2.resize` of OpenCV 4.x gives on x86-64 with its SSE2 baseline (Debian's and PyPI's builds
 * without IPP): a horizontal pass in integers, kept for the few source rows in use, then a vertical
 * pass. Source: `resizeGeneric_` in modules/imgproc/src/resize.cpp.
 */
export function resizeRows(
  patch: Patch,
  width: number,
  height: number,
  interpolation: Interpolation,
  sink: RowSink,
): void {
  if (interpolation === "linear" && patch.width === 2 * width && patch.height === 2 * height) {
    halveRows(patch, width, height, sink);
    return;
  }
  const across = resizeTaps(patch.width, width, interpolation, true);
  const down = resizeTaps(patch.height, height, interpolation, false);
  const lanes = width * 3;
  const row = new Uint8ClampedArray(lanes);
  const offsets = byteOffsets(across, patch.width);
  // A ring of `count` horizontally resized rows; `held` says which source row lies in each.
  const ring = Array.from({ length: down.count }, () => new Int32Array(lanes));
  const held = new Int32Array(down.count).fill(-1);
  const taken: Int32Array[] = new Array<Int32Array>(down.count);
  for (let y = 0; y < height; y++) {
    for (let k = 0; k < down.count; k++) {
      const sourceRow = Math.min(Math.max(down.first[y]! + k, 0), patch.height - 1);
      // Rows in use at one time are neighbours, so that no two of them share a slot.
      const slot = sourceRow % down.count;
      if (held[slot] !== sourceRow) {
        const start = patch.offset + sourceRow * patch.stride;
        if (down.count === 4) acrossCubic(patch.data, start, offsets, across.weights, ring[slot]!);
        else acrossLinear(patch.data, start, offsets, across.weights, ring[slot]!);
        held[slot] = sourceRow;
      }
      taken[k] = ring[slot]!;
    }
    if (down.count === 4) downCubic(taken, down.weights, y * 4, row);
    else downLinear(taken, down.weights, y * 2, row);
    sink(row, y);
  }
}

/** Byte offsets within a row of each tap's pixel, the edge repeated. */
function byteOffsets(taps: Taps, sourceWidth: number): Int32Array {
  const offsets = new Int32Array(taps.weights.length);
  for (let i = 0; i < offsets.length; i++) {
    const sample = taps.first[Math.floor(i / taps.count)]! + (i % taps.count);
    offsets[i] = Math.min(Math.max(sample, 0), sourceWidth - 1) * 3;
  }
  return offsets;
}

function acrossLinear(
  data: Uint8Array,
  start: number,
  offsets: Int32Array,
  weights: Int16Array,
  out: Int32Array,
): void {
  for (let tap = 0, lane = 0; lane < out.length; tap += 2, lane += 3) {
    const a = start + offsets[tap]!;
    const b = start + offsets[tap + 1]!;
    const wa = weights[tap]!;
    const wb = weights[tap + 1]!;
    out[lane] = data[a]! * wa + data[b]! * wb;
    out[lane + 1] = data[a + 1]! * wa + data[b + 1]! * wb;
    out[lane + 2] = data[a + 2]! * wa + data[b + 2]! * wb;
  }
}

function acrossCubic(
  data: Uint8Array,
  start: number,
  offsets: Int32Array,
  weights: Int16Array,
  out: Int32Array,
): void {
  for (let tap = 0, lane = 0; lane < out.length; tap += 4, lane += 3) {
    const a = start + offsets[tap]!;
    const b = start + offsets[tap + 1]!;
    const c = start + offsets[tap + 2]!;
    const d = start + offsets[tap + 3]!;
    const wa = weights[tap]!;
    const wb = weights[tap + 1]!;
    const wc = weights[tap + 2]!;
    const wd = weights[tap + 3]!;
    out[lane] = data[a]! * wa + data[b]! * wb + data[c]! * wc + data[d]! * wd;
    out[lane + 1] = data[a + 1]! * wa + data[b + 1]! * wb + data[c + 1]! * wc + data[d + 1]! * wd;
    out[lane + 2] = data[a + 2]! * wa + data[b + 2]! * wb + data[c + 2]! * wc + data[d + 2]! * wd;
  }
}

/** `VResizeLinear` for 8 bit: both terms are cut to 20 bits before they are added. */
function downLinear(
  rows: readonly Int32Array[],
  weights: Int16Array,
  at: number,
  out: Uint8ClampedArray,
): void {
  const upper = rows[0]!;
  const lower = rows[1]!;
  const wu = weights[at]!;
  const wl = weights[at + 1]!;
  for (let x = 0; x < out.length; x++) {
    out[x] = (((wu * (upper[x]! >> 4)) >> 16) + ((wl * (lower[x]! >> 4)) >> 16) + 2) >> 2;
  }
}

/**
 * `VResizeCubic` for 8 bit. OpenCV computes whole groups of 8 values in float32
 * (`VResizeCubicVec_32s8u`), rounding halves to even, and what is left of a row in integers,
 * rounding halves up: both are repeated here.
 */
function downCubic(
  rows: readonly Int32Array[],
  weights: Int16Array,
  at: number,
  out: Uint8ClampedArray,
): void {
  const f = Math.fround;
  const [r0, r1, r2, r3] = rows as [Int32Array, Int32Array, Int32Array, Int32Array];
  const scale = 1 / (1 << 22);
  const w0 = weights[at]! * scale;
  const w1 = weights[at + 1]! * scale;
  const w2 = weights[at + 2]! * scale;
  const w3 = weights[at + 3]! * scale;
  const grouped = out.length & ~7;
  let x = 0;
  for (; x < grouped; x++) {
    // A clamped array rounds halves to even and cuts at 0 and 255, as OpenCV's conversion does.
    out[x] = f(f(r0[x]! * w0) + f(f(r1[x]! * w1) + f(f(r2[x]! * w2) + f(r3[x]! * w3))));
  }
  const [i0, i1, i2, i3] = [weights[at]!, weights[at + 1]!, weights[at + 2]!, weights[at + 3]!];
  for (; x < out.length; x++) {
    out[x] = (r0[x]! * i0 + r1[x]! * i1 + r2[x]! * i2 + r3[x]! * i3 + (1 << 21)) >> 22;
  }
}

/**
 * Halving both sides is the one case where OpenCV turns INTER_LINEAR into INTER_AREA: the mean of 2
 * x 2 pixels.
 */
function halveRows(
  { data, offset, stride }: Patch,
  width: number,
  height: number,
  sink: RowSink,
): void {
  const row = new Uint8ClampedArray(width * 3);
  for (let y = 0; y < height; y++) {
    let upper = offset + 2 * y * stride;
    let lower = upper + stride;
    for (let x = 0; x < row.length; x += 3, upper += 6, lower += 6) {
      for (let c = 0; c < 3; c++) {
        row[x + c] =
          (data[upper + c]! + data[upper + c + 3]! + data[lower + c]! + data[lower + c + 3]! + 2) >>
          2;
      }
    }
    sink(row, y);
  }
}
