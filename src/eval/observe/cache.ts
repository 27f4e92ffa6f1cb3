import { createHash } from "node:crypto";
import { writeSync } from "node:fs";
import { mkdir, open, readdir, readFile, rm, stat, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { asWriteError, writeAtomic } from "../../pipeline/atomic-file.js";

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

const mark = "STB2";
const magic = 0x32425453; // the same, little-endian
const headBytes = 4 + 4 + 4 + 32;

/**
 * A log of observations by picture hash, one file a key. Each entry is appended with one write, so
 * a kill loses at most the entry in flight; a torn or damaged entry is skipped on reading (its
 * checksum fails) and measured again.
 *
 * Entry: magic u32, payload length u32, checksum of hash and payload u32, picture sha256 (32
 * bytes), payload. What is observed or computed of more than a picture (crops, drawn vectors,
 * derived numbers) has the sha256 of all that it depends on in the picture's place.
 */
export class ObservationCache {
  readonly folder: string;
  readonly #entries = new Map<string, Uint8Array>();
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
    entries: Map<string, Uint8Array>,
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
    const file = join(folder, "entries.log");
    try {
      await mkdir(folder, { recursive: true });
      await writeAtomic(join(folder, "key.json"), `${JSON.stringify(key, null, 2)}\n`, {
        flush: false,
      });
      const handle = await open(file, "a+");
      const { entries, damagedBytes } = parseLog(await handle.readFile());
      return new ObservationCache(folder, file, handle, entries, damagedBytes);
    } catch (error) {
      throw asWriteError(file, error);
    }
  }

  get size(): number {
    return this.#entries.size;
  }

  get(picture: string): Uint8Array | undefined {
    return this.#entries.get(picture);
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
    entry.write(picture, 12, "hex");
    entry.set(payload, headBytes);
    entry.writeUInt32LE(magic, 0);
    entry.writeUInt32LE(payload.byteLength, 4);
    entry.writeUInt32LE(checksum(entry.subarray(12)), 8);
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

/**
 * MurmurHash3 (Appleby 2011, `MurmurHash3_x86_32`, seed 0) over whole words, a rest of bytes
 * counted as a word: it tells torn and damaged entries, and costs a tenth of a cryptographic hash
 * on entries of a KB. (zlib's crc32 is not in every Node 20.)
 */
export function checksum(data: Uint8Array): number {
  const whole = data.byteLength & ~3;
  const aligned = data.byteOffset % 4 === 0 ? data : Uint8Array.from(data);
  const words = new Int32Array(aligned.buffer, aligned.byteOffset, whole / 4);
  let h = 0;
  for (let i = 0; i < words.length; i++) h = mix(h, words[i]!);
  let rest = 0;
  for (let i = whole; i < data.byteLength; i++) rest = (rest << 8) | data[i]!;
  if (whole < data.byteLength) h = mix(h, rest);
  h ^= data.byteLength;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function mix(h: number, word: number): number {
  const k = Math.imul(word, 0xcc9e2d51);
  const g = h ^ Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  return (Math.imul((g << 13) | (g >>> 19), 5) + 0xe6546b64) | 0;
}

function keyHash(key: CacheKey): string {
  return createHash("sha256").update(mark).update(canonicalJson(key)).digest("hex").slice(0, 24);
}

/** JSON with sorted keys: the same value always gives the same text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) =>
    v !== null && typeof v === "object" && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
      : v,
  );
}

function parseLog(log: Buffer): { entries: Map<string, Uint8Array>; damagedBytes: number } {
  const entries = new Map<string, Uint8Array>();
  let damagedBytes = 0;
  let at = 0;
  while (at < log.length) {
    const end = entryEnd(log, at);
    if (end === null) {
      // Not a whole entry: look for the next place that starts one.
      const next = log.indexOf(mark, at + 1, "latin1");
      damagedBytes += (next < 0 ? log.length : next) - at;
      at = next < 0 ? log.length : next;
      continue;
    }
    entries.set(log.toString("hex", at + 12, at + 44), log.subarray(at + headBytes, end));
    at = end;
  }
  return { entries, damagedBytes };
}

function entryEnd(log: Buffer, at: number): number | null {
  if (at + headBytes > log.length || log.readUInt32LE(at) !== magic) return null;
  const end = at + headBytes + log.readUInt32LE(at + 4);
  if (end > log.length || checksum(log.subarray(at + 12, end)) !== log.readUInt32LE(at + 8))
    return null;
  return end;
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

export interface CacheEntryInfo {
  readonly folder: string;
  readonly key: CacheKey | null;
  readonly entries: number;
  readonly bytes: number;
  readonly damagedBytes: number;
  /** Last write, ISO 8601. */
  readonly modified: string;
}

/** What is cached under `root`, most recent first. */
export async function cacheInfo(root: string): Promise<CacheEntryInfo[]> {
  const names = await readdir(root).catch(() => [] as string[]);
  const infos = await Promise.all(
    names.map(async (name): Promise<CacheEntryInfo | null> => {
      const folder = join(root, name);
      const file = join(folder, "entries.log");
      const about = await stat(file).catch(() => null);
      if (!about) return null;
      const { entries, damagedBytes } = parseLog(await readFile(file));
      const key = await readFile(join(folder, "key.json"), "utf8")
        .then((text) => JSON.parse(text) as CacheKey)
        .catch(() => null);
      return {
        folder,
        key,
        entries: entries.size,
        bytes: about.size,
        damagedBytes,
        modified: about.mtime.toISOString(),
      };
    }),
  );
  return infos.filter((i) => i !== null).sort((a, b) => b.modified.localeCompare(a.modified));
}

/** Removes the logs last written before `olderThan` (all without it); returns what went. */
export async function pruneCache(root: string, olderThan?: Date): Promise<CacheEntryInfo[]> {
  const gone = (await cacheInfo(root)).filter(
    (i) => olderThan === undefined || i.modified < olderThan.toISOString(),
  );
  for (const { folder } of gone) await rm(folder, { recursive: true, force: true });
  return gone;
}
