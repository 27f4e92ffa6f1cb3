/**
 * Readers of COCO's two files: the annotations (an object with images, annotations and categories)
 * and the detections (a list of { image_id, category_id, bbox, score }). In one pass, in memory
 * that depends on the number of boxes and not on the size of the file: outlines, captions and any
 * other key are passed over.
 *
 * Format: https://cocodataset.org/#format-data and #format-results.
 */
import { statSync } from "node:fs";
import { UserError } from "../../src/pipeline/errors.js";
import { type ByteSource, withFileSource } from "./byte-source.js";
import { notABox } from "./coco-checks.js";
import { DetectionsBuilder } from "./coco-detections-builder.js";
import type { CocoDetections, CocoTruth, Leniency } from "./coco-set.js";
import type { IdTranslation } from "./detection-ids.js";
import { TruthBuilder } from "./coco-truth-builder.js";
import { JsonScanner } from "./json-scanner.js";
import { endOfObject, KeyTable } from "./key-table.js";

const sections = new KeyTable(["images", "annotations", "categories"]);
const imageKeys = new KeyTable(["id", "width", "height", "file_name"]);
const categoryKeys = new KeyTable(["id", "name"]);
const annotationKeys = new KeyTable([
  "id",
  "image_id",
  "category_id",
  "bbox",
  "area",
  "iscrowd",
  "ignore",
]);
const detectionKeys = new KeyTable(["image_id", "category_id", "bbox", "score"]);

/**
 * Reads an annotation file.
 *
 * @throws UserError `file-unreadable`; `json-syntax` with the byte; `coco-record`, `coco-box`,
 * `duplicate-id`, `unknown-image`, `unknown-category` and kin with the record
 */
export function readCocoTruth(file: string, leniency: Leniency = {}): CocoTruth {
  return withFileSource(file, (source) => scanCocoTruth(file, source, leniency));
}

/** Reads a detection file made for `truth`. Throws as readCocoTruth. */
export function readCocoDetections(
  file: string,
  truth: CocoTruth,
  leniency: Leniency = {},
  ids?: IdTranslation,
): CocoDetections {
  return withFileSource(file, (source) =>
    scanCocoDetections(file, source, truth, leniency, Math.ceil(sizeOf(file) / 120), ids),
  );
}

/** Whether a JSON file holds an object, and not a list. */
export function startsWithObject(file: string): boolean {
  return withFileSource(file, (source) => new JsonScanner(file, source).atObject);
}

/** As readCocoTruth, from any source of bytes; `file` is named in errors. */
export function scanCocoTruth(
  file: string,
  source: ByteSource,
  leniency: Leniency = {},
): CocoTruth {
  const scanner = new JsonScanner(file, source);
  if (!scanner.atObject) {
    throw wrongFile(
      file,
      "an object with images, annotations and categories",
      scanner.found(),
      "is this the file of detections? give the annotations as the truth",
    );
  }
  const builder = new TruthBuilder(file, leniency);
  const seen = [false, false, false];
  scanner.enterObject();
  for (let section; (section = scanner.nextKey(sections)) !== endOfObject;) {
    if (section < 0) {
      scanner.skip();
      continue;
    }
    const name = sections.names[section] as string;
    if (seen[section])
      throw new UserError({
        code: "coco-section",
        message: `a second ${JSON.stringify(name)}`,
        file,
        fix: "join the two lists",
      });
    seen[section] = true;
    if (!scanner.atArray)
      throw new UserError({
        code: "coco-section",
        message: "not a list",
        file,
        path: name,
        expected: "a list",
        found: scanner.found(),
        fix: "see the COCO format",
      });
    scanner.enterArray();
    const read = section === 0 ? readImage : section === 1 ? readAnnotation : readCategory;
    for (let i = 0; scanner.nextItem(); i++) read(scanner, builder, i);
  }
  scanner.finish();
  const missing = sections.names.filter((_, i) => !seen[i]);
  if (missing.length > 0)
    throw new UserError({
      code: "coco-section",
      message: `no ${missing.map((m) => JSON.stringify(m)).join(", no ")}`,
      file,
      expected: "images, annotations and categories",
      found: `only ${sections.names.filter((_, i) => seen[i]).join(", ") || "other keys"}`,
      fix: "give an annotation file with boxes",
    });
  return builder.build();
}

