import type { CocoTruth, Note } from "../../../datasets/formats/coco-set.js";
import type { Detected } from "../observe/observations.js";

/** What was noticed while reading boxes, one sentence each. */
export function readingNotes(notes: readonly Note[]): string[] {
  return notes
    .filter(({ code }) => code !== "id-zero")
    .map(({ count, message, first }) => `${count} ${message} (${first})`);
}

/**
 * Sizes that annotations state beside those that pictures have: a detector's boxes are in the frame
 * as shown, turned by EXIF, and boxes of another frame miss them all.
 */
export function sizeNotes(
  { found }: Pick<Detected, "found">,
  { images }: Pick<CocoTruth, "images">,
): string[] {
  const odd = images.flatMap((image, i) => {
    const shown = found[i];
    const stated = image.width > 0 && image.height > 0;
    if (!shown || !stated) return [];
    if (shown.width === image.width && shown.height === image.height) return [];
    const turned = shown.width === image.height && shown.height === image.width;
    return [{ image, shown, turned }];
  });
  const [first] = odd;
  if (first === undefined) return [];
  const turned = odd.filter((o) => o.turned).length;
  const { image, shown } = first;
  const example =
    `${image.fileName ?? image.id} is ${shown.width} x ${shown.height}, ` +
    `annotated as ${image.width} x ${image.height}`;
  const cause = turned > 0 ? `, ${turned} of them turned by EXIF` : "";
  return [
    `${odd.length} pictures have another size than their annotations state${cause}: ${example}`,
  ];
}
