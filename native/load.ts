// Finds and loads the compiled addon. Imports nothing of ours.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FaissAddon } from "./faiss.js";
import type { RanksAddon } from "./ranks.js";
import type { ResizeAddon } from "./resize.js";

export type NativeAddon = FaissAddon & RanksAddon & ResizeAddon;

/** Why the addon could not be loaded; `fix` is the command that mends it. */
export class AddonError extends Error {
  override readonly name = "AddonError";
  readonly file: string;
  readonly fix = "run: node setup.mjs";

  constructor(file: string, why: string, options?: ErrorOptions) {
    super(`the native addon cannot be loaded: ${why}. Run: node setup.mjs`, options);
    this.file = file;
  }
}

/**
 * Where set-up puts the addon, or SHITU_ADDON, another build of it. This file runs from native/
 * (source) and from dist/native/ (transpiled).
 */
export const addonFile: string =
  process.env.SHITU_ADDON ?? join(root(), "native", "build", "shitu.node");

let loaded: NativeAddon | undefined;

/**
 * The addon, loaded at the first call. Throws AddonError where it is not built, or not for this
 * machine or Node.
 */
export function loadAddon(): NativeAddon {
  if (loaded) return loaded;
  if (!existsSync(addonFile)) throw new AddonError(addonFile, "it has not been built");
  try {
    loaded = createRequire(import.meta.url)(addonFile) as NativeAddon;
  } catch (error) {
    throw new AddonError(addonFile, (error as Error).message.split("\n")[0] ?? "unknown reason", {
      cause: error,
    });
  }
  return loaded;
}

function root(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const file = join(folder, "package.json");
    if (
      existsSync(file) &&
      (JSON.parse(readFileSync(file, "utf8")) as { name?: string }).name === "shitu-bench"
    )
      return folder;
    if (dirname(folder) === folder)
      throw new Error("shitu-bench: package.json not found above this file");
  }
}