/** As readCocoDetections, from any source of bytes; `file` is named in errors. */
export function scanCocoDetections(
  file: string,
  source: ByteSource,
  truth: CocoTruth,
  leniency: Leniency = {},
  expected = 1024,
  ids?: IdTranslation,
): CocoDetections {
  const scanner = new JsonScanner(file, source);
  if (!scanner.atArray) {
    throw wrongFile(
      file,
      "a list of { image_id, category_id, bbox, score }",
      scanner.found(),
      "is this the annotation file? detections are a plain list",
    );
  }
  const builder = new DetectionsBuilder(file, truth, leniency, expected);
  const box = new Float64Array(4);
  scanner.enterArray();
  for (let i = 0; scanner.nextItem(); i++) {
    if (!scanner.atObject) throw wrongType(scanner, `[${i}]`, "an object");
    let image: number | string = NaN;
    let category = NaN;
    let score = NaN;
    let got = 0;
    scanner.enterObject();
    for (let key; (key = scanner.nextKey(detectionKeys)) !== endOfObject;) {
      if (key < 0) {
        scanner.skip();
        continue;
      }
      got |= 1 << key;
      if (key === 2) {
        readBox(scanner, box, "", i);
      } else if (key === 0 && (scanner.atString || scanner.atNumber)) {
        image = scanner.atString ? scanner.string() : scanner.idNumber();
      } else if (key === 1 && ids && scanner.atString) {
        category = ids.category(scanner.string());
      } else {
        if (!scanner.atNumber)
          throw wrongType(scanner, `[${i}].${detectionKeys.names[key]}`, "a number");
        const value = scanner.number();
        if (key === 1) category = ids ? ids.category(value) : value;
        else score = value;
      }
    }
    if (ids) image = ids.image(image);
    if (got !== 0b1111) throw missingKey(file, `[${i}]`, detectionKeys, got);
    builder.add(image, category, box[0]!, box[1]!, box[2]!, box[3]!, score);
  }
  scanner.finish();
  return builder.build();
}

function readImage(scanner: JsonScanner, builder: TruthBuilder, i: number): void {
  let id: number | string = NaN;
  let width = 0;
  let height = 0;
  let fileName: string | null = null;
  let got = 0;
  if (!scanner.atObject) throw wrongType(scanner, `images[${i}]`, "an object");
  scanner.enterObject();
  for (let key; (key = scanner.nextKey(imageKeys)) !== endOfObject;) {
    if (key === 0) {
      got = 1;
      id = readName(scanner, "images", i, "id");
    } else if (key === 3 && scanner.atString) {
      fileName = scanner.string();
    } else if ((key === 1 || key === 2) && scanner.atNumber) {
      if (key === 1) width = scanner.number();
      else height = scanner.number();
    } else {
      scanner.skip(); // a size of null, as some exporters write it, is no size
    }
  }
  if (got === 0) throw missingKey(scanner.file, `images[${i}]`, imageKeys, 0b1110);
  builder.addImage(id, width, height, fileName);
}

function readCategory(scanner: JsonScanner, builder: TruthBuilder, i: number): void {
  let id = NaN;
  let name: string | null = null;
  let got = 0;
  if (!scanner.atObject) throw wrongType(scanner, `categories[${i}]`, "an object");
  scanner.enterObject();
  for (let key; (key = scanner.nextKey(categoryKeys)) !== endOfObject;) {
    if (key === 0) {
      got = 1;
      id = readId(scanner, "categories", i, "id");
    } else if (key === 1 && scanner.atString) {
      name = scanner.string();
    } else {
      scanner.skip();
    }
  }
  if (got === 0) throw missingKey(scanner.file, `categories[${i}]`, categoryKeys, 0b10);
  builder.addCategory(id, name ?? String(id));
}

const annotationBox = new Float64Array(4);

