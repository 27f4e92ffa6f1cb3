import { dirname, join, resolve } from "node:path";
import { stringify } from "yaml";
import { z } from "zod";
import { protocols } from "../protocol.js";
import { readYaml } from "../schema.js";
import { defaultSettings, type RecognizerSettings } from "./recognizer.js";

/** A detector, an embedder, a gallery and PP-ShiTu's constants as one folder: `system.yaml`. */

const share = z.number().min(0).max(1);
const count = z.int().positive();

const schema = z.strictObject({
  schema: z.literal(1),
  name: z.string().min(1),
  protocol: z.enum(protocols),
  detector: z.string().optional().describe("card; left out: only the whole picture is looked up"),
  embedder: z.string().describe("card"),
  gallery: z.string().describe("folder"),
  k: count.default(defaultSettings.k),
  maxDetections: count.default(defaultSettings.maxDetections),
  detectionThreshold: share.default(defaultSettings.detectionThreshold),
  scoreThreshold: z.number().default(defaultSettings.scoreThreshold),
  hammingRadius: z.number().min(0).default(defaultSettings.hammingRadius),
  suppressIou: share.default(defaultSettings.suppressIou),
  addWholeImage: z.boolean().default(defaultSettings.addWholeImage),
  origin: z.string().optional(),
  notes: z.array(z.string()).optional(),
});

/** As it is written; paths are relative to the file. */
export type SystemFile = z.input<typeof schema>;

/** A system whose paths are absolute. */
export interface SystemFolder {
  readonly file: string;
  readonly name: string;
  readonly detector: string | null;
  readonly embedder: string;
  readonly gallery: string;
  readonly settings: RecognizerSettings;
}

export const systemFileName = "system.yaml";

/**
 * Reads a system's folder, or its file.
 * @throws UserError `schema` and those of reading a file.
 */
export async function readSystem(place: string): Promise<SystemFolder> {
  const file = /\.ya?ml$/i.test(place) ? place : join(place, systemFileName);
  const read = await readYaml(file, schema);
  const { detector, embedder, gallery } = read;
  const at = (path: string): string => resolve(dirname(file), path);
  return {
    file,
    name: read.name,
    detector: detector === undefined ? null : at(detector),
    embedder: at(embedder),
    gallery: at(gallery),
    settings: {
      protocol: read.protocol,
      k: read.k,
      maxDetections: read.maxDetections,
      detectionThreshold: read.detectionThreshold,
      scoreThreshold: read.scoreThreshold,
      hammingRadius: read.hammingRadius,
      suppressIou: read.suppressIou,
      addWholeImage: read.addWholeImage,
    },
  };
}

export function systemText(system: SystemFile): string {
  return stringify(system);
}
