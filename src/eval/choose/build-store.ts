import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, readFile, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeAtomic } from "../../pipeline/atomic-file.js";
import { loadIndex, saveIndex } from "../../pipeline/index/engine.js";
import type { IndexMetric } from "../../pipeline/types.js";
import { canonicalJson } from "../observe/cache.js";
import type { Built } from "./built.js";
import { settingKey, type Setting } from "./point.js";

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
});
type Note = z.infer<typeof noteSchema>;

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
      const { factory, size, trainMs, addMs } = note;
      return { built: { setting, factory, size, index, trainMs, addMs }, saved };
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
    const { setting, index, factory, size, trainMs, addMs } = built;
    const folder = this.#folder(setting);
    await mkdir(folder, { recursive: true });
    const file = join(folder, fileName);
    await saveIndex(index, file);
    const { kind, metric, dim } = index;
    const sha256 = await hashOf(file);
    const note: Note = { factory, kind, metric, dim, size, trainMs, addMs, sha256 };
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

const fileName = "index.bin";
const noteName = "build.json";

function savedOf({ engine }: Setting, note: Note, folder: string): SavedBuild {
  const { factory, kind, metric, dim, sha256 } = note;
  return { engine, factory, kind, metric, dim, sha256, file: join(folder, fileName) };
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
