import sharp from "sharp";
import type { GateDocument } from "../../../eval/gate/gate-record.js";
import { pictureFile } from "../../../eval/gate/gate.js";
import type { DatasetManifest } from "../../../eval/config/dataset.js";

/** Small pictures of what flipped and what moved, as data URLs by data set and path. */
export type GatePictures = ReadonlyMap<string, string>;

export const pictureKey = (dataset: string, image: string): string => `${dataset}/${image}`;

/** Flips a data set that are shown with their picture. */
export const picturedFlips = 24;
const side = 160;
/** Pixels above which a picture is not opened for a thumbnail. */
const mostPixels = 100_000_000;

/** A picture that cannot be read is left out; its name is shown then. */
export async function gatePictures(
  document: GateDocument,
  datasets: readonly DatasetManifest[],
): Promise<GatePictures> {
  const made = new Map<string, string>();
  for (const { name, flips, moved } of document.datasets) {
    const dataset = datasets.find((d) => d.name === name);
    if (!dataset) continue;
    for (const { image } of [...flips.slice(0, picturedFlips), ...moved]) {
      const file = image === null ? null : pictureFile(dataset, image);
      if (image === null || file === null || made.has(pictureKey(name, image))) continue;
      const url = await thumbnail(file).catch(() => null);
      if (url !== null) made.set(pictureKey(name, image), url);
    }
  }
  return made;
}

async function thumbnail(file: string): Promise<string> {
  const webp = await sharp(file, { limitInputPixels: mostPixels, failOn: "none" })
    .rotate()
    .resize(side, side, { fit: "inside", withoutEnlargement: true })
    .webp({ quality: 62 })
    .toBuffer();
  return `data:image/webp;base64,${webp.toString("base64")}`;
}
