import { relative } from "node:path";
import { openEmbedder } from "../../../pipeline/embedding/embedder.js";
import { UserError } from "../../../pipeline/errors.js";
import { saveGallery, type GalleryManifest } from "../../../pipeline/gallery/gallery-store.js";
import { FaissIndex } from "../../../pipeline/index/faiss.js";
import type { Protocol } from "../../../pipeline/protocol.js";
import { openSource } from "../source.js";
import { readForeignGallery, type ForeignRow, type GalleryFormat } from "./id-map.js";

export interface GalleryImport {
  /** With vector.index and its id map. */
  readonly from: string;
  readonly out: string;
  /** Of the model that made its vectors. */
  readonly card: string;
  readonly modelFolder?: string | undefined;
  readonly protocol: Protocol;
}

/**
 * Takes a gallery of PaddleClas or PaddleX in.
 * @throws UserError `gallery-model` where it is another model's, `gallery-corrupt` where index and
 *   id map disagree, and those of reading both.
 */
export async function importGallery(
  wanted: GalleryImport,
): Promise<{ readonly format: GalleryFormat; readonly manifest: GalleryManifest }> {
  const { from, out, protocol } = wanted;
  const { format, index: bytes, rows } = await readForeignGallery(await openSource(from));
  const index = await FaissIndex.load(bytes, "vector.index", false);
  try {
    const model = await modelOf(wanted, index);
    refuseOtherRows(from, rows, index.size);
    const settings = {
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
    };
    return { format, manifest: await saveGallery(out, settings, bytes, rows) };
  } finally {
    index.close();
  }
}

/** The model's stamp; a gallery of vectors of another size is another model's. */
async function modelOf(
  { from, out, card, modelFolder }: GalleryImport,
  index: Pick<FaissIndex, "kind" | "dim">,
) {
  const embedder = await openEmbedder(card, modelFolder === undefined ? {} : { modelFolder });
  const { id, version, kind, dim } = embedder;
  await embedder.close();
  if (kind !== index.kind || dim !== index.dim) {
    throw new UserError({
      code: "gallery-model",
      message: "the gallery is another model's",
      file: from,
      expected: `${dim} ${kind === "real" ? "floats" : "bits"} a vector, as ${card} has`,
      found: `${index.dim} ${index.kind === "real" ? "floats" : "bits"}`,
      fix: "give the card of the model that made the gallery",
    });
  }
  const stamp = { id, version, card: relative(out, card) };
  return modelFolder === undefined ? stamp : { ...stamp, folder: relative(out, modelFolder) };
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
