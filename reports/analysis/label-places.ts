/** Where names of marks go so that none lies on a mark, a whisker, or another name. */

export interface NamedMark {
  /** Pixels from the left and from the top of the plot. */
  readonly x: number;
  readonly y: number;
  readonly name: string;
  /** Top and bottom of its whisker, where it has one. */
  readonly whisker?: readonly [number, number];
}

export interface LabelPlace {
  readonly dx: number;
  readonly dy: number;
  readonly align: "left" | "right" | "center";
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Half the side of a mark. */
const reach = 6;
/** In order of liking: beside the mark, then slanting, then over and under it. */
const places: readonly LabelPlace[] = [
  { dx: 9, dy: 0, align: "left" },
  { dx: -9, dy: 0, align: "right" },
  { dx: 7, dy: -11, align: "left" },
  { dx: 7, dy: 11, align: "left" },
  { dx: -7, dy: -11, align: "right" },
  { dx: -7, dy: 11, align: "right" },
  { dx: 0, dy: -14, align: "center" },
  { dx: 0, dy: 14, align: "center" },
];

/**
 * A place for each name, in order of the marks; null where every place is taken, so that the name
 * is better left to the table and the tooltip.
 */
export function placeLabels(
  marks: readonly NamedMark[],
  { width, height }: { readonly width: number; readonly height: number },
  fontSize = 10.5,
): (LabelPlace | null)[] {
  const taken = marks.flatMap(obstacles);
  return marks.map((mark) => {
    for (const place of places) {
      const box = labelBox(mark, place, fontSize);
      if (box.left < 0 || box.right > width || box.top < 0 || box.bottom > height) continue;
      if (taken.some((other) => overlap(box, other))) continue;
      taken.push(box);
      return place;
    }
    return null;
  });
}

function obstacles({ x, y, whisker }: NamedMark): Box[] {
  const mark = { left: x - reach, right: x + reach, top: y - reach, bottom: y + reach };
  if (whisker === undefined) return [mark];
  return [mark, { left: x - 1, right: x + 1, top: whisker[0], bottom: whisker[1] }];
}

/** Letters of this face are a little over half as wide as high, on average. */
function labelBox({ x, y, name }: NamedMark, { dx, dy, align }: LabelPlace, size: number): Box {
  const width = 0.58 * size * name.length;
  const start = { left: 0, center: -width / 2, right: -width }[align];
  const left = x + dx + start;
  return { left, right: left + width, top: y + dy - size / 2, bottom: y + dy + size / 2 };
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

/** A value's place between the ends of an axis, from 0 to 1. */
export function axisPlace(
  value: number,
  [low, high]: readonly [number, number],
  log = false,
): number {
  const of = log ? Math.log : (v: number): number => v;
  return high === low ? 0.5 : (of(value) - of(low)) / (of(high) - of(low));
}
