/**
 * Reads a folder of Pascal VOC annotations, one XML file an image (Everingham et al. 2010; the VOC
 * development kit's "Annotation" section), into the same shape as COCO's.
 */
import { readdirSync } from "node:fs";
import { join, sep } from "node:path";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { UserError, unreadable } from "../../src/pipeline/errors.js";
import { readRegularSync } from "../../src/pipeline/regular-file.js";
import { strictText } from "../../src/pipeline/strict-text.js";
import type { CocoTruth, Leniency, Note } from "./coco-set.js";
import { TruthBuilder } from "./coco-truth-builder.js";
import { everyNth } from "./face-boxes.js";

export interface VocOptions extends Leniency {
  /**
   * `inclusive`: xmin to xmax are the first and the last pixel of the object, counted from 1, as
   * VOC defines them: left = xmin - 1, width = xmax - xmin + 1. `as-is`: left = xmin, width =
   * xmax - xmin, as most present tools write it. `auto` (default): as-is where any box begins at
   * 0 or below, which pixels counted from 1 cannot, else inclusive.
   */
  readonly boxes?: VocBoxRule | "auto";
  /** Of the files each so-manieth, where a release names no part that is held out. */
  readonly every?: number;
}

export type VocBoxRule = "inclusive" | "as-is";

const cdata = "#cdata";

type Xml = string | { readonly [name: string]: Xml | readonly Xml[] | undefined };

// References are resolved here (`plainText`), once and by XML's own rule.
const parser = new XMLParser({
  ignoreAttributes: true,
  parseTagValue: false,
  processEntities: false,
  cdataPropName: cdata,
  trimValues: true,
  isArray: (name) => name === "object",
});

/**
 * One truth from all `.xml` files of a folder and of those within it.
 *
 * An image's id is its XML file's path without the ending, its file name lies in the same folder;
 * the categories are the objects' names in alphabetical order, numbered from 1; `difficult` becomes
 * `ignore`; an area is that of the box.
 *
 * @throws UserError `file-unreadable`, `voc-xml` with file and element, and what TruthBuilder
 * refuses
 */
export function readVocTruth(folder: string, options: VocOptions = {}): CocoTruth {
  const files = vocFiles(folder, options.every);
  const images = files.map((name) => readImage(join(folder, name), name));
  const names = [
    ...new Set(images.flatMap((image) => image.objects.map((object) => object.name))),
  ].sort();
  const categoryId = new Map(names.map((name, i) => [name, i + 1]));
  const builder = new TruthBuilder(folder, options);
  for (const [name, id] of categoryId) builder.addCategory(id, name);
  const beginAtZero = images
    .flatMap((image) => image.objects)
    .filter(({ box }) => Math.min(box[0], box[1]) <= 0).length;
  const told = beginAtZero > 0 ? "as-is" : "inclusive";
  const rule = options.boxes === undefined || options.boxes === "auto" ? told : options.boxes;
  const margin = rule === "inclusive" ? 1 : 0;
  let id = 0;
  for (const image of images) {
    builder.addImage(image.id, image.width, image.height, image.fileName);
    for (const {
      file,
      path,
      name,
      box: [x0, y0, x1, y1],
      difficult,
    } of image.objects) {
      const width = x1 - x0 + margin;
      const height = y1 - y0 + margin;
      if ((width < 0 || height < 0) && !options.allowNegative)
        throw wrong(
          file,
          `${path}.bndbox`,
          "a box of negative size",
          "xmin <= xmax and ymin <= ymax",
          `${x0}, ${y0}, ${x1}, ${y1}`,
        );
      builder.addBox(
        ++id,
        image.id,
        categoryId.get(name) as number,
        x0 - margin,
        y0 - margin,
        width,
        height,
        width * height,
        false,
        difficult,
      );
    }
  }
  const truth = builder.build();
  return { ...truth, notes: [...truth.notes, ruleNote(rule, truth.image.length, beginAtZero)] };
}

/** The convention is in no file: whoever reads a number must know by which it was read. */
function ruleNote(rule: VocBoxRule, count: number, beginAtZero: number): Note {
  const message =
    rule === "inclusive"
      ? "true boxes read as VOC defines them (pixels from 1, both ends in: width = xmax - xmin + 1)"
      : "true boxes read as they are (width = xmax - xmin)";
  const told = beginAtZero > 0 ? `${beginAtZero} begin at 0` : "none begins at 0";
  return { code: "voc-boxes", message, count, first: told };
}

interface VocObject {
  readonly file: string;
  readonly path: string;
  readonly name: string;
  readonly box: readonly [number, number, number, number];
  readonly difficult: boolean;
}

interface VocImage {
  readonly id: string;
  readonly fileName: string | null;
  readonly width: number;
  readonly height: number;
  readonly objects: readonly VocObject[];
}

/** The annotations of a folder and of those within it, in order of their paths below it. */
export function vocFiles(folder: string, every = 1): string[] {
  let entries: string[];
  try {
    entries = readdirSync(folder, { recursive: true, encoding: "utf8" });
  } catch (error) {
    throw unreadable(folder, error);
  }
  const files = entries
    .filter((name) => name.toLowerCase().endsWith(".xml"))
    .map((name) => name.split(sep).join("/"))
    .sort();
  if (files.length > 0) return everyNth(files, every);
  throw new UserError({
    code: "voc-xml",
    message: "no annotation in this folder",
    file: folder,
    expected: "VOC annotations, one .xml file an image",
    found: `${entries.length} other entries`,
    fix: "give the folder that holds the .xml files",
  });
}

