import { join } from "node:path";
import { readVocTruth } from "../formats/voc-xml.js";
import type { Cut, CutLists } from "./crops.js";

/**
 * Of a brand's pictures each so-manieth is held out: 2%, as 155,427 of 158,652 pictures are trained
 * on by the paper, which does not say which.
 */
const heldOut = 49;

/** Where the release lies below the data folder, and where its crops go. */
export const logodetFolders = { release: "LogoDet-3K", crops: "LogoDet-3K-crop" } as const;

/**
 * LogoDet-3K as released (a VOC file beside each picture, a folder a brand, a folder a root
 * category): every annotated logo, label = its brand's folder.
 *
 * @throws UserError of `readVocTruth`.
 */
export function logodetCuts(data: string): CutLists {
  const truth = readVocTruth(join(data, logodetFolders.release));
  const pictures = truth.images.map((i) => i.fileName ?? `${i.id}.jpg`);
  const seen = new Map<string, number>();
  const isHeldOut = pictures.map((picture) => {
    const brand = brandOf(picture);
    const place = (seen.get(brand) ?? 0) + 1;
    seen.set(brand, place);
    return place % heldOut === 0;
  });
  const numbers = new Map<number, number>();
  const cuts = [...truth.image].map((image, g): { cut: Cut; held: boolean } => {
    const picture = pictures[image]!;
    const place = numbers.get(image) ?? 0;
    numbers.set(image, place + 1);
    const [x0, y0, width, height] = truth.box.subarray(4 * g, 4 * g + 4) as unknown as [
      number,
      number,
      number,
      number,
    ];
    const part = isHeldOut[image] ? "val" : "train";
    const crop = `${part}/${picture.replace(/\.[^./]+$/, "")}-${place}.jpg`;
    const box = { x0, y0, x1: x0 + width, y1: y0 + height };
    return { cut: { picture, box, label: brandOf(picture), crop }, held: isHeldOut[image]! };
  });
  const of = (held: boolean): Cut[] => cuts.filter((c) => c.held === held).map((c) => c.cut);
  return { "LogoDet-3K+train.txt": of(false), "LogoDet-3K+val.txt": of(true) };
}

/** `Food/Acme Foods/12.jpg` is of Acme Foods. */
function brandOf(picture: string): string {
  return picture.split("/").at(-2) ?? "";
}
