// gallery/: vectors with paths and labels in, the best label of a query out; built, saved, loaded,
// appended to. It never sees a detector or the truth of a query.
import { join, relative, resolve } from "node:path";
import { UserError, type Complaint } from "../errors.js";
import {
  readGallery,
  saveGallery,
  type GalleryManifest,
  type GalleryRow,
} from "./gallery-store.js";
import { loadIndex, openIndex, pickFactory } from "../index/engine.js";
import type {
  Codes,
  Hit,
  IndexMetric,
  Neighbours,
  Protocol,
  Stamped,
  VectorIndex,
  Vectors,
} from "../types.js";
import { isCodes, rowCount } from "../types.js";

/** The model of a saved gallery, its paths from where the gallery is. */
export function modelOf(folder: string, { model }: GalleryManifest): GalleryModel {
  const { card, folder: modelFolder, ...stamp } = model;
  return {
    ...stamp,
    ...(card !== undefined && { card: resolve(folder, card) }),
    ...(modelFolder !== undefined && { folder: resolve(folder, modelFolder) }),
  };
}

/** A picture to put into a gallery: `path` as its list names it. */
export interface GalleryEntry {
  readonly path: string;
  readonly label: string;
  /** sha256 of the picture's file, in hex, by which it is known again. */
  readonly content?: string | undefined;
}

export interface GalleryFailure {
  readonly path: string;
  readonly complaint: Complaint;
}

/** The model that made the vectors; `version` is its file's sha256. */
export interface GalleryModel extends Stamped {
  /** Path of its card, and of its folder where the card is kept apart from it. */
  readonly card?: string;
  readonly folder?: string;
}

export interface GallerySettings {
  readonly model: GalleryModel;
  readonly kind: "real" | "binary";
  readonly dim: number;
  readonly protocol: Protocol;
  readonly engine: string;
  /**
   * A Faiss factory string, or the plain names `Flat`, `IVF`, `HNSW32`, which are completed for
   * kind and size.
   */
  readonly factory: string;
  /** Run-time parameters; what is not given keeps the engine's default. */
  readonly parameters?: Readonly<Record<string, number>>;
}

/**
 * Vectors with their labels, searched by an index. The labels outlive removals: ids are never used
 * twice.
 */
export class Gallery {
  readonly settings: GallerySettings;
  readonly index: VectorIndex;
  readonly #rows: Map<number, GalleryRow>;
  #nextId: number;

  private constructor(
    settings: GallerySettings,
    index: VectorIndex,
    rows: readonly GalleryRow[],
    nextId: number,
  ) {
    this.settings = settings;
    this.index = index;
    this.#rows = new Map(rows.map((r) => [r.id, r]));
    this.#nextId = nextId;
  }

  /**
   * Builds a gallery from vectors at hand, one a entry.
   *
   * @throws UserError `gallery-empty` without entries.
   */
  static async build(
    settings: GallerySettings,
    rows: Vectors | Codes,
    entries: readonly GalleryEntry[],
  ): Promise<Gallery> {
    if (entries.length === 0) {
      throw new UserError({
        code: "gallery-empty",
        message: "a gallery needs at least one picture",
        fix: "check the list and that its pictures can be read",
      });
    }
    const metric: IndexMetric = settings.kind === "real" ? "inner-product" : "hamming";
    const { factory, parameters } = pickFactory({
      name: settings.factory,
      kind: settings.kind,
      count: entries.length,
      protocol: settings.protocol,
    });
    const index = await openIndex({
      engine: settings.engine,
      factory,
      kind: settings.kind,
      dim: settings.dim,
      metric,
    });
    const all = { ...parameters, ...settings.parameters };
    const gallery = new Gallery({ ...settings, factory, parameters: all }, index, [], 0);
    try {
      if (!index.trained) await index.train(rows);
      if (Object.keys(all).length > 0) index.set(all);
      await gallery.append(rows, entries);
    } catch (error) {
      index.close();
      throw error;
    }
    return gallery;
  }

