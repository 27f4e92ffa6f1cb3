// galleries/: the pickled names of a foreign index in; labels of its rows out, and nothing is run.
// It never sees the vectors.
import { z } from "zod";
import { UserError } from "../../../pipeline/errors.js";
import { parseYaml } from "../../../pipeline/schema.js";
import type { ModelSource } from "../source.js";
import { idMapPickle, parseIdMap } from "./pickle.js";

/** Galleries as PaddleClas and PaddleX keep them: `vector.index` of Faiss and an id map. */

export const galleryFormats = ["paddleclas", "paddlex"] as const;

export type GalleryFormat = (typeof galleryFormats)[number];

export interface ForeignRow {
  readonly id: number;
  /** Empty where the map holds labels alone. */
  readonly path: string;
  readonly label: string;
}

export interface ForeignGallery {
  readonly format: GalleryFormat;
  /** Faiss's own file. */
  readonly index: Uint8Array;
  readonly rows: readonly ForeignRow[];
}

const paddlexMap = z.looseObject({ id_map: z.record(z.string(), z.unknown()) });

/**
 * @throws UserError `gallery-missing` naming the file that is not there, and what the map throws.
 */
export async function readForeignGallery(source: ModelSource): Promise<ForeignGallery> {
  const index = await required(source, "vector.index");
  if (source.names.includes("id_map.pkl")) {
    const map = parseIdMap(await source.read("id_map.pkl"), source.pathOf("id_map.pkl"));
    return { format: "paddleclas", index, rows: [...map].map(([id, text]) => rowOf(id, text)) };
  }
  const yaml = Buffer.from(await required(source, "id_map.yaml")).toString("utf8");
  const { id_map: map } = parseYaml(yaml, source.pathOf("id_map.yaml"), paddlexMap);
  const rows = Object.entries(map).map(([id, label]) => ({
    id: Number(id),
    path: "",
    label: String(label),
  }));
  return { format: "paddlex", index, rows };
}

async function required(source: ModelSource, name: string): Promise<Uint8Array> {
  if (source.names.includes(name)) return await source.read(name);
  throw new UserError({
    code: "gallery-missing",
    message: "is no gallery of PaddleClas or PaddleX",
    file: source.place,
    expected: "vector.index with id_map.pkl or id_map.yaml",
    found: source.names.slice(0, 12).join(", ") || "no files",
    fix: `give the folder that holds ${name}`,
  });
}

/** PaddleClas keeps the gallery list's line: path and label, a tab or a blank between them. */
function rowOf(id: number, text: string): ForeignRow {
  const tab = text.indexOf("\t");
  const at = tab >= 0 ? tab : text.indexOf(" ");
  if (at < 0) return { id, path: "", label: text };
  return { id, path: text.slice(0, at), label: text.slice(at + 1).trim() };
}

/** The id map's file of a format, for rows of ours. */
export function idMapFile(
  format: GalleryFormat,
  rows: readonly ForeignRow[],
  { metric, factory }: { readonly metric: string; readonly factory: string },
): Record<string, string | Uint8Array> {
  if (format === "paddleclas") {
    const lines = rows.map(({ id, path, label }) => [id, `${path}\t${label}`] as const);
    return { "id_map.pkl": idMapPickle(new Map(lines)) };
  }
  const lines = rows.map(({ id, label }) => `  ${id}: ${JSON.stringify(label)}`);
  const kind = metric === "hamming" ? "hamming" : "IP";
  const type = factory.replace(/^IDMap2?,/, "");
  const text = `id_map:\n${lines.join("\n")}\nindex_type: ${type}\nmetric_type: ${kind}\n`;
  return { "id_map.yaml": text };
}
