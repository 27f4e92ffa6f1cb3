import type { Codes } from "../../src/pipeline/types.js";
import type { Finding } from "./list-linter.js";

/** Bits of codes that tell less than a bit should; see `codeBits`. */
export interface CodeBits {
  readonly bits: number;
  readonly rows: number;
  /** The same in every row: they tell nothing. */
  readonly constant: number;
  /** Equal to an earlier bit, or to its opposite, in every row looked at. */
  readonly duplicate: number;
  /** Neither, but the same in more than 95% of the rows looked at. */
  readonly unbalanced: number;
}

/** Rows looked at for duplicate and unbalanced bits, evenly over all. */
const mostRows = 4096;
/** In fewer rows bits agree by chance. */
const fewestRows = 32;
const uneven = 0.05;

/**
 * Looks for bits that carry no information of their own. Codes by sign of features that are never
 * negative, as after a ReLU, are the common case.
 */
export function codeBits({ data, bits }: Codes): CodeBits {
  const width = bits / 8;
  const rows = data.length / width;
  if (rows < 2) return { bits, rows, constant: 0, duplicate: 0, unbalanced: 0 };
  const changed = changedBits(data, width);
  const step = Math.max(1, Math.floor(rows / mostRows));
  const looked = Math.floor((rows - 1) / step) + 1;
  const seen = new Set<string>();
  let [constant, duplicate, unbalanced] = [0, 0, 0];
  for (let bit = 0; bit < bits; bit++) {
    const [byte, mask] = [bit >> 3, 128 >> (bit & 7)];
    if ((changed[byte]! & mask) === 0) {
      constant++;
      continue;
    }
    const column = Buffer.alloc((looked + 7) >> 3);
    const flipped = (data[byte]! & mask) !== 0;
    let ones = 0;
    for (let i = 0; i < looked; i++) {
      const one = (data[i * step * width + byte]! & mask) !== 0;
      if (one) ones++;
      if (one !== flipped) column[i >> 3]! |= 128 >> (i & 7);
    }
    const key = column.toString("latin1");
    if (looked >= fewestRows && seen.has(key)) duplicate++;
    else if (Math.min(ones, looked - ones) < uneven * looked) unbalanced++;
    seen.add(key);
  }
  return { bits, rows, constant, duplicate, unbalanced };
}

/** By byte of a code, the bits that are not the same in all rows. */
function changedBits(data: Uint8Array, width: number): Uint8Array {
  const changed = new Uint8Array(width);
  for (let i = width; i < data.length; i++) changed[i % width]! |= data[i]! ^ data[i % width]!;
  return changed;
}

/** A tenth of the bits: as many as that are worth a word. */
const worthAWord = 0.1;

/** What a reader of a number from these codes should know, a sentence each. */
export function codeNotes({ bits, constant, duplicate, unbalanced }: CodeBits): string[] {
  const share = (n: number): string => `${n} of ${bits} bits (${Math.round((100 * n) / bits)}%)`;
  const notes: string[] = [];
  if (constant > 0)
    notes.push(
      `${share(constant)} are the same in all rows and tell nothing: were signs taken of ` +
        "features that are never negative?",
    );
  if (duplicate >= worthAWord * bits)
    notes.push(`${share(duplicate)} repeat another bit, or its opposite: they count double`);
  if (unbalanced >= worthAWord * bits)
    notes.push(`${share(unbalanced)} are the same in more than 95% of the rows: they tell little`);
  return notes;
}

/** The same as findings of `shitu lint`. */
export function codeFindings(codes: Codes, file: string): Finding[] {
  const found = codeBits(codes);
  return codeNotes(found).map((message) => ({
    code: "code-bits",
    severity: "warning",
    message,
    file,
    count: found.constant + found.duplicate + found.unbalanced,
    examples: [],
    fix: "take another rule (sign, round), take the mean off first, or train the model to hash",
  }));
}
