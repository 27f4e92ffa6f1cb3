import { UserError } from "../../src/pipeline/errors.js";
import { detectionSanity } from "./box-sanity.js";
import { isOutside, Notes, refuseNegative } from "./coco-checks.js";
import type { CocoDetections, CocoTruth, Leniency } from "./coco-set.js";
import { asText, isWideId } from "./coco-truth-builder.js";
import { Column, float64, IdTable, int32 } from "./columns.js";

/** Collects detections for one truth and checks them. */
export class DetectionsBuilder {
  readonly #file: string;
  readonly #truth: CocoTruth;
  readonly #leniency: Leniency;
  readonly #imageTable: IdTable;
  readonly #wide: boolean;
  readonly #categoryTable: IdTable;
  readonly #image: Column<Int32Array>;
  readonly #category: Column<Int32Array>;
  readonly #box: Column<Float64Array>;
  readonly #score: Column<Float64Array>;
  readonly #notes = new Notes();
  #records = 0;

  /** @param expected about how many there will be */
  constructor(file: string, truth: CocoTruth, leniency: Leniency = {}, expected = 1024) {
    this.#file = file;
    this.#truth = truth;
    this.#leniency = leniency;
    this.#imageTable = new IdTable(truth.images.map((image) => image.id));
    this.#wide = truth.images.some(({ id }) => isWideId(id));
    this.#categoryTable = new IdTable(truth.categories.map((category) => category.id));
    this.#image = new Column(int32, expected);
    this.#category = new Column(int32, expected);
    this.#box = new Column(float64, 4 * expected);
    this.#score = new Column(float64, expected);
  }

  add(
    imageId: number | string,
    categoryId: number,
    x: number,
    y: number,
    width: number,
    height: number,
    score: number,
  ): void {
    const index = this.#records++;
    const image = this.#imageTable.indexOf(this.#wide ? asText(imageId) : imageId);
    if (image < 0) {
      this.#unknownImage(index, imageId);
      return;
    }
    const category = this.#categoryTable.indexOf(categoryId);
    if (category < 0) {
      // As pycocotools: a detector of 80 classes may be scored on the truth of ten.
      this.#notes.add(
        "unknown-category",
        "detections of categories that the truth does not list, left out",
        `[${index}].category_id`,
      );
      return;
    }
    if (!Number.isFinite(score)) {
      throw new UserError({
        code: "coco-score",
        message: "a score must be finite",
        file: this.#file,
        path: `[${index}].score`,
        expected: "a finite number",
        found: String(score),
        fix: "look for a division by zero in the model's export",
      });
    }
    if (!(width >= 0 && height >= 0))
      refuseNegative(this.#file, `[${index}]`, width, height, this.#leniency, this.#notes);
    this.#image.push(image);
    this.#category.push(category);
    this.#box.pushFour(x, y, width, height);
    this.#score.push(score);
    if (isOutside(this.#truth.images[image]!, x, y, width, height)) {
      this.#notes.add(
        "outside-image",
        "detections that lie wholly outside their image",
        `[${index}]`,
      );
    }
  }

  build(): CocoDetections {
    const detections = {
      image: this.#image.view(),
      category: this.#category.view(),
      box: this.#box.view(),
      score: this.#score.view(),
    };
    const notes = [...this.#notes.list(), ...detectionSanity(detections, this.#truth)];
    return { ...detections, notes };
  }

  #unknownImage(index: number, id: number | string): void {
    const path = `[${index}].image_id`;
    if (this.#leniency.skipUnknown) {
      this.#notes.add(
        "unknown-image",
        "detections on images that the truth does not list, left out",
        path,
      );
      return;
    }
    const [sample] = this.#truth.images;
    const kind =
      sample && typeof sample.id !== typeof id
        ? `the truth's image ids are ${typeof sample.id}s`
        : null;
    throw new UserError({
      code: "unknown-image",
      message: "a detection on an image that the truth does not list",
      file: this.#file,
      path,
      expected: kind ?? "an image id of the truth",
      found: JSON.stringify(id),
      fix: kind
        ? "match them as text (--match text) or by file name (--match file-name)"
        : "check that both files are of the same set, or leave such detections out with " +
          "--skip-unknown; ids that are file names are found with --match file-name",
    });
  }
}
