import type { Command } from "commander";
import {
  galleryFormats,
  idMapFile,
  readForeignGallery,
  type ForeignRow,
  type GalleryFormat,
} from "../../import/paddle/galleries/id-map.js";
import { openSource } from "../../import/paddle/source.js";
import { refuseExisting, writeFolder } from "../../import/write-folder.js";
import { openEmbedder } from "../../pipeline/embedding/embedder.js";
import { UserError } from "../../pipeline/errors.js";
import { readGallery, saveGallery } from "../../pipeline/gallery/gallery-store.js";
import { FaissIndex } from "../../pipeline/index/faiss.js";
import { protocols, type Protocol } from "../../pipeline/protocol.js";
import { choice } from "../options.js";
import { protocolOf } from "../protocol-option.js";
import { print, printJson } from "../terminal.js";

interface ImportOptions {
  card: string;
  modelFolder?: string;
  out: string;
  protocol: Protocol;
  json?: boolean;
}

interface ExportOptions {
  gallery: string;
  format: GalleryFormat;
  out: string;
  json?: boolean;
}

/** `gallery import` and `gallery export`: PaddleClas's and PaddleX's galleries in and out. */
export function foreignGalleries(command: Command): void {
  command
    .command("import")
    .description("take a gallery of PaddleClas or PaddleX in: vector.index with its id map")
    .argument("<folder>", "with vector.index and id_map.pkl or id_map.yaml")
    .requiredOption("--card <card.yaml>", "card of the model that made its vectors")
    .option("--model-folder <folder>", "folder of the model file, where the card is elsewhere")
    .requiredOption("--out <folder>", "where to save the gallery")
    .option("--protocol <name>", protocols.join(" or "), "paddleclas")
    .option("--json", "machine output")
    .action(importGallery);
  command
    .command("export")
    .description("write a gallery as PaddleClas or PaddleX keep it")
    .requiredOption("--gallery <folder>", "the gallery")
    .requiredOption("--format <name>", galleryFormats.join(" or "))
    .requiredOption("--out <folder>", "folder to write")
    .option("--json", "machine output")
    .action(exportGallery);
}

async function importGallery(folder: string, options: ImportOptions): Promise<void> {
  refuseExisting(options.out);
  const protocol = protocolOf(options);
  const { format, index: bytes, rows } = await readForeignGallery(await openSource(folder));
  const index = await FaissIndex.load(bytes, "vector.index", false);
  try {
    const model = await modelOf(options, { folder, kind: index.kind, dim: index.dim });
    refuseOtherRows(folder, rows, index.size);
    const manifest = await saveGallery(
      options.out,
      {
        kind: index.kind,
        dim: index.dim,
        metric: index.metric,
        model,
        protocol,
        engine: "faiss",
        engineVersion: index.version,
        factory: factoryOf(index),
        parameters: {},
        nextId: rows.reduce((next, { id }) => Math.max(next, id + 1), 0),
      },
      bytes,
      rows,
    );
    const told = { gallery: options.out, format, count: manifest.count, factory: manifest.factory };
    if (options.json) printJson(told);
    else print(`${options.out}: ${told.count} entries of ${folder} (${format}, ${told.factory})`);
  } finally {
    index.close();
  }
}

interface Shape {
  readonly folder: string;
  readonly kind: "real" | "binary";
  readonly dim: number;
}

/** The model's stamp; a gallery of vectors of another size is another model's. */
async function modelOf({ card, modelFolder }: ImportOptions, shape: Shape) {
  const embedder = await openEmbedder(card, modelFolder === undefined ? {} : { modelFolder });
  const { id, version, kind, dim } = embedder;
  await embedder.close();
  if (kind !== shape.kind || dim !== shape.dim) {
    throw new UserError({
      code: "gallery-model",
      message: "the gallery is another model's",
      file: shape.folder,
      expected: `${dim} ${kind === "real" ? "floats" : "bits"} a vector, as ${card} has`,
      found: `${shape.dim} ${shape.kind === "real" ? "floats" : "bits"}`,
      fix: "give the card of the model that made the gallery",
    });
  }
  const stamp = { id, version, card };
  return modelFolder === undefined ? stamp : { ...stamp, folder: modelFolder };
}

function refuseOtherRows(folder: string, rows: readonly ForeignRow[], size: number): void {
  if (rows.length === size) return;
  throw new UserError({
    code: "gallery-corrupt",
    message: "index and id map disagree",
    file: folder,
    expected: `${size} entries, as vector.index has`,
    found: `${rows.length} in the id map`,
    fix: "take both files from one gallery",
  });
}

/** Faiss's file does not say which factory made it; what can be told of it stands for it. */
function factoryOf(index: FaissIndex): string {
  const b = index.kind === "binary" ? "B" : "";
  if ("nprobe" in index.parameters) return `${b}IVF`;
  return "efSearch" in index.parameters ? `${b}HNSW` : `${b}Flat`;
}

async function exportGallery(options: ExportOptions): Promise<void> {
  refuseExisting(options.out);
  const format = choice<GalleryFormat>("--format", options.format, galleryFormats);
  const { manifest, index, rows } = await readGallery(options.gallery);
  if (manifest.engine !== "faiss") {
    throw new UserError({
      code: "index-engine",
      message: "only Faiss's indexes are what PaddleClas and PaddleX read",
      file: options.gallery,
      expected: "faiss",
      found: manifest.engine,
      fix: "build the gallery with --engine faiss",
    });
  }
  await writeFolder(options.out, { "vector.index": index, ...idMapFile(format, rows, manifest) });
  const told = { folder: options.out, format, count: rows.length };
  if (options.json) printJson(told);
  else print(`${options.out}: vector.index and its id map, ${rows.length} entries (${format})`);
}
