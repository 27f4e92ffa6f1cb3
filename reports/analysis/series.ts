/**
 * One colour and one shape a model or system, the same on every page: what is named alike looks
 * alike. Hue never tells alone.
 */

export type Role = "server" | "light" | "light, int8" | "baseline" | "other";

const baselines =
  /^(no weights|whole-image|pixels-\d+|colour-histogram|random-projection(-bits)?)$/;

/** The part that a model or system plays in the paper's comparison, by its name. */
export function roleOf(name: string): Role {
  if (baselines.test(name)) return "baseline";
  if (/server/i.test(name)) return "server";
  if (/light/i.test(name) && !/light-(plain|dml|u-dml|dshsd|dlbhc|lcdsh)|signs$/.test(name))
    return /int8/i.test(name) ? "light, int8" : "light";
  return "other";
}

/**
 * Rows of trained models apart from those of baselines without training, whose numbers near zero
 * only push the others together. Where there are only baselines, they are what is shown.
 */
export function apartFromBaselines<T extends { readonly labels: Readonly<Record<string, string>> }>(
  rows: readonly T[],
): { readonly trained: readonly T[]; readonly baselines: readonly T[] } {
  const untrained = (row: T): boolean =>
    roleOf(row.labels.model ?? row.labels.system ?? "") === "baseline";
  const trained = rows.filter((row) => !untrained(row));
  return trained.length === 0
    ? { trained: rows, baselines: [] }
    : { trained, baselines: rows.filter(untrained) };
}

/** Places in a palette of eight hues; 8 is the grey of what is only a baseline. */
const hues: Readonly<Record<Exclude<Role, "other">, number>> = {
  server: 3,
  light: 2,
  "light, int8": 7,
  baseline: 8,
};
const marks: Readonly<Record<Exclude<Role, "other">, string>> = {
  server: "square",
  light: "circle",
  "light, int8": "triangle-up",
  baseline: "cross",
};
const dashes: Readonly<Record<Exclude<Role, "other">, readonly number[]>> = {
  server: [1, 0],
  light: [6, 2],
  "light, int8": [2, 2],
  baseline: [1, 3],
};

export interface Series {
  readonly domain: readonly string[];
  /** Places in the palette. */
  readonly hues: readonly number[];
  readonly shapes: readonly string[];
  readonly dashes: readonly (readonly number[])[];
}

/**
 * Looks of some names: those of a role have its own, the others take what is left, in order of
 * their names.
 */
export function seriesOf(names: readonly string[]): Series {
  const domain = [...new Set(names)];
  const spareHues = [0, 1, 4, 5, 6];
  const spareShapes = [
    "diamond",
    "triangle-down",
    "triangle-right",
    "triangle-left",
    "circle",
    "square",
  ];
  const spareDashes = [
    [1, 0],
    [4, 2],
    [8, 3],
    [6, 2, 1, 2],
    [2, 1],
  ];
  const others = domain.filter((name) => roleOf(name) === "other").sort();
  const taken = { server: 0, light: 0, "light, int8": 0, baseline: 0 };
  const looks = domain.map((name) => {
    const role = roleOf(name);
    const at = others.indexOf(name);
    if (role !== "other") {
      const second = taken[role]++ > 0;
      // Two of one role share its hue and differ in shape and dash.
      return {
        hue: hues[role],
        shape: second ? spareShapes[taken[role] % spareShapes.length]! : marks[role],
        dash: second ? spareDashes[taken[role] % spareDashes.length]! : dashes[role],
      };
    }
    return {
      hue: spareHues[at % spareHues.length]!,
      shape: spareShapes[at % spareShapes.length]!,
      dash: spareDashes[at % spareDashes.length]!,
    };
  });
  return {
    domain,
    hues: looks.map((l) => l.hue),
    shapes: looks.map((l) => l.shape),
    dashes: looks.map((l) => l.dash),
  };
}
