import { XMLParser, XMLValidator } from "fast-xml-parser";
import { UserError } from "../../src/pipeline/errors.js";
import type { NamedBox, NamedBoxes, NamedImage } from "./named-boxes.js";
import { plainText, xmlText } from "./voc-xml.js";

const lists = new Set(["image", "box", "attribute", "label"]);
// References are resolved by `plainText`, once and by XML's own rule.
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: "@",
  parseTagValue: false,
  parseAttributeValue: false,
  processEntities: false,
  isArray: (name) => lists.has(name),
});

type Attributes = Readonly<Record<string, string | undefined>>;
interface Image extends Attributes {
  readonly box?: undefined;
}

/**
 * Reads boxes of "CVAT for images 1.1": `<image name width height>` with `<box label xtl ytl xbr
 * ybr>`. An `<attribute name="score">` (or confidence) makes a box a detection. Outlines and points
 * are passed over.
 *
 * @throws UserError `file-unreadable`, `cvat-xml` with the element.
 */
export function readCvat(file: string): NamedBoxes {
  const text = xmlText(file);
  const valid = /<!DOCTYPE/i.test(text) ? null : XMLValidator.validate(text);
  if (valid !== true) {
    const found = valid === null ? "<!DOCTYPE" : valid.err.msg;
    throw wrong(file, valid === null ? "(top)" : `line ${valid.err.line}`, "plain XML", found);
  }
  const root = (parser.parse(text) as { annotations?: unknown }).annotations;
  if (typeof root !== "object" || root === null)
    throw wrong(file, "(top)", "<annotations> with <image> elements", "none");
  const { image: elements = [], meta } = root as { image?: readonly Image[]; meta?: unknown };
  const images: NamedImage[] = [];
  const boxes: NamedBox[] = [];
  elements.forEach((element, i) => {
    const at = `image[${i}]`;
    const name = attribute(element, "name", file, at);
    images.push({
      name,
      width: number(element, "width", file, at),
      height: number(element, "height", file, at),
    });
    const children = (element as unknown as { box?: readonly Attributes[] }).box ?? [];
    children.forEach((box, j) => boxes.push(boxOf(box, name, file, `${at}.box[${j}]`)));
  });
  return { file, images, classes: labelsOf(meta, file), boxes, relative: false, notes: [] };
}

function boxOf(box: Attributes, image: string, file: string, at: string): NamedBox {
  const [x0, y0, x1, y1] = ["xtl", "ytl", "xbr", "ybr"].map((k) => number(box, k, file, at));
  const score = scoreOf(box as unknown as { attribute?: readonly Attributes[] }, file, at);
  return {
    ...{ image, at, score },
    label: attribute(box, "label", file, at),
    box: [x0!, y0!, x1! - x0!, y1! - y0!],
  };
}

function scoreOf(
  { attribute: attributes = [] }: { attribute?: readonly Attributes[] },
  file: string,
  at: string,
): number | null {
  const own = attributes.find((a) => /^(score|confidence)$/i.test(a["@name"] ?? ""));
  if (!own) return null;
  const score = Number(own["#text"]);
  if (own["#text"] === undefined || !Number.isFinite(score))
    throw wrong(file, `${at} score`, "a finite number", own["#text"] ?? "nothing");
  return score;
}

/** `meta > task (or job) > labels > label > name`: the order of the categories. */
function labelsOf(meta: unknown, file: string): string[] | null {
  const within = (of: unknown, key: string): unknown =>
    typeof of === "object" && of !== null ? (of as Record<string, unknown>)[key] : undefined;
  const task = within(meta, "task") ?? within(meta, "job") ?? within(meta, "project");
  const labels = within(within(task, "labels"), "label");
  if (!Array.isArray(labels)) return null;
  const names = labels.map((l) => within(l, "name"));
  const told = names.every((n): n is string => typeof n === "string");
  return told ? names.map((n) => plainText(n, file, "labels.label.name")) : null;
}

function attribute(of: Attributes, name: string, file: string, at: string): string {
  const found = of[`@${name}`];
  if (found === undefined || found === "") throw wrong(file, at, `an attribute ${name}`, "none");
  return plainText(found, file, `${at} ${name}`);
}

function number(of: Attributes, name: string, file: string, at: string): number {
  const text = attribute(of, name, file, at);
  if (Number.isFinite(Number(text))) return Number(text);
  throw wrong(file, `${at} ${name}`, "a finite number of px", text);
}

function wrong(file: string, path: string, expected: string, found: string): UserError {
  const message = "not an annotation of CVAT for images 1.1";
  const fix = "export it from CVAT as CVAT for images 1.1";
  return new UserError({ code: "cvat-xml", message, file, path, expected, found, fix });
}
