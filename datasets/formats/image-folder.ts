import { readdir } from "node:fs/promises";
import { extname, join } from "node:path";
import { UserError, unreadable } from "../../src/pipeline/errors.js";
import type { ListRow } from "./paddleclas-list.js";

const pictures = new Set([".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"]);

/**
 * A folder with a folder a class, as torchvision's `ImageFolder` reads it: the name of the folder
 * is the label, pictures at any depth below it are its own, all in the order of their names. Other
 * files are left out; the picture's number stands for the line.
 *
 * @throws UserError `image-folder` where no class has a picture.
 */
export async function readImageFolder(folder: string): Promise<ListRow[]> {
  const rows: ListRow[] = [];
  for (const label of await names(folder, "folders")) {
    for (const path of await picturesBelow(folder, label)) {
      rows.push({ path, label, line: rows.length + 1 });
    }
  }
  if (rows.length > 0) return rows;
  throw new UserError({
    code: "image-folder",
    message: "this folder has no folder with pictures",
    file: folder,
    expected: `a folder a class, with ${[...pictures].join(", ")} in it`,
    fix: "give the folder above those of the classes, or a list",
  });
}

async function picturesBelow(root: string, below: string): Promise<string[]> {
  const folder = join(root, below);
  const files = await names(folder, "files");
  const own = files.filter((name) => pictures.has(extname(name).toLowerCase()));
  const found = own.map((name) => `${below}/${name}`);
  for (const name of await names(folder, "folders")) {
    found.push(...(await picturesBelow(root, `${below}/${name}`)));
  }
  return found;
}

async function names(folder: string, which: "files" | "folders"): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw unreadable(folder, error);
  });
  const wanted = entries.filter((e) => (which === "files" ? e.isFile() : e.isDirectory()));
  return wanted.map((e) => e.name).sort();
}
