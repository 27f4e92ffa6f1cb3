import { UserError } from "../../src/pipeline/errors.js";
import { isOutside, Notes, refuseNegative } from "./coco-checks.js";
import { truthSanity } from "./box-sanity.js";
import type { CocoCategory, CocoImage, CocoTruth, Leniency, Note } from "./coco-set.js";
import { Column, float64, IdTable, uint8 } from "./columns.js";

/**
 * Collects the records of one truth in any order of images, categories and annotations, and checks
 * them.
 */
export class TruthBuilder {
  readonly #file: string;
  readonly #leniency: Leniency;
  readonly #images: CocoImage[] = [];
  readonly #categories: CocoCategory[] = [];
  readonly #imageId: (number | string)[] = [];
  readonly #categoryId = new Column(float64, 1024);
  readonly #box = new Column(float64, 4096);
  readonly #area = new Column(float64, 1024);
  readonly #crowd = new Column(uint8, 1024);
  readonly #ignore = new Column(uint8, 1024);
  readonly #id = new Column(float64, 1024);
  readonly #notes = new Notes();

  /** @param file named in errors */
  constructor(file: string, leniency: Leniency = {}) {
    this.#file = file;
    this.#leniency = leniency;
  }

  addImage(id: number | string, width: number, height: number, fileName: string | null): void {
    this.#images.push({ id, width, height, fileName });
  }

  addCategory(id: number, name: string): void {
    this.#categories.push({ id, name });
  }

  /** @param area NaN where the record has none */
  addBox(
    id: number,
    image: number | string,
    category: number,
    x: number,
    y: number,
    width: number,
    height: number,
    area: number,
    crowd: boolean,
    ignore: boolean,
  ): void {
    const index = this.#id.length;
    if (!(width >= 0 && height >= 0))
      refuseNegative(
        this.#file,
        `annotations[${index}]`,
        width,
        height,
        this.#leniency,
        this.#notes,
      );
    if (Number.isNaN(area)) {
      this.#notes.add(
        "area-missing",
        "true boxes without an area: width x height is taken",
        `annotations[${index}]`,
      );
      area = width * height;
    } else if (!Number.isFinite(area) || (area < 0 && !this.#leniency.allowNegative)) {
      throw new UserError({
        code: "coco-area",
        message: "an area must be finite and not negative",
        file: this.#file,
        path: `annotations[${index}].area`,
        found: String(area),
        fix: "correct the annotation",
      });
    }
    if (id === 0)
      this.#notes.add(
        "id-zero",
        "true box of id 0, which pycocotools takes for no match; here it counts as any other",
        `annotations[${index}]`,
      );
    if (ignore)
      this.#notes.add("ignore-flag", "true boxes flagged `ignore`", `annotations[${index}]`);
    this.#id.push(id);
    this.#imageId.push(image);
    this.#categoryId.push(category);
    this.#box.pushFour(x, y, width, height);
    this.#area.push(area);
    this.#crowd.push(crowd ? 1 : 0);
    this.#ignore.push(ignore ? 1 : 0);
  }

  /**
   * @throws UserError on duplicate ids, mixed kinds of image ids, or a box on an unknown image or
   * category
   */
  build(): CocoTruth {
    const file = this.#file;
    refuseDuplicates(
      file,
      "images",
      this.#images.map((image) => image.id),
      "image",
    );
    refuseDuplicates(
      file,
      "categories",
      this.#categories.map((category) => category.id),
      "category",
    );
    refuseDuplicateBoxes(file, this.#id.view());
    const wide = this.#images.some(({ id }) => isWideId(id));
    const named = wide ? this.#images.map((i) => ({ ...i, id: asText(i.id) })) : this.#images;
    const images = inOrder(named, file);
    const categories = [...this.#categories].sort((a, b) => a.id - b.id);
    const imageTable = new IdTable(images.map((image) => image.id));
    const categoryTable = new IdTable(categories.map((category) => category.id));

    const n = this.#id.length;
    const image = new Int32Array(n);
    const category = new Int32Array(n);
    const categoryId = this.#categoryId.view();
    const box = this.#box.view();
    const kept = new Int32Array(n);
    let count = 0;
    for (let i = 0; i < n; i++) {
      const imageId = this.#imageId[i]!;
      const imageIndex = imageTable.indexOf(wide ? asText(imageId) : imageId);
      const categoryIndex = categoryTable.indexOf(categoryId[i]!);
      image[i] = imageIndex;
      category[i] = categoryIndex;
      if (imageIndex < 0) {
        this.#unknown("unknown-image", "image", `annotations[${i}].image_id`, this.#imageId[i]!);
      } else if (categoryIndex < 0) {
        this.#unknown(
          "unknown-category",
          "category",
          `annotations[${i}].category_id`,
          categoryId[i]!,
        );
      } else {
        kept[count++] = i;
        if (
          isOutside(
            images[imageIndex]!,
            box[4 * i]!,
            box[4 * i + 1]!,
            box[4 * i + 2]!,
            box[4 * i + 3]!,
          )
        ) {
          this.#notes.add(
            "outside-image",
            "true boxes that lie wholly outside their image",
            `annotations[${i}]`,
          );
        }
      }
    }
    const columns = {
      image,
      category,
      area: this.#area.view(),
      crowd: this.#crowd.view(),
      ignore: this.#ignore.view(),
      id: this.#id.view(),
    };
    const told = this.#notes.list();
    if (count === n) return withSanity({ images, categories, ...columns, box }, told);
    const rows = kept.subarray(0, count);
    const left = {
      images,
      categories,
      image: Int32Array.from(rows, (i) => image[i]!),
      category: Int32Array.from(rows, (i) => category[i]!),
      area: Float64Array.from(rows, (i) => columns.area[i]!),
      crowd: Uint8Array.from(rows, (i) => columns.crowd[i]!),
      ignore: Uint8Array.from(rows, (i) => columns.ignore[i]!),
      id: Float64Array.from(rows, (i) => columns.id[i]!),
      box: Float64Array.from({ length: 4 * count }, (_, j) => box[4 * rows[j >> 2]! + (j & 3)]!),
    };
    return withSanity(left, told);
  }

  #unknown(
    code: "unknown-image" | "unknown-category",
    what: string,
    path: string,
    id: number | string,
  ): void {
    if (!this.#leniency.skipUnknown) {
      throw new UserError({
        code,
        message: `a true box of ${what} ${JSON.stringify(id)}, which the file does not list`,
        file: this.#file,
        path,
        fix: `add the ${what}, remove the box, or leave such boxes out with --skip-unknown`,
      });
    }
    this.#notes.add(
      code,
      `true boxes of ${what === "image" ? "images" : "categories"} that the file does not ` +
        "list, left out",
      path,
    );
  }
}

