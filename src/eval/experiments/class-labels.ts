import { plainName } from "../../../datasets/formats/plain-name.js";
import { UserError } from "../../pipeline/errors.js";

/**
 * Which output of a classifier a list's label is: by name where both sides have names, else by
 * number. A number that stands for a name is checked by what the answers say (`labelDoubts`).
 */
export interface LabelMapping {
  /** The output of each row's label. */
  readonly truth: readonly number[];
  /** What a list would call an output; null for one that no label means. */
  readonly labelOf: (output: number) => string | null;
  /** What a reader of the number should know. */
  readonly notes: readonly string[];
}

export interface LabelSides {
  readonly rows: readonly { readonly label: string; readonly line: number }[];
  /** The names that the model's card lists, or how many classes it has where it lists none. */
  readonly classes: readonly string[] | number;
  /** Output 0 is none of the classes, which follow it (1001 outputs for ImageNet's 1000). */
  readonly background?: boolean | undefined;
  /** The number that lists give the first class. */
  readonly firstClass?: number | undefined;
  /** What the data set calls its numbers, from the first class on; null where it does not say. */
  readonly names?: readonly string[] | null;
  /** The list, named in errors. */
  readonly file: string;
}

/** @throws UserError `class-unknown` for a label that is no class of the model. */
export function mapLabels(sides: LabelSides): LabelMapping {
  const { rows, classes } = sides;
  const numbered = rows.every(({ label }) => /^\d+$/.test(label));
  if (typeof classes === "number") return byNumber(sides, classes);
  const known = new Map(classes.map((name, i) => [plainName(name), i]));
  if (numbered && !rows.every(({ label }) => known.has(label))) {
    return sides.names ? byListedName(sides, classes, known) : byNumber(sides, classes.length);
  }
  const truth = rows.map(({ label, line }) => {
    const place = known.get(plainName(label));
    if (place === undefined) throw unknown(sides.file, line, label, `one of ${few(classes)}`);
    return place;
  });
  return { truth, labelOf: (output) => classes[output] ?? null, notes: [] };
}

/** Numbers of the list, named by the data set, found by name among the model's classes. */
function byListedName(
  { rows, names, firstClass = 0, file }: LabelSides,
  classes: readonly string[],
  known: ReadonlyMap<string, number>,
): LabelMapping {
  const listed = names ?? [];
  const numbers = new Map<number, number>();
  const truth = rows.map(({ label, line }) => {
    const name = listed[Number(label) - firstClass];
    const place = name === undefined ? undefined : known.get(plainName(name));
    if (place === undefined)
      throw unknown(file, line, name ?? label, `a name of the model: ${few(classes)}`);
    numbers.set(place, Number(label));
    return place;
  });
  const at = (output: number): string => {
    const place = listed.findIndex((name) => plainName(name) === plainName(classes[output]!));
    return place < 0 ? classes[output]! : String(place + firstClass);
  };
  return { truth, labelOf: at, notes: [] };
}

function byNumber(
  { rows, background, firstClass = 0, classes: given, file }: LabelSides,
  classes: number,
): LabelMapping {
  const shift = Number(background ?? false) - firstClass;
  const [least, most] = [Math.max(0, -shift), classes - 1 - shift];
  const truth = rows.map(({ label, line }) => {
    const n = Number(label);
    if (!Number.isInteger(n) || n < least || n > most)
      throw unknown(file, line, label, `a whole number from ${least} to ${most}`);
    return n + shift;
  });
  const numbers = rows.map(({ label }) => Number(label));
  const [first, last] = [Math.min(...numbers), Math.max(...numbers)];
  const whole = first === least && last === most;
  const example = typeof given === "number" ? "" : ` (${JSON.stringify(given[first + shift])})`;
  const notes =
    whole && typeof given === "number"
      ? []
      : [
          `labels were taken as class numbers: ${first} to ${last} of the list are outputs ` +
            `${first + shift}${example} to ${last + shift} of ${classes}`,
        ];
  return { truth, labelOf: (o) => (o - shift < least ? null : String(o - shift)), notes };
}

function unknown(file: string, line: number, found: string, expected: string): UserError {
  return new UserError({
    code: "class-unknown",
    message: "a label is no class of the model",
    file,
    path: `line ${line}`,
    expected,
    found,
    fix:
      "number the classes as the model was trained; labels from 1 on: firstClass: 1 in the " +
      "manifest; names: list them as classification.classes in the card",
  });
}

function few(names: readonly string[]): string {
  const shown = names.slice(0, 4).map((n) => JSON.stringify(n));
  return shown.join(", ") + (names.length > 4 ? ", …" : "");
}

/** So many more right answers are no accident. */
const muchBetter = 0.1;

/**
 * What the answers say of labels that were taken by number: whether one off would fit them better,
 * and whether they are the same classes in another order.
 *
 * @param predicted the output of each picture, or null where it could not be classified.
 */
export function labelDoubts(
  truth: readonly number[],
  predicted: readonly (number | null)[],
  classes: number,
): string[] {
  const n = truth.length;
  const share = (right: (i: number) => boolean): number =>
    truth.filter((_, i) => predicted[i] !== null && right(i)).length / n;
  const own = share((i) => predicted[i] === truth[i]);
  const shifted = [1, -1].map((by) => ({
    by,
    top1: share((i) => predicted[i] === truth[i]! + by),
  }));
  const best = shifted.sort((a, b) => b.top1 - a.top1)[0]!;
  const ordered = reordered(truth, predicted);
  if (best.top1 > own + muchBetter && best.top1 >= (ordered?.top1 ?? 0)) {
    const sign = best.by > 0 ? "+ 1" : "- 1";
    const cause =
      best.by > 0
        ? `has the model ${classes} outputs with a background class first (background: true)?`
        : "do the labels count from 1 (firstClass: 1 in the manifest)?";
    return [
      `with label ${sign} top-1 would be ${best.top1.toFixed(3)} instead of ${own.toFixed(3)}: ` +
        cause,
    ];
  }
  if (ordered === null || ordered.top1 <= own + muchBetter || ordered.top1 < 0.5) return [];
  const { from, to } = ordered;
  return [
    `in another order of the classes top-1 would be ${ordered.top1.toFixed(3)} instead of ` +
      `${own.toFixed(3)} (pictures of class ${from} are answered as ${to}): list the names in ` +
      "the card and in the manifest",
  ];
}

/** The best order that can be told: each class as what most of its pictures are answered as. */
function reordered(
  truth: readonly number[],
  predicted: readonly (number | null)[],
): { top1: number; from: number; to: number } | null {
  const counts = new Map<number, Map<number, number>>();
  truth.forEach((t, i) => {
    const p = predicted[i];
    if (p === null || p === undefined) return;
    const row = counts.get(t) ?? new Map<number, number>();
    counts.set(t, row.set(p, (row.get(p) ?? 0) + 1));
  });
  // A handful of pictures a class say little, and any answer would be the most frequent one.
  if (truth.length < 3 * counts.size) return null;
  const pairs = [...counts].map(([from, row]) => {
    const [to, right] = [...row].sort((a, b) => b[1] - a[1])[0]!;
    return { from, to, right };
  });
  if (new Set(pairs.map((p) => p.to)).size < pairs.length) return null;
  const example = pairs.find((p) => p.from !== p.to);
  if (!example) return null;
  const top1 = pairs.reduce((sum, p) => sum + p.right, 0) / truth.length;
  return { top1, from: example.from, to: example.to };
}