  /**
   * Loads a saved gallery. A gallery whose vectors came from another model is refused when `model`
   * is given.
   */
  static async load(folder: string, model?: Stamped): Promise<Gallery> {
    const { manifest, index: bytes, rows } = await readGallery(folder);
    if (model && manifest.model.version !== model.version) refuseModel(folder, manifest, model);
    const index = await loadIndex({
      engine: manifest.engine,
      bytes,
      kind: manifest.kind,
      dim: manifest.dim,
      metric: manifest.metric,
      factory: manifest.factory,
    });
    if (index.size !== manifest.count) {
      index.close();
      throw new UserError({
        code: "gallery-corrupt",
        message: "index and manifest disagree",
        file: join(folder, manifest.index.file),
        expected: `${manifest.count} vectors`,
        found: `${index.size}`,
        fix: "build the gallery again",
      });
    }
    if (Object.keys(manifest.parameters).length > 0) index.set(manifest.parameters);
    const from = modelOf(folder, manifest);
    const { kind, dim, protocol, engine, factory, parameters } = manifest;
    return new Gallery(
      { model: from, kind, dim, protocol, engine, factory, parameters },
      index,
      rows,
      manifest.nextId,
    );
  }

  get size(): number {
    return this.#rows.size;
  }

  get rows(): readonly GalleryRow[] {
    return [...this.#rows.values()];
  }

  get labels(): readonly string[] {
    return [...new Set([...this.#rows.values()].map((r) => r.label))];
  }

  /** Adds vectors, one a entry. */
  async append(rows: Vectors | Codes, entries: readonly GalleryEntry[]): Promise<void> {
    if (rowCount(rows) !== entries.length)
      throw new Error(`${rowCount(rows)} vectors for ${entries.length} entries`);
    this.#checkShape(rows);
    if (entries.length === 0) return;
    const ids = Float64Array.from(entries, (_, i) => this.#nextId + i);
    await this.index.add(rows, ids);
    entries.forEach(({ path, label, content }, i) => {
      const id = ids[i]!;
      this.#rows.set(id, { id, path, label, ...(content !== undefined && { content }) });
    });
    this.#nextId += entries.length;
  }

  /**
   * Removes every entry that `match` accepts; returns them. HNSW refuses (UserError
   * `remove-unsupported`).
   */
  async remove(match: (row: GalleryRow) => boolean): Promise<GalleryRow[]> {
    const gone = [...this.#rows.values()].filter(match);
    if (gone.length === 0) return [];
    await this.index.remove(Float64Array.from(gone, (r) => r.id));
    for (const { id } of gone) this.#rows.delete(id);
    return gone;
  }

  /** The k best hits of each query, best first; fewer where the gallery holds fewer. */
  hits(found: Neighbours, queries: number): Hit[][] {
    return Array.from({ length: queries }, (_, q) => {
      const hits: Hit[] = [];
      for (let i = q * found.k; i < (q + 1) * found.k; i++) {
        const row = this.#rows.get(found.rows[i]!);
        if (row)
          hits.push({ row: row.id, label: row.label, score: found.scores[i]!, path: row.path });
      }
      return hits;
    });
  }

  async save(folder: string): Promise<GalleryManifest> {
    const { model, kind, dim, protocol, engine, factory, parameters } = this.settings;
    const from = {
      id: model.id,
      version: model.version,
      ...(model.card !== undefined && { card: relative(folder, model.card) }),
      ...(model.folder !== undefined && { folder: relative(folder, model.folder) }),
    };
    return saveGallery(
      folder,
      {
        kind,
        dim,
        metric: this.index.metric,
        model: from,
        protocol,
        engine,
        engineVersion: this.index.version,
        factory,
        parameters: { ...parameters },
        nextId: this.#nextId,
      },
      await this.index.serialize(),
      this.rows,
    );
  }

  close(): void {
    this.index.close();
  }

  #checkShape(rows: Vectors | Codes): void {
    const { kind, dim } = this.settings;
    const found = isCodes(rows) ? `${rows.bits} bits` : `${rows.dim} floats`;
    const expected = kind === "binary" ? `${dim} bits` : `${dim} floats`;
    if (found !== expected) {
      throw new UserError({
        code: "dimension",
        message: "these vectors do not fit the gallery",
        expected,
        found,
        fix: "use the model that the gallery was built with",
      });
    }
  }
}

function refuseModel(folder: string, manifest: GalleryManifest, model: Stamped): never {
  throw new UserError({
    code: "gallery-model",
    message: "the gallery was built by another model, so its vectors mean something else",
    file: folder,
    expected: `${model.id} (${model.version.slice(0, 12)}…)`,
    found: `${manifest.model.id} (${manifest.model.version.slice(0, 12)}…)`,
    fix: "build the gallery again with this model, or give the model that it was built with",
  });
}
