import { UserError } from "../pipeline/errors.js";

/** A whole number of `least` or more from the command line. */
export function whole(option: string, text: string, least = 1): number {
  const n = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(n) || n < least) {
    throw new UserError({
      code: "bad-option",
      message: `${option} takes a whole number of ${least} or more`,
      found: JSON.stringify(text),
    });
  }
  return n;
}

/** A finite number from the command line. */
export function finite(option: string, text: string): number {
  const n = Number(text);
  if (text.trim() === "" || !Number.isFinite(n))
    throw new UserError({
      code: "bad-option",
      message: `${option} takes a number`,
      found: JSON.stringify(text),
    });
  return n;
}

/** A number from 0 to 1 from the command line. */
export function share(option: string, text: string): number {
  const n = finite(option, text);
  if (n >= 0 && n <= 1) return n;
  throw new UserError({
    code: "bad-option",
    message: `${option} takes a number from 0 to 1`,
    found: JSON.stringify(text),
  });
}

/** One of the valid words; a miss lists them. */
export function choice<T extends string>(option: string, value: string, valid: readonly T[]): T {
  const found = valid.find((v) => v === value);
  if (found === undefined)
    throw new UserError({
      code: "bad-option",
      message: `${option} does not know this`,
      expected: valid.join(", "),
      found: value,
    });
  return found;
}
