import { createRequire } from "node:module";
import sharp from "sharp";

const require = createRequire(import.meta.url);

/** Raised by hand whenever decoding, preprocessing or post-processing changes what a model sees or says: it empties the cache. */
const pipelineVersion = 1;

/** The version of an installed package, or null where it is absent. */
export function packageVersion(name: string): string | null {
  try {
    return (require(`${name}/package.json`) as { version: string }).version;
  } catch {
    return null;
  }
}

/** What besides model and picture decides an observation: the runtime, the decoder and our own code. */
export function engineVersion(): string {
  return `onnxruntime ${packageVersion("onnxruntime-node") ?? "?"}, libvips ${sharp.versions.vips}, pipeline ${pipelineVersion}, ${process.arch}`;
}
