import { FileAttachment } from "observablehq:stdlib";
import { tableFromIPC } from "npm:@uwdata/flechette";

/**
 * The site's pictures lie in parts, those that are seen together in one: a page loads the parts of
 * the pictures that come into view. Framework wants each file by its name, and one named
 * .arrow, which these are, with a library that nothing here needs.
 */
const parts = [
  FileAttachment("../data/pictures-0.bin"),
  FileAttachment("../data/pictures-1.bin"),
  FileAttachment("../data/pictures-2.bin"),
  FileAttachment("../data/pictures-3.bin"),
  FileAttachment("../data/pictures-4.bin"),
  FileAttachment("../data/pictures-5.bin"),
  FileAttachment("../data/pictures-6.bin"),
  FileAttachment("../data/pictures-7.bin"),
  FileAttachment("../data/pictures-8.bin"),
  FileAttachment("../data/pictures-9.bin"),
  FileAttachment("../data/pictures-10.bin"),
  FileAttachment("../data/pictures-11.bin"),
  FileAttachment("../data/pictures-12.bin"),
  FileAttachment("../data/pictures-13.bin"),
  FileAttachment("../data/pictures-14.bin"),
  FileAttachment("../data/pictures-15.bin"),
  FileAttachment("../data/pictures-16.bin"),
  FileAttachment("../data/pictures-17.bin"),
  FileAttachment("../data/pictures-18.bin"),
  FileAttachment("../data/pictures-19.bin"),
  FileAttachment("../data/pictures-20.bin"),
  FileAttachment("../data/pictures-21.bin"),
  FileAttachment("../data/pictures-22.bin"),
  FileAttachment("../data/pictures-23.bin"),
];

/** By data set the pictures' names, each with the number of its part. */
type Places = Readonly<Record<string, Readonly<Record<string, number>>>>;
let places: Promise<Places> | undefined;
const loaded = new Map<number, Promise<Map<string, Uint8Array>>>();

/**
 * An object URL for a picture of the first of the sets that has it, or null where the site holds no
 * such picture.
 */
export async function pictureUrl(
  sets: readonly string[],
  picture: string | null,
): Promise<string | null> {
  if (picture === null) return null;
  places ??= FileAttachment("../data/pictures.json").json() as Promise<Places>;
  const held = await places;
  const set = sets.find((name) => Object.hasOwn(held[name] ?? {}, picture));
  if (set === undefined) return null;
  const webp = (await part(held[set]![picture]!)).get(`${set}/${picture}`);
  if (webp === undefined) return null;
  return URL.createObjectURL(new Blob([webp as Uint8Array<ArrayBuffer>], { type: "image/webp" }));
}

function part(number: number): Promise<Map<string, Uint8Array>> {
  let pictures = loaded.get(number);
  if (pictures === undefined) {
    pictures = parts[number]!.arrayBuffer().then(picturesByKey);
    loaded.set(number, pictures);
  }
  return pictures;
}

function picturesByKey(bytes: ArrayBuffer): Map<string, Uint8Array> {
  const { key, webp } = tableFromIPC(bytes).toColumns() as unknown as {
    readonly key: readonly string[];
    readonly webp: readonly Uint8Array[];
  };
  return new Map(key.map((name, i) => [name, webp[i]!]));
}
