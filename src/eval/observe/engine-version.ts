import sharp from "sharp";
import { packageVersion } from "../../pipeline/package-version.js";

/**
 * Raised by hand whenever decoding, preprocessing or post-processing changes what a model sees or
 * says: it empties the cache.
 */
const pipelineVersion = 1;

/**
 * What besides model and picture decides an observation: the runtime, the decoder and our own code.
 */
export function engineVersion(): string {
  return (
    `onnxruntime ${packageVersion("onnxruntime-node") ?? "?"}, libvips ` +
    `${sharp.versions.vips}, pipeline ${pipelineVersion}, ${process.arch}`
  );
}
