import type { Command } from "commander";
import { readSystem } from "../pipeline/system/system-file.js";
import { UserError } from "../pipeline/errors.js";

/** What `shitu recognize` needs of its options, as texts. */
export interface SystemOptions {
  readonly system?: string;
  readonly gallery?: string;
  readonly embedder?: string;
  readonly detector?: string;
  readonly protocol?: string;
  readonly boxes?: string;
  readonly k: string;
  readonly scoreThreshold: string;
  readonly hammingRadius: string;
  readonly detectionThreshold: string;
  readonly maxDetections: string;
  readonly suppressIou: string;
  readonly wholeImage: boolean;
}

const constants = [
  "k",
  "scoreThreshold",
  "hammingRadius",
  "detectionThreshold",
  "maxDetections",
  "suppressIou",
] as const;

/**
 * The options, with those that were not typed taken from the system's folder where one is named.
 * @throws UserError `gallery-unnamed`, and those of reading the system.
 */
export async function withSystem<T extends SystemOptions>(
  options: T,
  command: Pick<Command, "getOptionValueSource">,
): Promise<T & { readonly gallery: string }> {
  if (options.system === undefined) return { ...options, gallery: named(options.gallery) };
  const { settings, ...system } = await readSystem(options.system);
  const typed = (name: string): boolean => command.getOptionValueSource(name) === "cli";
  const own = Object.fromEntries(
    constants.filter((name) => !typed(name)).map((name) => [name, String(settings[name])]),
  );
  const detector = options.detector ?? system.detector;
  return {
    ...options,
    ...own,
    gallery: options.gallery ?? system.gallery,
    embedder: options.embedder ?? system.embedder,
    // Given boxes stand in the place of detected ones.
    ...(detector !== null && options.boxes === undefined && { detector }),
    protocol: options.protocol ?? settings.protocol,
    wholeImage: typed("wholeImage") ? options.wholeImage : settings.addWholeImage,
  };
}

function named(gallery: string | undefined): string {
  if (gallery !== undefined) return gallery;
  throw new UserError({
    code: "gallery-unnamed",
    message: "nothing says where the gallery is",
    fix: "give --gallery FOLDER, or --system FOLDER of an imported system",
  });
}
