import { UserError } from "../../src/pipeline/errors.js";
import { plainName } from "./plain-name.js";
import type { CocoDetections, CocoTruth, Leniency, Note } from "./coco-set.js";
import { DetectionsBuilder } from "./coco-detections-builder.js";
import { TruthBuilder } from "./coco-truth-builder.js";
import { PictureNames } from "./picture-names.js";

/**
 * Boxes of files that name pictures and classes instead of numbering them: what the readers of
 * YOLO, LabelMe, CVAT, OpenImages and COCO objects yield, and how it becomes a truth, or detections
 * of one.
 */
export interface NamedBoxes {
  /** Named in errors. */
  readonly file: string;
  readonly images: readonly NamedImage[];
  /** The classes in the file's order; null: those of the boxes, in alphabetical order. */
  readonly classes: readonly string[] | null;
  readonly boxes: readonly NamedBox[];
  /** Coordinates are shares of the picture's sides. */
  readonly relative: boolean;
  readonly notes: readonly Note[];
}

export interface NamedImage {
  readonly name: string;
  /** The picture's own path where `name` is only a part of it. */
  readonly fileName?: string;
  /** px; 0 where the file does not say. */
  readonly width: number;
  readonly height: number;
}

export interface NamedBox {
  readonly image: string;
  readonly label: string;
  /** Left, top, width, height. */
  readonly box: readonly [number, number, number, number];
  /** px²; left out: that of the box. */
  readonly area?: number;
  readonly crowd?: boolean;
  readonly ignore?: boolean;
  /** Null where the file gives none: it is no detection. */
  readonly score: number | null;
  /** The place in the file, for errors. */
  readonly at: string;
}

/** A picture's own path and size in px, by its name; null where there is no such picture. */
export type SizeOf = (name: string) => Promise<NamedImage | null>;

/**
 * The same with the size of each picture that lacks it.
 *
 * @throws UserError `box-sizes` where coordinates are shares and a size is not to be had.
 */
export async function withSizes(set: NamedBoxes, sizeOf: SizeOf | null): Promise<NamedBoxes> {
  const images: NamedImage[] = [];
  for (const image of set.images) {
    const known = image.width > 0 && image.height > 0;
    const size: NamedImage | null = known ? image : ((await sizeOf?.(image.name)) ?? null);
    if (size === null && set.relative)
      throw new UserError({
        code: "box-sizes",
        message: "the boxes are shares of a picture whose size is not known",
        file: set.file,
        found: image.name,
        fix: "say where the pictures are: images in a manifest, --images on the command line",
      });
    const { width, height, name: fileName } = size ?? { ...image, width: 0, height: 0 };
    images.push({ name: image.name, fileName, width, height });
  }
  return { ...set, images };
}

/**
 * A truth: pictures in order of name, numbered by it; categories from 1. Scores are not looked at.
 *
 * @throws UserError what TruthBuilder refuses, and `unknown-category` for a label that the file's
 * own classes lack.
 */
export function namedTruth(set: NamedBoxes, leniency: Leniency = {}): CocoTruth {
  const builder = new TruthBuilder(set.file, leniency);
  const classes = set.classes ?? [...new Set(set.boxes.map((b) => b.label))].sort();
  const ids = new Map(classes.map((name, i) => [name, i + 1]));
  for (const [name, id] of ids) builder.addCategory(id, name);
  const sizes = new Map(set.images.map((image) => [image.name, image]));
  for (const { name, width, height, fileName } of set.images)
    builder.addImage(name, width, height, fileName ?? name);
  set.boxes.forEach(({ image, label, box, area, crowd, ignore, at }, i) => {
    const id = ids.get(label);
    if (id === undefined) throw unknownLabel(set, label, at);
    const [x, y, w, h] = inPixels(box, sizes.get(image), set.relative);
    const flags = [crowd ?? false, ignore ?? false] as const;
    builder.addBox(i + 1, image, id, x, y, w, h, area ?? w * h, ...flags);
  });
  const truth = builder.build();
  return { ...truth, notes: [...set.notes, ...truth.notes] };
}

/**
 * Detections on a truth, pictures found by file name and categories by name.
 *
 * @throws UserError `coco-score` for a box without a score, `unknown-image` unless lenient, and
 * `unknown-category` where no label is one of the truth's.
 */
export function namedDetections(
  set: NamedBoxes,
  truth: CocoTruth,
  leniency: Leniency = {},
): CocoDetections {
  const builder = new DetectionsBuilder(set.file, truth, leniency, set.boxes.length);
  const names = new PictureNames(truth.images.map((i) => i.fileName ?? String(i.id)));
  const categories = new Map(truth.categories.map(({ id, name }) => [plainName(name), id]));
  const met = set.boxes.some(({ label }) => categories.has(plainName(label)));
  if (set.boxes.length > 0 && !met) throw unmetLabels(set, truth);
  for (const { image, label, box, score, at } of set.boxes) {
    if (score === null)
      throw new UserError({
        code: "coco-score",
        message: "a detection without a score",
        file: set.file,
        path: at,
        fix: "is this the truth? detections have a score each",
      });
    const found = truth.images[names.indexOf(image)];
    const [x, y, w, h] = inPixels(box, found, set.relative);
    // Beyond every id of a truth: the builder counts or refuses what it does not know.
    builder.add(found?.id ?? image, categories.get(plainName(label)) ?? -1, x, y, w, h, score);
  }
  const detections = builder.build();
  return { ...detections, notes: [...set.notes, ...detections.notes] };
}

function inPixels(
  [x, y, w, h]: NamedBox["box"],
  image: { readonly width: number; readonly height: number } | undefined,
  relative: boolean,
): NamedBox["box"] {
  if (!relative || !image) return [x, y, w, h];
  return [x * image.width, y * image.height, w * image.width, h * image.height];
}

function unknownLabel({ file, classes }: NamedBoxes, label: string, at: string): UserError {
  return new UserError({
    code: "unknown-category",
    message: "a label that the file's own classes lack",
    file,
    path: at,
    expected: (classes ?? []).slice(0, 6).join(", "),
    found: label,
    fix: "add it to the classes, or correct the label",
  });
}

function unmetLabels({ file, boxes }: NamedBoxes, truth: CocoTruth): UserError {
  const few = (names: readonly string[]): string => [...new Set(names)].slice(0, 4).join(", ");
  return new UserError({
    code: "unknown-category",
    message: "no label of the detections is a category of the truth",
    file,
    expected: few(truth.categories.map((c) => c.name)),
    found: few(boxes.map((b) => b.label)),
    fix: "name the classes alike in both; YOLO's numbers get their names from classes.txt",
  });
}
