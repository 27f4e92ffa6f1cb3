/** Types for the tests; see line-length.mjs. */
export function wideLines(text: string): number[];
