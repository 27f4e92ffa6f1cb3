import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { writeAtomic } from "../../src/pipeline/atomic-file.js";
import { projectRoot } from "../../src/pipeline/root.js";
import { scratchBeside, sweepScratch } from "../../src/pipeline/scratch.js";
import { writeOnnx, type DraftModel } from "../../src/pipeline/onnx/write-model.js";
import { networkModel } from "./build-network.js";
import type { Network } from "./catalogue.js";
import { blankWeights, drawnWeights } from "./drawn-weights.js";
import { quantised } from "./quantise.js";
import { settleNorms } from "./settle-norms.js";

/** Built networks as files: an ONNX model and its card, in a cache that nothing else needs. */

export interface FileOptions {
  readonly seed: number;
  readonly size?: number;
  /** Eight-bit integers, between quantise and dequantise operators. */
  readonly int8?: boolean;
}

/** Counts up when weights or quantisation are made in another way: graphs tell themselves apart. */
const makeVersion = 1;

/** Where built networks are kept, unless `--cache` or SHITU_NETWORKS says otherwise. */
export function networksFolder(given?: string): string {
  return given ?? process.env.SHITU_NETWORKS ?? join(projectRoot, ".cache", "networks");
}

/**
 * The model itself. Two runs on drawn pictures settle its batch norms and the ranges of its
 * integers.
 */
export async function madeNetwork(network: Network, options: FileOptions): Promise<DraftModel> {
  const { model } = networkModel(network, drawnWeights(options.seed), options.size);
  const settled = await settleNorms(model);
  return options.int8 ? quantised(settled) : settled;
}

/** Writes a network, and a card for it. Returns the model's SHA-256. */
export async function writeNetwork(
  file: string,
  network: Network,
  options: FileOptions,
): Promise<string> {
  await writeOnnx(file, await madeNetwork(network, options));
  return createHash("sha256")
    .update(await readFile(file))
    .digest("hex");
}

/**
 * A network in the cache: `NAME-size-seed[-int8]-GRAPH/`, with `model.onnx` and `card.yaml`. Made
 * where it is not there.
 */
export async function cachedNetwork(
  network: Network,
  options: FileOptions,
  root = networksFolder(),
): Promise<string> {
  const folder = join(root, cacheName(network, options));
  if (existsSync(join(folder, "card.yaml"))) return folder;
  const draft = scratchBeside(folder);
  await mkdir(draft, { recursive: true });
  await sweepScratch(dirname(folder));
  try {
    const sha256 = await writeNetwork(join(draft, "model.onnx"), network, options);
    await writeAtomic(join(draft, "card.yaml"), cardOf(network, options, sha256));
    // Two processes may make the same one: the second finds it there, which is as good.
    await rename(draft, folder).catch((error: unknown) => {
      if (!existsSync(join(folder, "card.yaml"))) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return folder;
}

function cacheName(
  network: Network,
  { seed, size = network.size, int8 = false }: FileOptions,
): string {
  const { model } = networkModel(network, blankWeights, size);
  const { nodes, inputs, outputs, initializers } = model.graph;
  const shapes = initializers.map(({ name, dims }) => [name, dims]);
  const graph = JSON.stringify([makeVersion, nodes, inputs, outputs, shapes]);
  const hash = createHash("sha256").update(graph).digest("hex").slice(0, 8);
  return `${network.name}-${size}-${seed}${int8 ? "-int8" : ""}-${hash}`;
}

/** The card, with PaddleClas's and PaddleDetection's preprocessing. */
export function cardOf(
  network: Network,
  options: FileOptions,
  sha256: string,
  file = "model.onnx",
): string {
  const size = options.size ?? network.size;
  const interpolation = network.task === "detection" ? "cubic" : "linear";
  const parts = {
    detection: { detection: { classes: network.outputs } },
    recognition: { recognition: { size: network.outputs } },
    classification: { classification: { classes: network.outputs } },
  };
  return stringify({
    schema: 1,
    name: `${network.name}${options.int8 ? "-int8" : ""}`,
    version: `drawn, seed ${options.seed}`,
    task: network.task,
    description: `${network.title} with weights that nobody trained: for its cost, not its answers`,
    file,
    sha256,
    input: {
      name: "image",
      width: size,
      height: size,
      layout: "nchw",
      colour: "rgb",
      scale: "1/255",
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
      interpolation,
    },
    ...parts[network.task],
    licence: "Apache-2.0",
    origin: "drawn from a seed by models/networks",
  });
}
