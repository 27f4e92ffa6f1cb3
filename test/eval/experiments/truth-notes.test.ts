import { expect, it } from "vitest";
import { sizeNotes } from "../../../src/eval/experiments/truth-notes.js";
import { PictureDetections } from "../../../src/eval/observe/picture-detections.js";

const image = (width: number, height: number, fileName = "a.jpg") => ({
  id: 1,
  width,
  height,
  fileName,
});
const shown = (width: number, height: number) => PictureDetections.of([], width, height);

it("says which pictures have another size than their annotations state, which EXIF turned", () => {
  const images = [image(96, 64), image(50, 50, "b.jpg"), image(10, 10), image(0, 0)];
  const found = [shown(64, 96), shown(40, 40), shown(10, 10), shown(7, 7)];
  expect(sizeNotes({ found }, { images })).toEqual([
    "2 pictures have another size than their annotations state, 1 of them turned by EXIF: " +
      "a.jpg is 64 x 96, annotated as 96 x 64",
  ]);
});

it("says nothing where sizes agree, are not stated, or the picture could not be read", () => {
  expect(sizeNotes({ found: [shown(9, 9), null] }, { images: [image(9, 9), image(5, 5)] })).toEqual(
    [],
  );
});
