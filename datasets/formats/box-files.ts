import { readdir, stat } from "node:fs/promises";
import { extname } from "node:path";
import { oneOf, UserError, unreadable } from "../../src/pipeline/errors.js";
import { readCocoDetections, readCocoTruth, startsWithObject } from "./coco-json.js";
import type { CocoDetections, CocoTruth, Leniency } from "./coco-set.js";
import { translationOf, type IdMatch, type IdTranslation } from "./detection-ids.js";
import {
  namedDetections,
  namedTruth,
  withSizes,
  type NamedBoxes,
  type SizeOf,
} from "./named-boxes.js";
import type { VocBoxRule } from "./voc-xml.js";

/**
 * Every form in which boxes are read, truth or detections: one set gives one AP in all of them. A
 * new form is a line here and a reader beside it.
 */

export const boxFormats = [
  "coco-json",
  "voc-xml",
  "yolo",
  "labelme",
  "cvat-xml",
  "openimages-csv",
] as const;
export type BoxFormat = (typeof boxFormats)[number];

export interface BoxReading extends Leniency {
  /** Told from the file or folder where left out. */
  readonly format?: BoxFormat;
  /** Of VOC; see `readVocTruth`. */
  readonly boxes?: VocBoxRule | "auto";
  readonly every?: number;
  /** For forms that state shares of pictures, and not their sizes. */
  readonly sizeOf?: SizeOf;
  /** How ids of a result list are found; see `translationOf`. */
  readonly match?: readonly IdMatch[];
  /** The same, as rules at hand. */
  readonly translation?: IdTranslation;
}

// Loaded when met: most evaluations read one form.
const named: Partial<Record<BoxFormat, (path: string) => Promise<NamedBoxes>>> = {
  yolo: async (path) => (await import("./yolo-text.js")).readYolo(path),
  labelme: async (path) => (await import("./labelme.js")).readLabelMe(path),
  "cvat-xml": async (path) => (await import("./cvat-xml.js")).readCvat(path),
  "openimages-csv": async (path) => (await import("./openimages-csv.js")).readOpenImages(path),
};

/**
 * True boxes of a file or folder in any form.
 *
 * @throws UserError `box-format` where the form cannot be told, and what its reader throws.
 */
export async function readBoxTruth(path: string, options: BoxReading = {}): Promise<CocoTruth> {
  const format = options.format ?? (await boxFormatOf(path));
  const { sizeOf = null, skipUnknown = false, allowNegative = false, every = 1 } = options;
  const leniency = { skipUnknown, allowNegative };
  if (format === "coco-json") return readCocoTruth(path, leniency);
  if (format === "voc-xml") {
    const { readVocTruth } = await import("./voc-xml.js");
    return readVocTruth(path, { ...leniency, boxes: options.boxes ?? "auto", every });
  }
  return namedTruth(await withSizes(await named[format]!(path), sizeOf), leniency);
}

/**
 * Detections on a truth, of a file or folder in any form but VOC's, which has no scores.
 *
 * @throws UserError as `readBoxTruth`.
 */
export async function readBoxDetections(
  path: string,
  truth: CocoTruth,
  options: BoxReading = {},
): Promise<CocoDetections> {
  const format = options.format ?? (await boxFormatOf(path));
  const { skipUnknown = false, allowNegative = false, match = [] } = options;
  const leniency = { skipUnknown, allowNegative };
  if (format === "coco-json") {
    if (startsWithObject(path)) {
      const { readCocoObject } = await import("./coco-object.js");
      return namedDetections(await readCocoObject(path), truth, leniency);
    }
    const byRules = match.length > 0 ? translationOf(truth, match) : undefined;
    return readCocoDetections(path, truth, leniency, options.translation ?? byRules);
  }
  if (format === "voc-xml") throw noScores(path);
  return namedDetections(await named[format]!(path), truth, leniency);
}

/** The form of a file by its ending, of a folder by what it holds. */
export async function boxFormatOf(path: string): Promise<BoxFormat> {
  const about = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  const ending = extname(path).toLowerCase();
  if (!about.isDirectory())
    return ending === ".xml" ? "cvat-xml" : ending === ".csv" ? "openimages-csv" : "coco-json";
  const names = await readdir(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  const held = (suffix: string): boolean => names.some((n) => n.toLowerCase().endsWith(suffix));
  if (held(".xml")) return "voc-xml";
  if (held(".json")) return "labelme";
  if (held(".txt")) return "yolo";
  throw new UserError({
    code: "box-format",
    message: "no annotation in this folder",
    file: path,
    expected: "VOC's .xml, LabelMe's .json or YOLO's .txt files",
    found: names.length === 0 ? "an empty folder" : oneOf(names.slice(0, 4)),
    fix: "give the folder that holds the annotations",
  });
}

function noScores(file: string): UserError {
  return new UserError({
    code: "box-format",
    message: "VOC's annotations have no scores",
    file,
    expected: `detections as ${oneOf(boxFormats.filter((f) => f !== "voc-xml"))}`,
    fix: "write the detections as a COCO result list",
  });
}
