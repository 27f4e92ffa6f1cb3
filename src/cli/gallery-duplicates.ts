import { pictureHash } from "../eval/observe/picture-hash.js";
import { UserError } from "../pipeline/errors.js";
import type { GalleryEntry } from "../pipeline/gallery/gallery.js";
import type { GalleryRow } from "../pipeline/gallery/gallery-store.js";
import { safePath } from "../pipeline/image/image-root.js";

/** Pictures of a list that a gallery holds already, or that the list names twice. */

/** Entries with the sha256 of their files; what cannot be read is said when it is embedded. */
export function withContent(entries: readonly GalleryEntry[], images: string): GalleryEntry[] {
  return entries.map(({ path, label }) => {
    try {
      return { path, label, content: pictureHash(safePath(images, path)) };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return { path, label };
    }
  });
}

/**
 * Whether a picture is in a gallery under the same label: by content, or by path where a row of an
 * older gallery has no content.
 */
export function knownIn(rows: readonly GalleryRow[]): (entry: GalleryEntry) => boolean {
  const contents = new Set<string>();
  const paths = new Set<string>();
  for (const { path, label, content } of rows)
    if (content === undefined) paths.add(JSON.stringify([path, label]));
    else contents.add(JSON.stringify([content, label]));
  return ({ path, label, content }) =>
    paths.has(JSON.stringify([path, label])) ||
    (content !== undefined && contents.has(JSON.stringify([content, label])));
}
