import { join } from "node:path";
import { Random } from "../../../../src/eval/stats/random.js";
import { crop, decode } from "../../../../src/pipeline/image/image.js";
import { projectRoot } from "../../../../src/pipeline/root.js";
import type { Pixels } from "../../../../src/pipeline/types.js";

/** Windows of the mini benchmark's sheet of samples, all of 3 to 2, drawn by a seed. */
export async function samplePictures(count: number, width: number): Promise<Pixels[]> {
  const sheet = await decode(join(projectRoot, "datasets", "mini", "samples.jpg"));
  const random = new Random("windows");
  const height = (width / 3) * 2;
  return Array.from({ length: count }, () => {
    const [x0, y0] = [random.below(sheet.width - width), random.below(sheet.height - height)];
    return crop(sheet, { x0, y0, x1: x0 + width, y1: y0 + height });
  });
}
