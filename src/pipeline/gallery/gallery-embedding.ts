import { embedFiles, type PoolOptions } from "../embedding/embed-pool.js";
import { UserError } from "../errors.js";
import type { GalleryEntry, GalleryFailure } from "./gallery.js";
import { safePath } from "../image/image-root.js";
import type { Codes, Vectors } from "../types.js";

export interface EmbeddedEntries {
  readonly rows: Vectors | Codes;
  /** The entries that worked, in the order of the rows. */
  readonly entries: readonly GalleryEntry[];
  /** The others, each with why: never skipped in silence. */
  readonly failures: readonly GalleryFailure[];
}

/**
 * Embeds the pictures of a list, whole, on all cores. Rows keep the order of the list whatever the
 * order in which workers finish.
 *
 * @param shape kind and dim of the model's vectors, from its card.
 */
export async function embedEntries(
  entries: readonly GalleryEntry[],
  imageRoot: string,
  shape: { readonly kind: "real" | "binary"; readonly dim: number },
  pool: PoolOptions,
): Promise<EmbeddedEntries> {
  const width = shape.kind === "real" ? shape.dim : shape.dim / 8;
  const data =
    shape.kind === "real"
      ? new Float32Array(entries.length * width)
      : new Uint8Array(entries.length * width);
  const complaints: (UserError["complaint"] | undefined)[] = new Array(entries.length).fill(
    undefined,
  ) as undefined[];
  const places: number[] = [];
  const files: string[] = [];
  for (const [place, entry] of entries.entries()) {
    try {
      files.push(safePath(imageRoot, entry.path));
      places.push(place);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      complaints[place] = error.complaint;
    }
  }
  await embedFiles(files, pool, ({ index, row, complaint }) => {
    const place = places[index]!;
    if (complaint) complaints[place] = complaint;
    else if (row) data.set(row, place * width);
  });

  // Close the gaps of the failures in place.
  let kept = 0;
  const worked: GalleryEntry[] = [];
  const failures: GalleryFailure[] = [];
  for (const [place, entry] of entries.entries()) {
    const complaint = complaints[place];
    if (complaint) {
      failures.push({ path: entry.path, complaint });
      continue;
    }
    if (kept !== place) data.copyWithin(kept * width, place * width, (place + 1) * width);
    worked.push(entry);
    kept++;
  }
  const used = data.subarray(0, kept * width);
  const rows: Vectors | Codes =
    used instanceof Float32Array ? { data: used, dim: shape.dim } : { data: used, bits: shape.dim };
  return { rows, entries: worked, failures };
}
