import { readdir } from "node:fs/promises";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { UserError, unreadable } from "../../src/pipeline/errors.js";
import { readYaml } from "../../src/pipeline/schema.js";
import type { NamedBox, NamedBoxes } from "./named-boxes.js";
import { readLines } from "./text-lines.js";

/**
 * Reads a folder of YOLO text files, one a picture and named as it: `class x y width height
 * [score]`, the box's middle and size as shares of the picture (darknet's labels; Ultralytics'
 * `save_txt` with `save_conf`). Class names come from `classes.txt` or `obj.names` in the folder or
 * beside it, or from `names` of a `data.yaml` there; without them classes are called by number.
 *
 * @throws UserError `file-unreadable`, `yolo-line` with file and line.
 */
export async function readYolo(folder: string): Promise<NamedBoxes> {
  const entries = await readdir(folder).catch((error: unknown) => {
    throw unreadable(folder, error);
  });
  const files = entries.filter((n) => n.endsWith(".txt") && !nameFiles.includes(n)).sort();
  const classes = await classNames(folder);
  const boxes: NamedBox[] = [];
  for (const name of files) {
    const file = join(folder, name);
    const image = name.slice(0, -".txt".length);
    for (const { text, number } of await readLines(file, "yolo-line"))
      boxes.push(boxOf(text, { file, number, image, classes }));
  }
  return {
    file: folder,
    images: files.map((n) => ({ name: n.slice(0, -".txt".length), width: 0, height: 0 })),
    classes,
    boxes,
    relative: true,
    notes: [],
  };
}

const nameFiles = ["classes.txt", "obj.names", "labels.txt"];

interface Place {
  readonly file: string;
  readonly number: number;
  readonly image: string;
  readonly classes: readonly string[] | null;
}

function boxOf(text: string, { file, number, image, classes }: Place): NamedBox {
  const fields = text.split(/\s+/);
  const [place, x, y, w, h, score] = fields.map(Number) as [
    ...[number, number, number, number, number],
    number?,
  ];
  const wrong = (expected: string): UserError =>
    new UserError({
      code: "yolo-line",
      message: "not a box of YOLO",
      file,
      path: `line ${number}`,
      expected,
      found: text.slice(0, 80),
      fix: "give boxes (outlines and poses have more numbers), relative to the picture",
    });
  if (fields.length < 5 || fields.length > 6 || !fields.every((f) => Number.isFinite(Number(f))))
    throw wrong("class x y width height [score]");
  if (!Number.isInteger(place) || place < 0) throw wrong("a class number of 0 or more");
  if ([x, y, w, h].some((v) => v < -1 || v > 2)) throw wrong("shares of the picture, 0 to 1");
  const label = classes === null ? String(place) : classes[place];
  if (label === undefined) throw wrong(`a class below ${classes!.length}`);
  const box = [x - w / 2, y - h / 2, w, h] as const;
  return { image, label, box, score: score ?? null, at: `${file} line ${number}` };
}

const data = z.looseObject({
  names: z.union([z.array(z.string()), z.record(z.string(), z.string())]).optional(),
});

async function classNames(folder: string): Promise<string[] | null> {
  for (const place of [folder, dirname(folder), dirname(dirname(folder))]) {
    for (const name of nameFiles) {
      const file = join(place, name);
      if (existsSync(file)) return (await readLines(file, "yolo-line")).map(({ text }) => text);
    }
    const yaml = join(place, "data.yaml");
    const named = existsSync(yaml) ? (await readYaml(yaml, data)).names : undefined;
    if (named) return Array.isArray(named) ? named : inOrder(named);
  }
  return null;
}

/** `{ 0: person, 1: car }`. */
function inOrder(names: Readonly<Record<string, string>>): string[] {
  const places = Object.keys(names).map(Number);
  return Array.from({ length: Math.max(...places) + 1 }, (_, i) => names[i] ?? String(i));
}
