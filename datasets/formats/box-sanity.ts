import type { CocoDetections, CocoTruth, Note } from "./coco-set.js";

/**
 * Boxes that fit their pictures too badly to be what they claim: commonly another convention than
 * the format's, which no schema can see and which gives a plausible wrong number. Counted and said
 * with the likely cause, never mended.
 */

/** Boxes (n x 4: left, top, width, height in px) by picture. */
type Boxes = Pick<CocoTruth | CocoDetections, "image" | "box">;

/** A share of boxes from which on a slip is likelier than a few careless outlines. */
const suspicious = 0.1;
/** Outlines reach over the picture's edge by rounding. */
const slack = 1.01;

/** What the geometry of true boxes says against them. */
export function truthSanity(truth: Omit<CocoTruth, "notes">): Note[] {
  return [
    ...leavingBoxes(truth, truth.images, "true boxes"),
    ...tinyBoxes(truth, truth.images, "true boxes"),
    ...largeAreas(truth),
  ];
}

/** The same for detections, and what they say beside the true boxes. */
export function detectionSanity(
  detections: Omit<CocoDetections, "notes">,
  truth: Omit<CocoTruth, "notes">,
): Note[] {
  return [
    ...leavingBoxes(detections, truth.images, "detections"),
    ...tinyBoxes(detections, truth.images, "detections"),
    ...cornered(detections, truth),
  ];
}

/** Right and lower edges beyond the picture: what corners taken for sizes look like. */
function leavingBoxes(boxes: Boxes, images: CocoTruth["images"], what: string): Note[] {
  let leaving = 0;
  let asCorners = 0;
  let first = -1;
  let known = 0;
  for (let i = 0; i < boxes.image.length; i++) {
    const { width, height } = images[boxes.image[i]!]!;
    if (width === 0 || height === 0) continue;
    known++;
    const [x, y, w, h] = boxes.box.subarray(4 * i, 4 * i + 4) as unknown as Box;
    // One that lies wholly outside is counted by its reader.
    if (x >= width || y >= height) continue;
    if (x + w <= width * slack + 1 && y + h <= height * slack + 1) continue;
    if (first < 0) first = i;
    leaving++;
    if (w > x && h > y && w <= width * slack + 1 && h <= height * slack + 1) asCorners++;
  }
  if (leaving < suspicious * known || leaving === 0) return [];
  const corners = asCorners > 0.9 * leaving;
  const cause = corners
    ? "they fit as [x0, y0, x1, y1]: were corners written for sizes?"
    : "are boxes and pictures of one scale?";
  const message = `of ${known} ${what} leave their picture to the right or below; ${cause}`;
  return [{ code: "leaves-image", message, count: leaving, first: `box ${first}` }];
}

/** Coordinates of 0 to 1 in pictures of many pixels. */
function tinyBoxes(boxes: Boxes, images: CocoTruth["images"], what: string): Note[] {
  const n = boxes.image.length;
  const large = images.some((image) => image.width > 8 || image.height > 8);
  if (n === 0 || !large) return [];
  for (let j = 0; j < 4 * n; j++) if (boxes.box[j]! > 1.5) return [];
  const message =
    `${what}, all of them, lie within the first pixel: ` + "were coordinates of 0 to 1 written?";
  return [{ code: "relative-boxes", message, count: n, first: "box 0" }];
}

/** An outline's area is at most its box's. */
function largeAreas({ area, box, crowd }: Omit<CocoTruth, "notes">): Note[] {
  let count = 0;
  let first = -1;
  const ratios: number[] = [];
  for (let i = 0; i < area.length; i++) {
    const bound = box[4 * i + 2]! * box[4 * i + 3]!;
    if (crowd[i] === 1 || bound <= 0 || area[i]! <= bound * slack + 1) continue;
    if (first < 0) first = i;
    count++;
    ratios.push(area[i]! / bound);
  }
  if (count < suspicious * area.length || count === 0) return [];
  const middle = ratios.sort((a, b) => a - b)[ratios.length >> 1]!;
  const message =
    `true boxes whose area exceeds width x height, ${middle.toFixed(1)} times in the median: ` +
    "is the area of another scale? small, medium and large go by it";
  return [{ code: "area-exceeds-box", message, count, first: `annotations[${first}]` }];
}

/** Fewer detections than this say nothing about the frame that they are in. */
const fewestDetections = 20;

/** Detections in the corner that a network's input, or a smaller picture, would fill. */
function cornered(
  detections: Omit<CocoDetections, "notes">,
  truth: Omit<CocoTruth, "notes">,
): Note[] {
  if (detections.image.length < fewestDetections) return [];
  const found = reach(detections, truth.images);
  const there = reach(truth, truth.images);
  if (found === null || there === null || found > 0.7 || there < 1.25 * found) return [];
  const share = `${Math.round(100 * found)}%`;
  const message =
    `detections, all of them, lie in the upper left ${share} of their pictures, and the true ` +
    `boxes reach ${Math.round(100 * there)}%: are they in the network's own frame?`;
  return [{ code: "cornered", message, count: detections.image.length, first: "[0]" }];
}

/** How far right or down the boxes reach, as the largest share of a picture's side. */
function reach({ image, box }: Boxes, images: CocoTruth["images"]): number | null {
  let most: number | null = null;
  for (let i = 0; i < image.length; i++) {
    const { width, height } = images[image[i]!]!;
    if (width === 0 || height === 0) continue;
    const right = (box[4 * i]! + box[4 * i + 2]!) / width;
    const low = (box[4 * i + 1]! + box[4 * i + 3]!) / height;
    most = Math.max(most ?? 0, right, low);
  }
  return most;
}

type Box = readonly [x: number, y: number, width: number, height: number];