function readAnnotation(scanner: JsonScanner, builder: TruthBuilder, i: number): void {
  let id = NaN;
  let image: number | string = NaN;
  let category = NaN;
  let area = NaN;
  let crowd = false;
  let ignore = false;
  let got = 0;
  if (!scanner.atObject) throw wrongType(scanner, `annotations[${i}]`, "an object");
  scanner.enterObject();
  for (let key; (key = scanner.nextKey(annotationKeys)) !== endOfObject;) {
    // A value of null, as some exporters write it, is none.
    if (key < 0 || (key >= 4 && scanner.atNull)) {
      scanner.skip();
      continue;
    }
    got |= 1 << key;
    if (key === 3) {
      readBox(scanner, annotationBox, "annotations", i);
    } else if (key >= 5) {
      if (!scanner.atFlag)
        throw wrongType(scanner, `annotations[${i}].${annotationKeys.names[key]}`, "0 or 1");
      if (key === 5) crowd = scanner.flag();
      else ignore = scanner.flag();
    } else if (key === 1) {
      image = readName(scanner, "annotations", i, "image_id");
    } else if (key === 0) {
      const name = readName(scanner, "annotations", i, "id", false);
      // Beyond what a column of numbers holds: it only has to differ from the others.
      id = typeof name === "number" ? name : -2 - i;
    } else if (key === 4) {
      if (!scanner.atNumber) throw wrongType(scanner, `annotations[${i}].area`, "a number of px²");
      area = scanner.number();
      if (Number.isNaN(area))
        throw new UserError({
          code: "coco-area",
          message: "an area must be finite",
          file: scanner.file,
          path: `annotations[${i}].area`,
          found: "NaN",
          fix: "correct the annotation",
        });
    } else {
      category = readId(scanner, "annotations", i, annotationKeys.names[key] as string);
    }
  }
  if ((got & 0b1111) !== 0b1111)
    throw missingKey(scanner.file, `annotations[${i}]`, annotationKeys, got | 0b1110000);
  builder.addBox(
    id,
    image,
    category,
    annotationBox[0]!,
    annotationBox[1]!,
    annotationBox[2]!,
    annotationBox[3]!,
    area,
    crowd,
    ignore,
  );
}

function readBox(scanner: JsonScanner, into: Float64Array, list: string, i: number): void {
  let n = 0;
  if (scanner.atArray) {
    scanner.enterArray();
    while (scanner.nextItem()) {
      if (!scanner.atNumber)
        throw notABox(scanner.file, `${list}[${i}].bbox[${n}]`, scanner.found());
      const value = scanner.number();
      if (!Number.isFinite(value))
        throw notABox(scanner.file, `${list}[${i}].bbox[${n}]`, String(value));
      if (n < 4) into[n] = value;
      n++;
    }
    if (n === 4) return;
    throw notABox(scanner.file, `${list}[${i}].bbox`, `${n} numbers`);
  }
  throw notABox(scanner.file, `${list}[${i}].bbox`, scanner.found());
}

/** An id that may be text, or a whole number of any size. */
function readName(
  scanner: JsonScanner,
  list: string,
  i: number,
  key: string,
  text = true,
): number | string {
  if (text && scanner.atString) return scanner.string();
  if (!scanner.atNumber) throw wrongType(scanner, `${list}[${i}].${key}`, "a number");
  const id = scanner.idNumber();
  if (typeof id === "string" || Number.isSafeInteger(id)) return id;
  throw notAnId(scanner.file, `${list}[${i}].${key}`, id);
}

function readId(scanner: JsonScanner, list: string, i: number, key: string): number {
  if (!scanner.atNumber) throw wrongType(scanner, `${list}[${i}].${key}`, "a number");
  const id = scanner.number();
  if (Number.isSafeInteger(id)) return id;
  throw notAnId(scanner.file, `${list}[${i}].${key}`, id);
}

function notAnId(file: string, path: string, id: number): UserError {
  return new UserError({
    code: "coco-record",
    message: "not an id",
    file,
    path,
    expected: "an integer below 2^53",
    found: String(id),
    fix: "number the records with integers",
  });
}

function wrongType(scanner: JsonScanner, path: string, expected: string): UserError {
  return new UserError({
    code: "coco-record",
    message: "of the wrong type",
    file: scanner.file,
    path,
    expected,
    found: scanner.found(),
    fix: "see the COCO format",
  });
}

function wrongFile(file: string, expected: string, found: string, fix: string): UserError {
  return new UserError({
    code: "coco-file",
    message: "not a file of this kind",
    file,
    expected,
    found,
    fix,
  });
}

function missingKey(file: string, path: string, keys: KeyTable, got: number): UserError {
  const missing = keys.names.filter((_, k) => !(got & (1 << k)));
  return new UserError({
    code: "coco-record",
    message: `lacks ${missing.map((m) => JSON.stringify(m)).join(" and ")}`,
    file,
    path,
    fix: "write the record whole",
  });
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}
