/**
 * Decimal digits to the nearest double, as JSON.parse and strtod round, without making a string of
 * them.
 */

/** The powers of ten that are doubles exactly. */
const powersOfTen = Float64Array.from([
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
  1e18, 1e19, 1e20, 1e21, 1e22,
]);
const largestPower = 22;
const splitter = 2 ** 27 + 1;

/**
 * The number of `digits` significant digits, divided by 10^scale, correctly rounded.
 *
 * Up to 2^53 numerator and power of ten are exact, so that one division rounds once (Clinger 1990,
 * "How to read floating point numbers accurately"). Above, the numerator is the sum of two doubles
 * and the quotient is corrected by its remainder, both without error (Dekker 1971, "A
 * floating-point technique for extending the available precision"); quotient plus correction is
 * taken only where an error bound shows that it rounds one way.
 *
 * @param high the first 9 digits (or all, if fewer) as an integer
 * @param low the 10th to the 18th digit as an integer, else 0
 * @returns NaN where this cannot tell, as for 19 digits and more: the caller must take the slow way
 */
export function fromDecimal(high: number, low: number, digits: number, scale: number): number {
  if (digits <= 9) {
    if (scale === 0) return high;
    if (scale > 0) return scale <= largestPower ? high / powersOfTen[scale]! : high === 0 ? 0 : NaN;
    return scale >= -largestPower ? high * powersOfTen[-scale]! : high === 0 ? 0 : NaN;
  }
  if (digits > 18 || scale < 0 || scale > largestPower) return NaN;
  const power = powersOfTen[digits - 9]!;
  const divisor = powersOfTen[scale]!;
  // at most 10^18: exact, or off by less than half a unit, which upperError says
  const upper = high * power;
  const whole = upper + low;
  if (whole < 2 ** 53) return whole / divisor;

  const upperError = productError(high, power, upper);
  const quotient = upper / divisor;
  const product = quotient * divisor;
  const productLow = productError(quotient, divisor, product);
  const remainder = upper - product - productLow + upperError + low;
  const correction = remainder / divisor;
  const doubt =
    ((Math.abs(upper - product) + Math.abs(productLow) + Math.abs(upperError) + low) / divisor) *
    2 ** -48;
  const rounded = quotient + (correction - doubt);
  return rounded === quotient + (correction + doubt) ? rounded : NaN;
}

/** a x b less its rounded `product`, exactly (Veltkamp's splitting, Dekker's product). */
function productError(a: number, b: number, product: number): number {
  const aScaled = a * splitter;
  const aHigh = aScaled - (aScaled - a);
  const aLow = a - aHigh;
  const bScaled = b * splitter;
  const bHigh = bScaled - (bScaled - b);
  const bLow = b - bHigh;
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}
