import { existsSync } from "node:fs";
import sharp from "sharp";
import { addonFile } from "../../pipeline/index/row-ranks.js";
import { packageVersion } from "../../pipeline/package-version.js";
import { codeHash, moduleFile } from "./code-hash.js";

/** All that decides what a model sees of a picture, and what is read out of its answer. */
const observingCode = [
  "../pipeline/image",
  "../pipeline/onnx",
  "../pipeline/model",
  "../pipeline/detection",
  "../pipeline/classification",
  "../pipeline/embedding",
  moduleFile("../pipeline/box"),
  ...(existsSync(addonFile) ? [addonFile] : []),
];

/**
 * What besides model and picture decides an observation: the runtime, the decoder and our own code.
 * What was observed by other code is observed again.
 */
export function engineVersion(): string {
  return (
    `onnxruntime ${packageVersion("onnxruntime-node") ?? "?"}, libvips ` +
    `${sharp.versions.vips}, code ${codeHash(observingCode)}, ${process.arch}`
  );
}
