import { pictureHash } from "../eval/observe/picture-hash.js";
import { UserError } from "../pipeline/errors.js";
import type { GalleryEntry } from "../pipeline/gallery/gallery.js";
import type { GalleryRow } from "../pipeline/gallery/gallery-store.js";
import { safePath } from "../pipeline/image/image-root.js";
import { isCodes } from "../pipeline/types.js";
import type { EmbeddedList } from "./embed-list.js";

/** Pictures of a list that a gallery holds already. */

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

/** The entries that `take` accepts, with their vectors. */
export function selected(
  { rows, entries }: Pick<EmbeddedList, "rows" | "entries">,
  take: (entry: GalleryEntry) => boolean,
): Pick<EmbeddedList, "rows" | "entries"> {
  const places = entries.flatMap((entry, place) => (take(entry) ? [place] : []));
  if (places.length === entries.length) return { rows, entries };
  const width = isCodes(rows) ? rows.bits / 8 : rows.dim;
  const { data } = rows;
  const kept = new (data.constructor as typeof Uint8Array)(places.length * width);
  places.forEach((place, row) =>
    kept.set(data.subarray(place * width, (place + 1) * width), row * width),
  );
  return {
    rows: { ...rows, data: kept } as typeof rows,
    entries: places.map((place) => entries[place]!),
  };
}
