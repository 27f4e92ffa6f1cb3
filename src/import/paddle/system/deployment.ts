import { existsSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { z } from "zod";
import { UserError } from "../../../pipeline/errors.js";
import { readYaml } from "../../../pipeline/schema.js";
import { deployedConfig, type ModelConfig } from "../cards/config.js";

/** PaddleClas's `deploy/configs/inference_*.yaml`: a whole system, as its files lie on disk. */
export interface Deployment {
  readonly file: string;
  /** Null where no detector is named: PaddleClas then looks up the whole picture alone. */
  readonly detector: DeployedModel | null;
  readonly embedder: DeployedModel;
  /** Folder with `vector.index` and its id map; null where none is there. */
  readonly gallery: string | null;
  readonly binary: boolean;
  readonly constants: DeployedConstants;
  readonly notes: readonly string[];
}

export interface DeployedModel {
  readonly folder: string;
  readonly config: ModelConfig;
}

/** PaddleClas's names beside ours; what the file leaves out stays undefined. */
export interface DeployedConstants {
  readonly k?: number;
  readonly maxDetections?: number;
  readonly detectionThreshold?: number;
  readonly scoreThreshold?: number;
  readonly hammingRadius?: number;
  readonly suppressIou?: number;
}

const number = z.number();
const anything = z.looseObject({
  Global: z.looseObject({
    det_inference_model_dir: z.string().nullish(),
    rec_inference_model_dir: z.string(),
    threshold: number.optional(),
    max_det_results: number.optional(),
    // Their spelling.
    rec_nms_thresold: number.optional(),
  }),
  IndexProcess: z.looseObject({
    index_dir: z.string(),
    dist_type: z.enum(["IP", "L2", "hamming"]).default("IP"),
    return_k: number.optional(),
    score_thres: number.optional(),
    hamming_radius: number.optional(),
  }),
});

/**
 * Reads such a file. Its paths are relative to PaddleClas's `deploy` folder: they are looked for
 * in `root`, else beside the file and above it.
 *
 * @throws UserError `schema`, `file-missing` for a model that is not there.
 */
export async function readDeployment(file: string, root?: string): Promise<Deployment> {
  const values = await readYaml(file, anything);
  const { Global: global, IndexProcess: index } = values;
  const roots = root === undefined ? rootsOf(file) : [root];
  const gallery = located(index.index_dir, roots);
  const detector = global.det_inference_model_dir ?? "";
  const notes: string[] = [];
  if (gallery === null) {
    notes.push(`no gallery in ${index.index_dir}: build one, and name it in system.yaml`);
  }
  if (index.dist_type === "L2") notes.push("dist_type L2: the index's own metric is kept");
  return {
    file,
    detector:
      detector === ""
        ? null
        : { folder: needed(detector, roots, file), config: deployedConfig(values, "Det", file) },
    embedder: {
      folder: needed(global.rec_inference_model_dir, roots, file),
      config: deployedConfig(values, "Rec", file),
    },
    gallery,
    binary: index.dist_type === "hamming",
    constants: known({
      k: index.return_k,
      maxDetections: global.max_det_results,
      detectionThreshold: global.threshold,
      scoreThreshold: index.score_thres,
      hammingRadius: index.hamming_radius,
      suppressIou: global.rec_nms_thresold,
    }),
    notes,
  };
}

function rootsOf(file: string): string[] {
  const own = dirname(resolve(file));
  return [process.cwd(), own, dirname(own)];
}

function located(path: string, roots: readonly string[]): string | null {
  if (isAbsolute(path)) return existsSync(path) ? path : null;
  return roots.map((root) => join(root, path)).find((p) => existsSync(p)) ?? null;
}

/** A model's folder, or the archive that it was downloaded as. */
function needed(path: string, roots: readonly string[], file: string): string {
  const found = located(path, roots) ?? located(`${path}.tar`, roots);
  if (found !== null) return found;
  throw new UserError({
    code: "file-missing",
    message: "a model that the file names is not there",
    file,
    found: path,
    expected: `in ${roots.join(", ")}`,
    fix: "download it there, or say with --root where PaddleClas's deploy folder is",
  });
}

function known(constants: Readonly<Record<string, number | undefined>>): DeployedConstants {
  return Object.fromEntries(Object.entries(constants).filter(([, v]) => v !== undefined));
}
