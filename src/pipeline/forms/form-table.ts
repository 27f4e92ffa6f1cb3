import { decoded } from "./decoded.js";
import type { DetectorForm } from "./detector-form.js";
import { nmsInside } from "./nms-inside.js";
import { queries } from "./queries.js";
import { raw } from "./raw.js";
import { yolov8 } from "./yolov8.js";
import { yolox } from "./yolox.js";

/** Every export form, in the order in which they are tried. */
export const detectorForms: readonly DetectorForm[] = [
  nmsInside,
  yolox,
  yolov8,
  queries,
  decoded,
  raw,
];
