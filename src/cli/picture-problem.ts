import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { safePath } from "../pipeline/image/image-root.js";
import { UserError } from "../pipeline/errors.js";

/**
 * Why a listed picture cannot be used, or null where it can: it must be a file under the image root
 * and, where `decoded`, decode.
 */
export async function pictureProblem(
  root: string,
  path: string,
  { decoded }: { readonly decoded: boolean },
): Promise<string | null> {
  try {
    const file = safePath(root, path);
    const { size } = await stat(file);
    if (size === 0) return "an empty file";
    if (decoded) await (await import("../pipeline/image/image.js")).decode(file);
    return null;
  } catch (error) {
    if (error instanceof UserError)
      return [error.complaint.message, error.complaint.found].filter(Boolean).join(": ");
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTDIR") return "may not be read";
    return (await spacedTwin(root, path)) ?? "no such file";
  }
}

/** Lists take outer spaces off names: a file that has some is never found by its own. */
async function spacedTwin(root: string, path: string): Promise<string | null> {
  const names = await readdir(dirname(join(root, path))).catch(() => []);
  const twin = names.find((name) => name !== basename(path) && name.trim() === basename(path));
  if (twin === undefined) return null;
  return `no such file; ${JSON.stringify(twin)} is there, and lists take outer spaces off`;
}
