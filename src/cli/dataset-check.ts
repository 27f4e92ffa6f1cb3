import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { readListPart } from "../../datasets/formats/released-list.js";
import { placeDataset, type DatasetManifest } from "../eval/config/dataset.js";
import { datasetPictures, listPictures, readTruth } from "../eval/experiments/pictures.js";
import type { PictureRef } from "../eval/observe/observations.js";
import { cellsOf, readPaper, type PaperCell } from "../eval/paper/paper-tables.js";
import { UserError } from "../pipeline/errors.js";
import { projectRoot } from "../pipeline/root.js";

/** What is there of a data set in its release's layout, and what the paper states of it. */

export interface CheckedPart {
  readonly set: string;
  readonly part: string;
  readonly verdict: "there" | "missing" | "incomplete" | "as stated" | "differs";
  /** What was found: a path, counts. */
  readonly found: string;
  readonly expected: string | null;
  readonly fix: string | null;
}

type Placed = Awaited<ReturnType<typeof placeDataset>>;

/** @param manifests of one release: recognition and detection may be two. */
export async function checkDataset(
  manifests: readonly string[],
  data: string,
): Promise<CheckedPart[]> {
  if (!existsSync(data))
    throw new UserError({
      code: "file-unreadable",
      message: "there is no such folder",
      file: data,
      fix: "--data names the folder that holds the data sets, one folder each",
    });
  const parts: CheckedPart[] = [];
  for (const file of manifests) parts.push(...(await checkManifest(file, data)));
  return parts;
}

async function checkManifest(file: string, data: string): Promise<CheckedPart[]> {
  const set = await placeDataset(file, { data });
  const parts: CheckedPart[] = [];
  const add = (part: string, checked: Omit<CheckedPart, "set" | "part">): void => {
    parts.push({ set: set.name, part, ...checked });
  };
  for (const [part, path] of namedParts(set)) add(part, presence(set, part, path));
  if (parts.every((p) => p.verdict === "there")) {
    try {
      for (const [part, checked] of await contents(set)) add(part, checked);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const { message, fix } = error.complaint;
      const found = error.complaint.found === undefined ? message : error.message;
      add("contents", { verdict: "incomplete", found, expected: null, fix: fix ?? null });
    }
  }
  for (const [part, checked] of await statedCounts(set)) add(part, checked);
  return parts;
}

/** Lists, annotations and image roots by name. */
function namedParts(set: Placed): [string, string][] {
  switch (set.task) {
    case "detection":
      return [
        ["annotations", set.annotations.path],
        ["images", set.images],
      ];
    case "pipeline":
      return [
        ["annotations", set.annotations.path],
        ["images", set.images],
        ["gallery", set.gallery.list],
      ];
    case "classification":
      return [
        ["validation", set.validation.list],
        ["images", set.validation.images ?? set.images],
      ];
    case "recognition":
      return [
        ["gallery", set.gallery.list],
        ["images", set.gallery.images ?? set.images],
        ...(set.query ? [["query", set.query.list] as [string, string]] : []),
      ];
  }
}

/** Sets whose recognition needs crops that the release does not have, by the folder's name. */
const cropped = new Set(["logodet-3k", "icartoonface"]);

function presence(set: Placed, part: string, path: string): Omit<CheckedPart, "set" | "part"> {
  if (existsSync(path)) return { verdict: "there", found: path, expected: null, fix: null };
  const folder = dirname(set.file).split(/[/\\]/).at(-1) ?? set.name;
  const near = nearestThere(path);
  const fix =
    set.task === "recognition" && cropped.has(folder)
      ? `shitu datasets prepare ${folder} --data FOLDER makes it of the release`
      : `datasets/${folder}/README.md says how it is laid out${near}`;
  return { verdict: "missing", found: "nothing", expected: `${path} (${part})`, fix };
}

/** What the deepest folder that is there holds instead. */
function nearestThere(path: string): string {
  let folder = dirname(path);
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  const names = existsSync(folder) ? readdirSync(folder).sort().slice(0, 5) : [];
  return `; ${folder} holds ${names.length === 0 ? "nothing" : names.join(", ")}`;
}

