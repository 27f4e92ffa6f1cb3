import type { Command } from "commander";
import {
  galleryFormats,
  idMapFile,
  type GalleryFormat,
} from "../../import/paddle/galleries/id-map.js";
import { importGallery } from "../../import/paddle/galleries/import-gallery.js";
import { refuseExisting, writeFolder } from "../../import/write-folder.js";
import { UserError } from "../../pipeline/errors.js";
import { readGallery } from "../../pipeline/gallery/gallery-store.js";
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
    .action(importForeign);
  command
    .command("export")
    .description("write a gallery as PaddleClas or PaddleX keep it")
    .requiredOption("--gallery <folder>", "the gallery")
    .requiredOption("--format <name>", galleryFormats.join(" or "))
    .requiredOption("--out <folder>", "folder to write")
    .option("--json", "machine output")
    .action(exportGallery);
}

async function importForeign(folder: string, options: ImportOptions): Promise<void> {
  refuseExisting(options.out);
  const protocol = protocolOf(options);
  const { card, modelFolder, out } = options;
  const { format, manifest } = await importGallery({
    from: folder,
    out,
    card,
    modelFolder,
    protocol,
  });
  const told = { gallery: out, format, count: manifest.count, factory: manifest.factory };
  if (options.json) printJson(told);
  else print(`${out}: ${told.count} entries of ${folder} (${format}, ${told.factory})`);
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
