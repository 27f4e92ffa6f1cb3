/**
 * Finds pictures by what other files call them: with another folder before the name, another
 * ending, Windows separators, as an address, or in another Unicode form.
 */
export class PictureNames {
  readonly #exact = new Map<string, number>();
  readonly #paths = new Map<string, number>();
  readonly #stems = new Map<string, number | null>();

  /** Names in order; null for a picture without one. */
  constructor(names: readonly (string | null)[]) {
    names.forEach((name, i) => {
      if (name === null) return;
      if (!this.#exact.has(name)) this.#exact.set(name, i);
      const path = plainPath(name);
      if (!this.#paths.has(path)) this.#paths.set(path, i);
      const stem = stemOf(path);
      // Two pictures of one name in two folders: the name alone says nothing.
      this.#stems.set(stem, this.#stems.has(stem) ? null : i);
    });
  }

  /** The picture's place, or -1 where none is meant, or more than one might be. */
  indexOf(name: string): number {
    const path = plainPath(name);
    return this.#exact.get(name) ?? this.#paths.get(path) ?? this.#stems.get(stemOf(path)) ?? -1;
  }
}

/** Forward slashes, no address before it, no `./`, composed (NFC), without a picture's ending. */
function plainPath(name: string): string {
  return name
    .normalize("NFC")
    .replace(/^[a-z][a-z0-9+.-]+:\/\/[^/]*\//i, "")
    .replaceAll("\\", "/")
    .replace(/^(?:\.\/)+/, "")
    .replace(/\.(?:jpe?g|png|bmp|webp|gif|tiff?|avif)$/i, "");
}

function stemOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