type Checked = [string, Omit<CheckedPart, "set" | "part">];

/** The pictures that lists and annotations name: how many there are, how many are missing. */
async function contents(set: Placed): Promise<Checked[]> {
  const manifest = { ...set, hash: "" } as DatasetManifest;
  const checked: Checked[] = [];
  if (manifest.task === "recognition" || manifest.task === "classification") {
    const parts =
      manifest.task === "classification"
        ? (["validation"] as const)
        : manifest.query
          ? (["gallery", "query"] as const)
          : (["gallery"] as const);
    for (const part of parts) {
      const { rows, pictures } = await listPictures(manifest, part, "standard");
      const labels = new Set(rows.map((r) => r.label)).size;
      checked.push([`${part} pictures`, pictureCount(pictures, `${labels} classes`)]);
    }
    return checked;
  }
  const pictures = await datasetPictures(manifest, "standard");
  const truth = await readTruth(manifest);
  return [["pictures", pictureCount(pictures, `${truth.image.length} boxes`)]];
}

function pictureCount(
  pictures: readonly PictureRef[],
  more: string,
): Omit<CheckedPart, "set" | "part"> {
  const lost = pictures.filter((p) => "complaint" in p || !existsSync(p.file));
  const found = `${pictures.length} pictures, ${more}`;
  if (lost.length === 0) return { verdict: "there", found, expected: null, fix: null };
  const first = lost.slice(0, 3).map((p) => p.item);
  return {
    verdict: "incomplete",
    found: `${found}; ${lost.length} files are not there: ${first.join(", ")}`,
    expected: "a file for every picture that is named",
    fix: "unpack the rest of the release",
  };
}

/** Beside the paper's Tables 1 and 2. */
async function statedCounts(set: Placed): Promise<Checked[]> {
  if (!set.stated) return [];
  const { table, row } = set.stated;
  const paper = await readPaper(join(projectRoot, "configs", "paper", "tables.yaml"));
  const cells = paper.tables.filter((t) => t.table === table).flatMap((t) => cellsOf(t).flat());
  const cell = (column: RegExp): PaperCell | undefined =>
    cells.find((c) => c.row === row && column.test(c.column));
  if (table === 1) {
    const held = cell(/validation/);
    if (set.task !== "detection" || !held || !existsSync(set.annotations.path)) return [];
    const { images } = await readTruth(set).catch(() => ({ images: [] }));
    return [["validation pictures", besideStated(images.length, held, table)]];
  }
  const counts = set.training && (await countList(set.training.list));
  if (!counts) return [];
  const [pictures, classes] = [cell(/images/), cell(/classes/)];
  return [
    ["training pictures", besideStated(counts.pictures, pictures!, table)],
    ["training classes", besideStated(counts.classes, classes!, table)],
  ];
}

function besideStated(
  count: number,
  { value, rounding, printed }: PaperCell,
  table: number,
): Omit<CheckedPart, "set" | "part"> {
  const same = Math.abs(count - value!) <= rounding;
  const expected = `${printed} (Table ${table})`;
  const fix = same ? null : "another release, or another part of it, than the paper's";
  return { verdict: same ? "as stated" : "differs", found: String(count), expected, fix };
}

/** Of a list, or of a folder of one folder a class. */
async function countList(
  path: string,
): Promise<{ readonly pictures: number; readonly classes: number } | null> {
  if (!existsSync(path)) return null;
  if (!statSync(path).isDirectory()) {
    const { rows } = await readListPart(path, "train");
    return { pictures: rows.length, classes: new Set(rows.map((r) => r.label)).size };
  }
  const folders = readdirSync(path, { withFileTypes: true }).filter((e) => e.isDirectory());
  const pictures = folders.reduce((n, f) => n + readdirSync(join(path, f.name)).length, 0);
  return { pictures, classes: folders.length };
}
