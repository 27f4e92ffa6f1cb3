import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { UserError, unreadable } from "../../src/pipeline/errors.js";
import type { ImageList, ListRow } from "./paddleclas-list.js";

const picture = /\.(?:jpe?g|png|bmp|webp|gif|tiff?|avif)$/i;

/**
 * A folder with a folder for each class, as torchvision's `ImageFolder` has it: the pictures in
 * them, those of folders within too, by path; the label is the first folder's name.
 *
 * @throws UserError `file-unreadable`; `list-empty` where no folder holds a picture.
 */
export async function readClassFolders(folder: string): Promise<ImageList> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
    (error: unknown) => {
      throw unreadable(folder, error);
    },
  );
  const paths = entries
    .filter((e) => !e.isDirectory() && picture.test(e.name))
    .map((e) => join(e.parentPath, e.name).slice(join(folder, "/").length))
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.includes("/") && !path.startsWith("."))
    .sort();
  if (paths.length === 0)
    throw new UserError({
      code: "list-empty",
      message: "no folder of this folder holds a picture",
      file: folder,
      expected: "a folder a class with its pictures, or a list file",
      found: entries.length === 0 ? "an empty folder" : `${entries.length} other entries`,
      fix: "give the folder that holds the classes' folders",
    });
  const rows = paths.map((path, i): ListRow => {
    return { path, label: path.slice(0, path.indexOf("/")), line: i + 1 };
  });
  return { file: folder, delimiter: "tab", columns: 2, rows };
}
