import type { Random } from "../../src/eval/stats/random.js";

/** Damage as files meet it: bits, cuts, doubled and swapped parts; in texts, numbers and lines. */

type Mutation = (bytes: Buffer, random: Random) => Buffer;

const anywhere = (bytes: Buffer, random: Random): number => random.below(Math.max(1, bytes.length));

/** A part of the file, seldom long. */
function part(bytes: Buffer, random: Random): [number, number] {
  const from = anywhere(bytes, random);
  return [from, Math.min(bytes.length, from + 1 + random.below(1 << random.below(11)))];
}

const anyBytes: readonly Mutation[] = [
  (bytes, random) => {
    const at = anywhere(bytes, random);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
    return bytes;
  },
  (bytes, random) => {
    bytes[anywhere(bytes, random)] = random.below(256);
    return bytes;
  },
  (bytes, random) => bytes.subarray(0, anywhere(bytes, random)),
  (bytes, random) => {
    const [from, to] = part(bytes, random);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  (bytes, random) => {
    const [from, to] = part(bytes, random);
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
  },
  (bytes, random) => {
    const [from, to] = part(bytes, random);
    bytes.fill([0, 0xff, 0x7f, 0x80][random.below(4)]!, from, to);
    return bytes;
  },
  (bytes, random) => {
    const at = anywhere(bytes, random);
    const noise = Buffer.from(
      Array.from({ length: 1 + random.below(16) }, () => random.below(256)),
    );
    return Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at)]);
  },
];

const numbers = [
  "-1",
  "0",
  "NaN",
  "1e309",
  "99999999999999999999",
  "0.5",
  '"7"',
  "null",
  "[]",
  "{}",
];

/** One of a text's matches, in place of another text. */
function replaced(pattern: RegExp, by: (found: string, random: Random) => string): Mutation {
  return (bytes, random) => {
    const text = bytes.toString("utf8");
    const found = [...text.matchAll(pattern)];
    const match = found[random.below(Math.max(1, found.length))];
    if (!match) return bytes;
    const [old] = match;
    const after = text.slice(match.index + old.length);
    return Buffer.from(text.slice(0, match.index) + by(old, random) + after);
  };
}

const texts: readonly Mutation[] = [
  replaced(/-?\d+(\.\d+)?/g, (_, random) => numbers[random.below(numbers.length)]!),
  replaced(/[^\n]*\n/g, () => ""),
  replaced(/[^\n]*\n/g, (line) => line + line),
  replaced(/[A-Za-z_]{2,}/g, (word) => word.slice(1)),
  replaced(/["{}[\]:,<>\t]/g, () => ""),
  replaced(/["{}[\]:,<>\t]/g, (sign) => sign + sign),
];

/** One to three of them. */
export function mutated(original: Uint8Array, isText: boolean, random: Random): Uint8Array {
  const kinds = isText ? [...anyBytes, ...texts, ...texts] : anyBytes;
  let bytes: Buffer = Buffer.from(original);
  const times = 1 + random.below(3);
  for (let i = 0; i < times; i++)
    bytes = kinds[random.below(kinds.length)]!(Buffer.from(bytes), random);
  return bytes;
}
