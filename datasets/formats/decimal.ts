/** Decimal digits to the nearest double, as JSON.parse and strtod round, without making a string of them. */

/** The powers of ten that are doubles exactly. */
const powersOfTen = Float64Array.from([
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
]);
const largestPower = 22;
const splitter = 2 ** 27 + 1;

/** `leadingDigits` holds this many digits at most: they are exact in a double, as is a power of ten times them up to 1e19. */
export const leadingDigitCount = 15;
export const trailingDigitCount = 4;

/**
 * leading x 10^trailingCount + trailing, divided by 10^scale, correctly rounded.
 *
 * Up to 2^53 numerator and power are exact, so that one division rounds once (Clinger 1990, "How to read floating point
 * numbers accurately"). Above, the numerator is the sum of two doubles and the quotient is corrected by its remainder, both
 * without error (Dekker 1971, "A floating-point technique for extending the available precision"); the sum of quotient and
 * correction is taken only where an error bound shows that it rounds one way.
 *
 * @param leading a non-negative integer of at most 15 digits
 * @param trailing the next `trailingCount` (at most 4) digits as an integer
 * @returns NaN where this cannot tell: the caller must take the slow way
 */
export function fromDecimal(leading: number, trailing: number, trailingCount: number, scale: number): number {
  if (trailingCount === 0) {
    if (scale === 0) return leading;
    if (scale > 0) return scale <= largestPower ? leading / powersOfTen[scale]! : leading === 0 ? 0 : NaN;
    return scale >= -largestPower ? leading * powersOfTen[-scale]! : leading === 0 ? 0 : NaN;
  }
  if (scale < 0 || scale > largestPower) return NaN;
  const power = powersOfTen[trailingCount]!;
  const divisor = powersOfTen[scale]!;
  const high = leading * power;
  const whole = high + trailing;
  if (whole < 2 ** 53) return whole / divisor;

  const highError = productError(leading, power, high);
  const quotient = high / divisor;
  const product = quotient * divisor;
  const productLow = productError(quotient, divisor, product);
  const remainder = high - product - productLow + highError + trailing;
  const correction = remainder / divisor;
  const doubt = ((Math.abs(high - product) + Math.abs(productLow) + Math.abs(highError) + trailing) / divisor) * 2 ** -48;
  const low = quotient + (correction - doubt);
  return low === quotient + (correction + doubt) ? low : NaN;
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