function withSanity(truth: Omit<CocoTruth, "notes">, told: readonly Note[]): CocoTruth {
  return { ...truth, notes: [...told, ...truthSanity(truth)] };
}

function refuseDuplicates(
  file: string,
  list: string,
  ids: readonly (number | string)[],
  what: string,
): void {
  const seen = new Map<number | string, number>();
  ids.forEach((id, i) => {
    const earlier = seen.get(id);
    if (earlier !== undefined)
      throw duplicate(file, `${list}[${i}].id`, what, id, `${list}[${earlier}]`);
    seen.set(id, i);
  });
}

/** Sorting finds out whether there are any; only then it is worth knowing where. */
function refuseDuplicateBoxes(file: string, ids: Float64Array): void {
  let ascending = true;
  for (let i = 1; i < ids.length && ascending; i++) ascending = ids[i - 1]! < ids[i]!;
  if (ascending) return;
  const sorted = ids.slice().sort();
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i] !== sorted[i - 1]) continue;
    const first = ids.indexOf(sorted[i]!);
    throw duplicate(
      file,
      `annotations[${ids.indexOf(sorted[i]!, first + 1)}].id`,
      "annotation",
      sorted[i]!,
      `annotations[${first}]`,
    );
  }
}

function duplicate(
  file: string,
  path: string,
  what: string,
  id: number | string,
  earlier: string,
): UserError {
  return new UserError({
    code: "duplicate-id",
    message: `a second ${what} with the id ${JSON.stringify(id)}`,
    file,
    path,
    found: `the first at ${earlier}`,
    fix: "give each its own id",
  });
}

/** A whole number of more digits than a double holds, kept as text. */
export function isWideId(id: number | string): boolean {
  return typeof id === "string" && /^-?\d{16,}$/.test(id);
}

/** Beside such an id all are text, so that they compare. */
export function asText(id: number | string): string {
  return String(id);
}

/** Numbers ascending, or strings by code point as Python sorts them. */
function inOrder(images: readonly CocoImage[], file: string): CocoImage[] {
  const kind = typeof images[0]?.id;
  const odd = images.findIndex((image) => typeof image.id !== kind);
  if (odd >= 0) {
    throw new UserError({
      code: "coco-image-id",
      message: "image ids of two kinds",
      file,
      path: `images[${odd}].id`,
      expected: `a ${kind} as the first image has`,
      found: JSON.stringify(images[odd]?.id),
      fix: "write all ids in the same way",
    });
  }
  if (kind !== "string") return [...images].sort((a, b) => (a.id as number) - (b.id as number));
  if (images.every(({ id }) => /^-?\d+$/.test(String(id))) && images.some((i) => isWideId(i.id)))
    return [...images].sort((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1));
  const keyed = images.map((image) => ({
    image,
    key: Array.from(image.id as string, (c) => c.codePointAt(0) as number),
  }));
  keyed.sort((a, b) => {
    const shorter = Math.min(a.key.length, b.key.length);
    for (let i = 0; i < shorter; i++) if (a.key[i] !== b.key[i]) return a.key[i]! - b.key[i]!;
    return a.key.length - b.key.length;
  });
  return keyed.map(({ image }) => image);
}
