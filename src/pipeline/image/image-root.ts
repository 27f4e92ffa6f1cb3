import { existsSync, readlinkSync, realpathSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { UserError } from "../errors.js";
import { asReadError } from "./image-file.js";

/**
 * Where a path of a picture list leads, under the image root: the real path, symbolic links
 * followed. A path whose end does not exist is returned too, so that the reader reports it by name.
 *
 * An absolute path inside the root is one of its pictures, and a backslash separates folders where
 * no file has one in its name.
 *
 * @throws UserError `path-outside-root` where it leaves the root, by `..`, as an absolute path or
 * through a symbolic link; `image-unreadable` where it cannot be followed (a loop of links, no
 * right to look).
 */
export function safePath(root: string, path: string): string {
  if (path === "") throw outside(path, "an empty path");
  if (path.includes("\0")) throw outside(path, "a path with a null byte");
  const lexical = resolve(root, forwardSlashes(root, path));
  if (!isInside(resolve(root), lexical))
    throw outside(path, isAbsolute(path) ? "an absolute path" : "a path that climbs out of it");
  try {
    const target = realest(lexical);
    if (!isInside(realest(resolve(root)), target))
      throw outside(path, "a symbolic link that leads out of it");
    return target;
  } catch (error) {
    throw asReadError(lexical, error);
  }
}

/** `a\b.jpg` as Windows writes it, where no file has that very name. */
function forwardSlashes(root: string, path: string): string {
  if (!path.includes("\\") || existsSync(resolve(root, path))) return path;
  if (/^[a-zA-Z]:\\/.test(path)) throw outside(path, "an absolute path");
  return path.replaceAll("\\", "/");
}

/**
 * The path with every link followed, also where its end, or what a link points to, does not exist.
 * On the calling thread, without two hops to another one for each of a list's thousands of paths.
 */
function realest(path: string): string {
  try {
    return realpathSync.native(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if ((code !== "ENOENT" && code !== "ENOTDIR") || dirname(path) === path) throw error;
    const parent = realest(dirname(path));
    const dangling = linkTarget(path);
    return dangling === null ? join(parent, basename(path)) : realest(resolve(parent, dangling));
  }
}

function linkTarget(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function outside(path: string, found: string): UserError {
  return new UserError({
    code: "path-outside-root",
    message: "a picture's path leaves the image root",
    file: path,
    expected: "a path inside the image root",
    found,
    fix: "mend the list, or set the image root to a folder that holds all its pictures",
  });
}
