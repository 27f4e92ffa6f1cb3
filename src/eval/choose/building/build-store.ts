import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, readFile, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeAtomic } from "../../../pipeline/atomic-file.js";
import { loadIndex, saveIndex } from "../../../pipeline/index/engine.js";
import type { IndexMetric, VectorIndex } from "../../../pipeline/types.js";
import { canonicalJson } from "../../observe/cache.js";
import type { Built } from "./built.js";
import { settingKey, type Setting } from "../point.js";

/** An index on disk, as another process loads it. */
export interface SavedBuild {
  readonly engine: string;
  readonly factory: string;
  readonly kind: "real" | "binary";
  readonly metric: IndexMetric;
  readonly dim: number;
  readonly file: string;
  readonly sha256: string;
}

/** What a build depends on, besides its setting. */
export interface BuildKey {
  readonly data: string;
  readonly size: number;
  readonly seed: string;
  /** Versions of the engines, and the threads that build. */
  readonly engines: string;
}

/** A build that was found on disk, opened. */
export interface KeptBuild {
  readonly built: Built;
  readonly saved: SavedBuild;
}

const noteSchema = z.strictObject({
  factory: z.string(),
  kind: z.enum(["real", "binary"]),
  metric: z.enum(["inner-product", "l2", "hamming"]),
  dim: z.number(),
  size: z.number(),
  trainMs: z.number(),
  addMs: z.number(),
  sha256: z.string(),
  warnings: z.array(z.string()),
});
/** What is written down of a build beside its index. */
export type Note = z.infer<typeof noteSchema>;

/** Indexes kept longer than the run: those used last, up to this many bytes. */
const mostBytes = 4 * 2 ** 30;

/**
 * Built indexes by what they were built of, so that a choice that is made again with other limits
 * builds nothing. The times are those of the build that was kept.
 */
export class BuildStore {
  readonly #root: string;
  readonly #key: BuildKey;

  constructor(root: string, key: BuildKey) {
    this.#root = root;
    this.#key = key;
  }

  /** The build of a setting, where it is kept and whole; null otherwise. */
  async find(setting: Setting): Promise<KeptBuild | null> {
    const folder = this.#folder(setting);
    const note = await readNote(folder);
    if (note === null) return null;
    const saved = savedOf(setting, note, folder);
    try {
      const index = await loadIndex(saved);
      const now = new Date();
      await utimes(folder, now, now).catch(() => undefined);
      return { built: builtOf(setting, note, index), saved };
    } catch {
      await rm(folder, { recursive: true, force: true }); // damaged: built again
      return null;
    }
  }

  /** Where the build of a setting is kept; null where it is not. */
  async saved(setting: Setting): Promise<SavedBuild | null> {
    const folder = this.#folder(setting);
    const note = await readNote(folder);
    return note && savedOf(setting, note, folder);
  }

  /** @throws UserError `write-failed` */
  async keep(built: Built): Promise<SavedBuild> {
    const file = await this.place(built.setting);
    await saveIndex(built.index, file);
    return this.adopt(built.setting, await noteOf(built, file));
  }

  /** Where the index of a setting is to be saved. */
  async place(setting: Setting): Promise<string> {
    const folder = this.#folder(setting);
    await mkdir(folder, { recursive: true });
    return join(folder, fileName);
  }

  /** Takes in what lies at its place, by its note: from now on it is found. */
  async adopt(setting: Setting, note: Note): Promise<SavedBuild> {
    const folder = this.#folder(setting);
    await writeAtomic(join(folder, noteName), JSON.stringify(note), { flush: false });
    return savedOf(setting, note, folder);
  }

  /** Removes the builds used longest ago, until the rest is small enough. */
  async prune(most = mostBytes): Promise<void> {
    const names = await readdir(this.#root).catch(() => [] as string[]);
    const kept = await Promise.all(
      names.map(async (name) => {
        const folder = join(this.#root, name);
        const bytes = (await stat(join(folder, fileName)).catch(() => null))?.size ?? 0;
        const used = (await stat(folder).catch(() => null))?.mtimeMs ?? 0;
        return { folder, bytes, used };
      }),
    );
    let sum = 0;
    for (const { folder, bytes } of kept.sort((a, b) => b.used - a.used)) {
      sum += bytes;
      if (sum > most) await rm(folder, { recursive: true, force: true });
    }
  }

  #folder(setting: Setting): string {
    const text = canonicalJson([this.#key, settingKey(setting)]);
    return join(this.#root, createHash("sha256").update(text).digest("hex").slice(0, 24));
  }
}

/** A build with its index open, as it was noted. */
export function builtOf(setting: Setting, note: Note, index: VectorIndex): Built {
  const { factory, size, trainMs, addMs, warnings } = note;
  return { setting, factory, size, index, trainMs, addMs, warnings };
}

/** The note of a build whose index was saved to a file. */
export async function noteOf(built: Built, file: string): Promise<Note> {
  const { index, factory, size, trainMs, addMs, warnings } = built;
  const { kind, metric, dim } = index;
  const sha256 = await hashOf(file);
  return { factory, kind, metric, dim, size, trainMs, addMs, sha256, warnings: [...warnings] };
}

const fileName = "index.bin";
const noteName = "build.json";

function savedOf({ engine }: Setting, note: Note, folder: string): SavedBuild {
  return asSaved(engine, note, join(folder, fileName));
}

/** How the index of a note is loaded from a file. */
export function asSaved(engine: string, note: Note, file: string): SavedBuild {
  const { factory, kind, metric, dim, sha256 } = note;
  return { engine, factory, kind, metric, dim, sha256, file };
}

async function readNote(folder: string): Promise<Note | null> {
  const text = await readFile(join(folder, noteName), "utf8").catch(() => null);
  if (text === null) return null;
  try {
    return noteSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
    hash.update(chunk as Buffer);
  }
  return hash.digest("hex");
}
