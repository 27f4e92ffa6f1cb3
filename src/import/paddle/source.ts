import { lstat, readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { UserError, unreadable } from "../../pipeline/errors.js";
import { readBytes } from "./read-parameters.js";
import { readTar } from "./tar.js";

/** Where a model's files come from: a folder, or an archive that is never unpacked to disk. */
export interface ModelSource {
  /** The folder or archive, named in errors. */
  readonly place: string;
  /** Files by their names, without folders. */
  readonly names: readonly string[];
  /** @throws UserError `file-unreadable`. */
  read(name: string): Promise<Uint8Array>;
  /** How a file is named in errors. */
  pathOf(name: string): string;
}

/** A file that tells a model's folder. */
const modelNames = /^(__model__|.*\.pdmodel|inference\.json|model\.json)$/;

/**
 * Opens a folder or a `.tar` archive as downloaded; where the model is in the one folder inside,
 * that is taken.
 * @throws UserError `file-unreadable`, `archive-unsafe`, `paddle-missing`.
 */
export async function openSource(place: string): Promise<ModelSource> {
  let isFolder;
  try {
    isFolder = (await stat(place)).isDirectory();
  } catch (error) {
    throw unreadable(place, error);
  }
  return isFolder ? await openFolder(place) : await openArchive(place);
}

async function openFolder(folder: string): Promise<ModelSource> {
  const entries = await readdir(folder, { withFileTypes: true });
  const files = entries.filter((e) => !e.isDirectory()).map((e) => e.name);
  if (files.some((name) => modelNames.test(name))) return folderSource(folder, files);
  const below = entries.filter((e) => e.isDirectory()).map((e) => join(folder, e.name));
  const inside = [];
  for (const sub of below) {
    const names = await readdir(sub);
    if (names.some((name) => modelNames.test(name))) inside.push({ sub, names });
  }
  const [only] = inside;
  if (inside.length > 1)
    throw several(
      folder,
      inside.map(({ sub }) => basename(sub)),
    );
  return only ? folderSource(only.sub, only.names) : folderSource(folder, files);
}

function folderSource(folder: string, names: readonly string[]): ModelSource {
  const pathOf = (name: string): string => join(folder, name);
  return {
    place: folder,
    names: names.filter((name) => !isLitter(name)),
    pathOf,
    read: async (name) => {
      await refuseOutside(folder, pathOf(name));
      return await readBytes(pathOf(name));
    },
  };
}

/** A link may lead anywhere: a folder from elsewhere must not make us read what is outside it. */
async function refuseOutside(folder: string, file: string): Promise<void> {
  let target: string;
  try {
    if (!(await lstat(file)).isSymbolicLink()) return;
    target = await realpath(file);
  } catch (error) {
    throw unreadable(file, error);
  }
  const root = await realpath(folder);
  if (target.startsWith(root + sep)) return;
  throw new UserError({
    code: "link-outside",
    message: "is a link that leaves its folder",
    file,
    found: target,
    fix: "copy the file itself into the folder",
  });
}

async function openArchive(file: string): Promise<ModelSource> {
  const members = readTar(await readBytes(file), file);
  const models = [...members.keys()].filter((name) => modelNames.test(basename(name)));
  const folders = [...new Set(models.map((name) => dirname(name)))];
  if (folders.length > 1) throw several(file, folders);
  const folder = folders[0] ?? ".";
  const inside = [...members].filter(([name]) => dirname(name) === folder);
  const files = new Map(inside.map(([name, bytes]) => [basename(name), bytes]));
  const pathOf = (name: string): string => `${file}/${folder === "." ? "" : `${folder}/`}${name}`;
  return {
    place: file,
    names: [...files.keys()].filter((name) => !isLitter(name)),
    pathOf,
    read: (name) => {
      const bytes = files.get(name);
      const missing = unreadable(pathOf(name), { code: "ENOENT" });
      return bytes ? Promise.resolve(bytes) : Promise.reject(missing);
    },
  };
}

/** What macOS leaves beside files. */
function isLitter(name: string): boolean {
  return name.startsWith("._") || name === ".DS_Store";
}

function several(place: string, folders: readonly string[]): UserError {
  return new UserError({
    code: "paddle-missing",
    message: "holds several models",
    file: place,
    found: folders.join(", "),
    fix: `give one of them, as ${resolve(place, folders[0] ?? "")}`,
  });
}
