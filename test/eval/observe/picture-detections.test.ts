import { describe, expect, it } from "vitest";
import { PictureDetections } from "../../../src/eval/observe/picture-detections.js";

describe("PictureDetections", () => {
  const detections = [
    { classId: 3, score: 0.875, box: { x0: 1, y0: 2, x1: 30.5, y1: 44 } },
    { classId: 0, score: 0.1, box: { x0: 5, y0: 6, x1: 7, y1: 8 } },
  ];

  it("gives back what it was made of, each number in its place and the order kept", () => {
    const kept = PictureDetections.of(detections, 640, 480);
    expect([kept.width, kept.height, kept.count]).toEqual([640, 480, 2]);
    expect(kept.detections()).toEqual(detections);
  });

  it("comes back from its bytes wherever they lie in a log, and owns its copy", () => {
    const { bytes } = PictureDetections.of(detections, 640, 480);
    const log = new Uint8Array(bytes.length + 3);
    log.set(bytes, 3);
    const again = PictureDetections.fromBytes(log.subarray(3));
    log.fill(255);
    expect([again.width, again.height, again.detections()]).toEqual([640, 480, detections]);
  });

  it("of a picture without any has a size and nothing else", () => {
    const none = PictureDetections.fromBytes(PictureDetections.of([], 9, 7).bytes);
    expect([none.width, none.height, none.count, none.detections()]).toEqual([9, 7, 0, []]);
  });
});
