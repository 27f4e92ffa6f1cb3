import { existsSync } from "node:fs";
import { addonFile } from "../../pipeline/index/row-ranks.js";
import { codeHash } from "./code-hash.js";
import { engineVersion } from "./engine-version.js";

/**
 * All that measures, what lies below it, and what reads its files: wider than any method, so that
 * no change goes unseen.
 */
const allCode = [
  ".",
  "../pipeline",
  "../../datasets/formats",
  "../../models/networks",
  ...(existsSync(addonFile) ? [addonFile] : []),
];

/** Version of all that a score may come from. */
export function measuringCode(): string {
  return codeVersion(allCode);
}

/**
 * Version of the program's own code in some places (of `codeHash`), with that of Node, whose Math
 * functions decide last bits, and of the engine: what was computed by it is not served to other
 * code.
 */
export function codeVersion(parts: readonly string[]): string {
  return `code ${codeHash(parts)}, node ${process.version}, ${engineVersion()}`;
}
