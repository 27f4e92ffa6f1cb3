/** The largest finite float16: what lies beyond becomes infinite in a half-precision export. */
export const largestHalf = 65_504;

const view = new DataView(new ArrayBuffer(4));

/** The 16 bits of the float16 nearest to a float32, ties to even, as IEEE 754 and NumPy round. */
export function floatToHalf(value: number): number {
  view.setFloat32(0, value);
  const bits = view.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const rest = bits & 0x7fffffff;
  if (rest > 0x7f800000) return sign | 0x7e00;
  // 65520 and more round to infinity.
  if (rest >= 0x477ff000) return sign | 0x7c00;
  // Below the least normal float16 steps are of 2^-24.
  if (rest < 0x38800000) return sign | halfToEven(Math.abs(Math.fround(value)) * 2 ** 24);
  const up = ((rest >>> 13) & 1) + 0xfff;
  return sign | ((rest - 0x38000000 + up) >>> 13);
}

function halfToEven(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}

/** A float16 given by its 16 bits. */
export function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
