import { createHash } from "node:crypto";
import { readSync, writeSync } from "node:fs";
import { mkdir, open, readdir, readFile, rm, stat, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { asWriteError, writeAtomic } from "../../pipeline/atomic-file.js";
import { unreadable } from "../../pipeline/errors.js";
import { openRegular } from "../../pipeline/regular-file.js";
import { headBytes, logMark, readLog, writeHead } from "./observation-log.js";

/**
 * Everything that an observation depends on besides the picture. Two keys that differ in anything
 * never share an entry, so a result is never served for another model, preprocessing, protocol or
 * engine.
 */
export interface CacheKey {
  readonly what: "embedding" | "detections" | "classes" | "crops" | "vectors" | "derived";
  /**
   * sha256 of the model file, or name and version of a baseline; of what is drawn or derived, how.
   */
  readonly model: string;
  readonly preprocessing: unknown;
  readonly protocol: string;
  /** Version of the runtime and of the code that decodes and prepares pictures. */
  readonly engine: string;
}

/** Logs up to this size are held in memory; of larger ones, where each entry lies. */
const mostHeldBytes = 256 << 20;

/** An entry's payload, or its place in the file. */
type Held = Uint8Array | { readonly at: number; readonly length: number };

const logName = "entries.log";

/**
 * A log of observations by picture hash, one file a key. Each entry is appended with one write, so
 * a kill loses at most the entry in flight; a torn or damaged entry is skipped on reading (its
 * checksum fails) and measured again. What is observed or computed of more than a picture (crops,
 * drawn vectors, derived numbers) has the sha256 of all that it depends on in the picture's place.
 */
export class ObservationCache {
  readonly folder: string;
  readonly #entries: Map<string, Held>;
  readonly #handle: FileHandle;
  readonly #file: string;
  /** Where entries of the usual size are put together. */
  readonly #scratch = Buffer.allocUnsafeSlow(65_536);
  /** Bytes that were not whole entries when the log was opened. */
  readonly damagedBytes: number;

  private constructor(
    folder: string,
    file: string,
    handle: FileHandle,
    entries: Map<string, Held>,
    damagedBytes: number,
  ) {
    this.folder = folder;
    this.#file = file;
    this.#handle = handle;
    this.#entries = entries;
    this.damagedBytes = damagedBytes;
  }

  /** Opens (or starts) the log of a key under `root`. */
  static async open(root: string, key: CacheKey): Promise<ObservationCache> {
    const folder = join(root, keyHash(key));
    const file = join(folder, logName);
    try {
      await mkdir(folder, { recursive: true });
      await writeAtomic(join(folder, "key.json"), `${JSON.stringify(key, null, 2)}\n`, {
        flush: false,
      });
      const handle = await open(file, "a+");
      const hold = (await handle.stat()).size <= mostHeldBytes;
      const entries = new Map<string, Held>();
      const damagedBytes = await readLog(handle, (picture, payload, at) =>
        entries.set(picture, hold ? payload : { at, length: payload.byteLength }),
      );
      return new ObservationCache(folder, file, handle, entries, damagedBytes);
    } catch (error) {
      throw asWriteError(file, error);
    }
  }

  get size(): number {
    return this.#entries.size;
  }

  get(picture: string): Uint8Array | undefined {
    const held = this.#entries.get(picture);
    if (held === undefined || held instanceof Uint8Array) return held;
    const payload = new Uint8Array(held.length);
    try {
      const read = readSync(this.#handle.fd, payload, 0, held.length, held.at);
      return read === held.length ? payload : undefined;
    } catch (error) {
      throw unreadable(this.#file, error);
    }
  }

  /**
   * Appends one entry; `picture` is a sha256 in hex, `payload` is kept as it is and not to be
   * changed. Written on the calling thread: a few KB go to the system's cache in microseconds, a
   * hop to another thread and back costs many times that (bench/overhead.ts).
   */
  put(picture: string, payload: Uint8Array): void {
    const length = headBytes + payload.byteLength;
    const entry =
      length > this.#scratch.length
        ? Buffer.allocUnsafeSlow(length)
        : this.#scratch.subarray(0, length);
    entry.set(payload, headBytes);
    writeHead(entry, picture);
    try {
      const bytesWritten = writeSync(this.#handle.fd, entry);
      if (bytesWritten !== entry.length)
        throw Object.assign(new Error("short write"), { code: "ENOSPC" });
    } catch (error) {
      throw asWriteError(this.#file, error);
    }
    this.#entries.set(picture, payload);
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

function keyHash(key: CacheKey): string {
  return createHash("sha256").update(logMark).update(canonicalJson(key)).digest("hex").slice(0, 24);
}

/** JSON with sorted keys: the same value always gives the same text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) =>
    v !== null && typeof v === "object" && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
      : v,
  );
}

/** Logs held open for the next cell of the same model; more would hold memory for nothing. */
const idleLogs = 3;

/** The logs of a run: what several cells use is read once. */
export class ObservationCaches {
  readonly root: string;
  readonly #open = new Map<string, { readonly cache: Promise<ObservationCache>; users: number }>();

  constructor(root: string) {
    this.root = root;
  }

  /** Opens the log of a key, or takes the one at hand, and keeps it open while `work` goes on. */
  async use<T>(key: CacheKey, work: (cache: ObservationCache) => Promise<T>): Promise<T> {
    const name = keyHash(key);
    const entry = this.#open.get(name) ?? {
      cache: ObservationCache.open(this.root, key),
      users: 0,
    };
    this.#open.delete(name); // the latest last
    this.#open.set(name, entry);
    entry.users++;
    try {
      return await work(await entry.cache);
    } catch (error) {
      // one that could not be opened is tried again
      await entry.cache.catch(() => this.#open.delete(name));
      throw error;
    } finally {
      entry.users--;
      await this.#closeIdle(idleLogs);
    }
  }

  async close(): Promise<void> {
    await this.#closeIdle(0);
  }

  async #closeIdle(most: number): Promise<void> {
    const idle = [...this.#open].filter(([, { users }]) => users === 0);
    for (const [name, { cache }] of idle.slice(0, Math.max(0, idle.length - most))) {
      this.#open.delete(name);
      await (await cache).close();
    }
  }
}

/** A log as the file system tells of it. */
export interface CacheLog {
  readonly folder: string;
  readonly key: CacheKey | null;
  readonly bytes: number;
  /** Last write, ISO 8601. */
  readonly modified: string;
}

export interface CacheEntryInfo extends CacheLog {
  readonly entries: number;
  readonly damagedBytes: number;
}

/** What is cached under `root`, most recent first. @throws UserError `file-unreadable` */
export async function cacheInfo(root: string): Promise<CacheEntryInfo[]> {
  const infos: CacheEntryInfo[] = [];
  for (const log of await cacheLogs(root)) {
    const pictures = new Set<string>();
    const handle = await openRegular(join(log.folder, logName));
    try {
      const damagedBytes = await readLog(handle, (picture) => pictures.add(picture));
      infos.push({ ...log, entries: pictures.size, damagedBytes });
    } finally {
      await handle.close();
    }
  }
  return infos;
}

/**
 * Removes the logs last written before `olderThan` (ms since 1970; all without it), by what the
 * file system tells of them alone; returns what went.
 */
export async function pruneCache(root: string, olderThan = Infinity): Promise<CacheLog[]> {
  const gone = (await cacheLogs(root)).filter((log) => Date.parse(log.modified) < olderThan);
  for (const { folder } of gone)
    await rm(folder, { recursive: true, force: true }).catch((error: unknown) => {
      throw asWriteError(folder, error);
    });
  return gone;
}

async function cacheLogs(root: string): Promise<CacheLog[]> {
  const names = await readdir(root).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw unreadable(root, error);
  });
  const logs: CacheLog[] = [];
  for (const name of names) {
    const folder = join(root, name);
    const about = await stat(join(folder, logName)).catch(() => null);
    if (!about?.isFile()) continue;
    const key = await readFile(join(folder, "key.json"), "utf8")
      .then((text) => keySchema.parse(JSON.parse(text)) as CacheKey)
      .catch(() => null);
    logs.push({ folder, key, bytes: about.size, modified: about.mtime.toISOString() });
  }
  return logs.sort((a, b) => b.modified.localeCompare(a.modified));
}

const keySchema = z.object({ what: z.string(), model: z.string(), protocol: z.string() });
