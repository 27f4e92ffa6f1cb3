import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { Random } from "../../../src/eval/stats/random.js";
import { decode } from "../../../src/pipeline/image/image.js";
import { complaintOf } from "../../complaint.js";

/** Noise, so that the scan fills its bytes to the end. */
async function jpeg(progressive: boolean): Promise<Buffer> {
  const random = new Random("jpeg");
  const data = Buffer.from(Array.from({ length: 40 * 30 * 3 }, () => random.below(256)));
  const picture = sharp(data, { raw: { width: 40, height: 30, channels: 3 } });
  return picture.jpeg({ quality: 90, progressive }).toBuffer();
}

describe.each([false, true])("a JPEG (progressive: %s)", (progressive) => {
  it.each([1, 2])("without its last %d bytes, the end marker, gives every value", async (cut) => {
    const bytes = await jpeg(progressive);
    const whole = await decode(bytes);
    expect(await decode(bytes.subarray(0, -cut))).toEqual(whole);
  });

  it("whose scan is cut is refused as before", async () => {
    const bytes = await jpeg(progressive);
    for (const cut of [40, 200, 1000])
      expect(await complaintOf(decode(bytes.subarray(0, -cut))), String(cut)).toMatchObject({
        code: "image-truncated",
      });
  });
});
