import { stat } from "node:fs/promises";
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
    return code === "ENOENT" || code === "ENOTDIR" ? "no such file" : "may not be read";
  }
}
