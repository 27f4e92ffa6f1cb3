/**
 * Boxes of a detection set as struct-of-arrays: what every reader of annotations yields and what
 * the metrics take. Five numbers an object instead of a JavaScript object each, so that half a
 * million detections need 30 MB.
 */
export interface CocoImage {
  /** As the file has it. A set holds numbers or strings, not both. */
  readonly id: number | string;
  /** px; 0 where the file does not say. */
  readonly width: number;
  readonly height: number;
  readonly fileName: string | null;
}

export interface CocoCategory {
  readonly id: number;
  readonly name: string;
}

/** G true boxes on I images in K categories. */
export interface CocoTruth {
  /** Ascending by id: where scores are equal, this order decides. */
  readonly images: readonly CocoImage[];
  /** Ascending by id. */
  readonly categories: readonly CocoCategory[];
  /** G indices into `images`. */
  readonly image: Int32Array;
  /** G indices into `categories`. */
  readonly category: Int32Array;
  /** G x 4, px: left, top, width, height. */
  readonly box: Float64Array;
  /** G areas in px², as annotated: that of the object's outline, commonly less than the box's. */
  readonly area: Float64Array;
  /**
   * G bytes: 1 where the box is a crowd, which any number of detections may match without counting.
   */
  readonly crowd: Uint8Array;
  /**
   * G bytes: 1 where the annotation carries `ignore`. pycocotools does not look at it; see
   * CocoOptions.honourIgnore.
   */
  readonly ignore: Uint8Array;
  /** G annotation ids. */
  readonly id: Float64Array;
  /** What was noticed while reading: counted, not refused. */
  readonly notes: readonly Note[];
}

/** D detections on the images and categories of one truth. */
export interface CocoDetections {
  /** D indices into the truth's `images`. */
  readonly image: Int32Array;
  /** D indices into the truth's `categories`. */
  readonly category: Int32Array;
  /** D x 4, px: left, top, width, height. */
  readonly box: Float64Array;
  readonly score: Float64Array;
  readonly notes: readonly Note[];
}

/** Something that a reader let pass: how often, and the first place. */
export interface Note {
  readonly code:
    | "area-missing"
    | "outside-image"
    | "negative-size"
    | "unknown-image"
    | "unknown-category"
    | "id-zero"
    | "ignore-flag"
    | "leaves-image"
    | "relative-boxes"
    | "area-exceeds-box"
    | "cornered"
    | "voc-boxes"
    | "no-area"
    | "detections-bound"
    | "name-matched"
    | "category-shift";
  readonly message: string;
  readonly count: number;
  readonly first: string;
}

/** What a reader refuses unless told otherwise. */
export interface Leniency {
  /**
   * Leave out boxes on images (and true boxes of categories) that the truth does not list, and
   * count them. Default: an error.
   */
  readonly skipUnknown?: boolean;
  /**
   * Evaluate boxes of negative width or height as pycocotools does: they overlap nothing. Default:
   * an error.
   */
  readonly allowNegative?: boolean;
}

export interface TruthRecord {
  readonly id: number;
  readonly image_id: number | string;
  readonly category_id: number;
  readonly bbox: readonly number[];
  /** Default: width x height of the box. */
  readonly area?: number | undefined;
  readonly iscrowd?: number | boolean | undefined;
  readonly ignore?: number | boolean | undefined;
}

export interface DetectionRecord {
  readonly image_id: number | string;
  readonly category_id: number;
  readonly bbox: readonly number[];
  readonly score: number;
}
