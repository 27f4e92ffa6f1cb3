import type { CocoTruth } from "./coco-set.js";
import { PictureNames } from "./picture-names.js";
import { plainName } from "./plain-name.js";

/** How the ids of a result file are found in a truth, beyond being the same. */
export const idMatches = ["file-name", "category-name", "text"] as const;
export type IdMatch = (typeof idMatches)[number];

/** The truth's id for that of a result file; one that no truth has where there is none. */
export interface IdTranslation {
  readonly image: (id: number | string) => number | string;
  readonly category: (id: number | string) => number;
}

/**
 * `file-name`: image ids are names of picture files, with or without folder and ending.
 * `category-name`: category ids are names. `text`: numbers written as text.
 */
export function translationOf(truth: CocoTruth, matches: readonly IdMatch[]): IdTranslation {
  const names = new PictureNames(truth.images.map((i) => i.fileName));
  const categories = new Map(truth.categories.map(({ id, name }) => [plainName(name), id]));
  const texts = new Map(truth.images.map(({ id }) => [String(id), id]));
  return {
    image: (id) => {
      const named = matches.includes("file-name") ? names.indexOf(String(id)) : -1;
      if (named >= 0) return truth.images[named]!.id;
      return matches.includes("text") ? (texts.get(String(id)) ?? id) : id;
    },
    category: (id) => {
      if (typeof id === "number") return id;
      const named = matches.includes("category-name") ? categories.get(plainName(id)) : undefined;
      if (named !== undefined) return named;
      return matches.includes("text") && id.trim() !== "" ? Number(id) : NaN;
    },
  };
}

/** A rule for category ids that commonly explains why they do not fit. */
export interface CategoryShift {
  readonly name: string;
  readonly category: (id: number) => number;
}

/**
 * Rules by which category ids of detections may be meant: counted from another number, or a place
 * among the truth's, as COCO's 80 classes for its 91 ids. Those that come to the same are one.
 */
export function categoryShifts({ categories }: Pick<CocoTruth, "categories">): CategoryShift[] {
  const ids = categories.map((c) => c.id);
  const shifts: CategoryShift[] = [
    { name: "category + 1", category: (id) => id + 1 },
    { name: "category - 1", category: (id) => id - 1 },
    { name: "the category at that place, from 0,", category: (id) => ids[id] ?? NaN },
    { name: "the category at that place, from 1,", category: (id) => ids[id - 1] ?? NaN },
  ];
  const known = new Set(ids);
  const reach = Array.from({ length: Math.max(...ids, 0) + 2 }, (_, id) => id);
  const effectOf = (rule: (id: number) => number): string =>
    JSON.stringify(reach.map(rule).map((id) => (known.has(id) ? id : null)));
  const seen = new Set([effectOf((id) => id)]);
  return shifts.filter(({ category }) => {
    const effect = effectOf(category);
    if (seen.has(effect)) return false;
    seen.add(effect);
    return true;
  });
}
