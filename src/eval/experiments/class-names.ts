import type { CocoCategory } from "../../../datasets/formats/coco-set.js";
import { plainName } from "../../../datasets/formats/plain-name.js";
import { UserError } from "../../pipeline/errors.js";

/**
 * Which category of a data set a model's class is: by name where both sides have names, else by
 * place. A place that stands for a name is said, since a wrong order gives a low number and no
 * error.
 */
export interface ClassMapping {
  /** By the model's class number: an index into the categories, or null where there is none. */
  readonly categories: readonly (number | null)[];
  /** What a reader of the number should know. */
  readonly notes: readonly string[];
}

export interface ClassSides {
  /** The names that the model's card lists, or how many classes it has where it lists none. */
  readonly classes: readonly string[] | number;
  /** The data set's, ascending by id. */
  readonly categories: readonly CocoCategory[];
  /** Indices of categories that have true boxes: a placeholder without any is not missed. */
  readonly used: ReadonlySet<number>;
  /** Named in errors. */
  readonly file: string;
}

/**
 * @throws UserError `class-names` where both sides have names and none agrees, or where a name
 * stands twice on one side.
 */
export function mapClasses(sides: ClassSides): ClassMapping {
  const { classes, categories } = sides;
  const named = categories.some(({ id, name }) => name !== String(id));
  return typeof classes === "number" || !named ? byPlace(sides) : byName(classes, sides);
}

function byName(classes: readonly string[], { categories, used, file }: ClassSides): ClassMapping {
  const places = new Map<string, number>();
  categories.forEach(({ name }, i) => once(places, name, i, file, "the data set"));
  const known = new Map<string, number>();
  classes.forEach((name, i) => once(known, name, i, file, "the model's card"));
  const mapped = classes.map((name) => places.get(plainName(name)) ?? null);
  if (mapped.every((m) => m === null)) {
    throw new UserError({
      code: "class-names",
      message: "the model's classes and the data set's have no name in common",
      file,
      expected: few(categories.map((c) => c.name)),
      found: few(classes),
      fix: "correct detection.classes in the card, or evaluate with agnostic: true",
    });
  }
  const strange = classes.filter((_, i) => mapped[i] === null);
  const missed = categories.filter((c, i) => used.has(i) && !known.has(plainName(c.name)));
  return {
    categories: mapped,
    notes: [
      ...said(strange, "of the model are no category of the data set: their boxes are left out"),
      ...said(
        missed.map((c) => c.name),
        "of the data set are no class of the model: their objects cannot be found",
      ),
    ],
  };
}

function byPlace({ classes, categories }: ClassSides): ClassMapping {
  const count = typeof classes === "number" ? classes : classes.length;
  // A class beyond them is no class to leave out: whoever gets a box of it refuses.
  const mapped = Array.from({ length: Math.min(count, categories.length) }, (_, i) => i);
  if (count <= 1 && categories.length <= 1) return { categories: mapped, notes: [] };
  const pairs = categories
    .slice(0, 3)
    .map(({ id, name }, i) => `class ${i} is ${JSON.stringify(name)} (id ${id})`);
  const why =
    typeof classes === "number" ? "the card names no classes" : "the data set names no categories";
  const more = categories.length > 3 ? ", …" : "";
  return {
    categories: mapped,
    notes: [`${why}: classes were taken in order of category id: ${pairs.join(", ")}${more}`],
  };
}

function once(
  places: Map<string, number>,
  name: string,
  place: number,
  file: string,
  side: string,
): void {
  if (places.has(plainName(name))) {
    throw new UserError({
      code: "class-names",
      message: `${side} has two classes of one name`,
      file,
      found: JSON.stringify(name),
      fix: "give each class a name of its own",
    });
  }
  places.set(plainName(name), place);
}

function said(names: readonly string[], what: string): string[] {
  return names.length === 0 ? [] : [`${names.length} classes (${few(names)}) ${what}`];
}

function few(names: readonly string[]): string {
  const shown = names.slice(0, 4).map((n) => JSON.stringify(n));
  return shown.join(", ") + (names.length > 4 ? ", …" : "");
}
