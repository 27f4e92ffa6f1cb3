import { existsSync } from "node:fs";
import sharp from "sharp";
import { safePath } from "./image-root.js";

const endings = ["", ".jpg", ".jpeg", ".png", ".bmp", ".webp", ".JPG", ".JPEG", ".PNG"];

/** A picture under an image root: its path there, and its size as shown, turned by EXIF. */
export interface PictureSize {
  readonly name: string;
  readonly width: number;
  readonly height: number;
}

/**
 * Finds pictures under a root by name, with or without ending, and reads their size from the
 * header. Null for one that is not there or is no picture.
 */
export function pictureSizes(root: string): (name: string) => Promise<PictureSize | null> {
  return async (name) => {
    for (const ending of endings) {
      const path = `${name}${ending}`;
      try {
        const file = safePath(root, path);
        if (!existsSync(file)) continue;
        const { width, height, orientation = 1 } = await sharp(file).metadata();
        const [w, h] = orientation >= 5 ? [height, width] : [width, height];
        return { name: path, width: w, height: h };
      } catch {
        return null;
      }
    }
    return null;
  };
}