function readImage(file: string, name: string): VocImage {
  const text = xmlText(file);
  // No annotation needs a document type, and what it may define can grow without end.
  if (/<!DOCTYPE/i.test(text))
    throw wrong(file, "(top)", "has a document type", "plain elements", "<!DOCTYPE");
  const valid = XMLValidator.validate(text);
  if (valid !== true)
    throw wrong(file, `line ${valid.err.line}`, "not valid XML", "well-formed XML", valid.err.msg);
  const annotation = (parser.parse(text) as { annotation?: Xml }).annotation;
  if (annotation === undefined)
    throw wrong(file, "(top)", "not a VOC annotation", "an <annotation> element", "none");
  const size = child(annotation, "size");
  const objects =
    typeof annotation === "string" ? [] : ((annotation["object"] ?? []) as readonly Xml[]);
  return {
    id: name.slice(0, -".xml".length),
    fileName: pictureBeside(name, textOf(child(annotation, "filename"), file, "filename")),
    width: sizeOf(size, "width", file),
    height: sizeOf(size, "height", file),
    objects: objects.map((object, i): VocObject => {
      const path = `object[${i}]`;
      const label = textOf(child(object, "name"), file, `${path}.name`);
      if (!label)
        throw wrong(file, `${path}.name`, "an object without a name", "a class name", "nothing");
      const bounds = child(object, "bndbox");
      const box = ["xmin", "ymin", "xmax", "ymax"].map((key) => {
        const found = textOf(child(bounds, key), file, `${path}.bndbox.${key}`);
        const value = found ? Number(found) : NaN;
        if (!Number.isFinite(value))
          throw wrong(
            file,
            `${path}.bndbox.${key}`,
            "not a coordinate",
            "a finite number of px",
            found ?? "nothing",
          );
        return value;
      });
      return {
        file,
        path,
        name: label,
        box: box as unknown as VocObject["box"],
        difficult: textOf(child(object, "difficult"), file, `${path}.difficult`) === "1",
      };
    }),
  };
}

/** A release with a folder a class names its pictures by the last part of their paths alone. */
function pictureBeside(xml: string, fileName: string | undefined): string | null {
  if (fileName === undefined) return null;
  const folder = xml.slice(0, xml.lastIndexOf("/") + 1);
  return fileName.includes("/") ? fileName : `${folder}${fileName}`;
}

function child(xml: Xml | undefined, name: string): Xml | undefined {
  if (xml === undefined || typeof xml === "string") return undefined;
  const found = xml[name];
  return Array.isArray(found) ? (found[0] as Xml) : (found as Xml | undefined);
}

/** An element's text, or undefined where there is no such element. */
function textOf(xml: Xml | undefined, file: string, path: string): string | undefined {
  if (xml === undefined) return undefined;
  if (typeof xml === "string") return plainText(xml, file, path);
  const raw = xml[cdata];
  const verbatim = Array.isArray(raw) ? raw.join("") : raw;
  if (typeof verbatim !== "string") return undefined;
  const around = xml["#text"];
  return (typeof around === "string" ? plainText(around, file, path) : "") + verbatim;
}

const entities = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"],
]);

/**
 * Text with its character and entity references resolved once (XML 1.0, 4.1 and 4.6): `&#33033;`
 * is one character, `&amp;#33033;` are eight.
 */
export function plainText(xml: string, file: string, path: string): string {
  return xml.replace(/&([^;]*);?/g, (reference, name: string) => {
    const number = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(name);
    const code = number && (number[1] ? parseInt(number[1], 16) : Number(number[2]));
    const known = reference.endsWith(";") ? entities.get(name) : undefined;
    if (known !== undefined) return known;
    if (code !== null && code > 0 && code <= 0x10ffff && reference.endsWith(";"))
      return String.fromCodePoint(code);
    throw wrong(file, path, "an unknown reference", "a character of XML or &amp;", reference);
  });
}

/** A file's text in the encoding that its XML declaration names, UTF-8 unless it does. */
export function xmlText(file: string): string {
  let bytes: Uint8Array;
  try {
    bytes = readRegularSync(file);
  } catch (error) {
    throw unreadable(file, error);
  }
  const head = Buffer.from(bytes.subarray(0, 200)).toString("latin1");
  const declared = /^(?:\xef\xbb\xbf)?<\?xml[^>]*encoding\s*=\s*["']([^"']+)["']/.exec(head)?.[1];
  if (declared === undefined || /^utf-?8$/i.test(declared)) return strictText(bytes, { file });
  try {
    return new TextDecoder(declared, { fatal: true }).decode(bytes);
  } catch {
    const expected = "text in the encoding that its XML declaration names";
    throw wrong(file, "line 1", "not the text that it declares", expected, declared);
  }
}

function sizeOf(size: Xml | undefined, key: string, file: string): number {
  const value = Number(textOf(child(size, key), file, `size.${key}`));
  return value > 0 && Number.isFinite(value) ? value : 0;
}

function wrong(
  file: string,
  path: string,
  message: string,
  expected: string,
  found: string,
): UserError {
  return new UserError({
    code: "voc-xml",
    message,
    file,
    path,
    expected,
    found,
    fix: "correct the annotation",
  });
}
