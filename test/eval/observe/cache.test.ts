import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import {
  ObservationCache,
  cacheInfo,
  canonicalJson,
  ObservationCaches,
  pruneCache,
  type CacheKey,
} from "../../../src/eval/observe/cache.js";
import { checksum, readLog } from "../../../src/eval/observe/observation-log.js";
import { Random } from "../../../src/eval/stats/random.js";

const key: CacheKey = {
  what: "embedding",
  model: "a".repeat(64),
  preprocessing: { width: 224, mean: [1, 2, 3] },
  protocol: "standard",
  engine: "test 1",
};
const picture = (n: number): string => n.toString(16).padStart(64, "0");
const payload = (n: number): Uint8Array =>
  Uint8Array.from({ length: 64 }, (_, i) => (n * 7 + i) & 255);
const folder = (): string => mkdtempSync(join(tmpdir(), "cache-"));
const logOf = (root: string): string => join(root, readdirSync(root)[0]!, "entries.log");

async function filled(root: string, n: number): Promise<void> {
  const cache = await ObservationCache.open(root, key);
  for (let i = 0; i < n; i++) cache.put(picture(i), payload(i));
  await cache.close();
}

describe("observation cache", () => {
  it(
    "gives back what was put, after reopening, " + "whatever the order of the key's fields",
    async () => {
      const root = folder();
      await filled(root, 20);
      const again = await ObservationCache.open(root, {
        engine: "test 1",
        protocol: "standard",
        preprocessing: { mean: [1, 2, 3], width: 224 },
        model: key.model,
        what: "embedding",
      });
      expect(again.size).toBe(20);
      expect(again.get(picture(7))).toEqual(Buffer.from(payload(7)));
      expect(again.get(picture(99))).toBeUndefined();
      await again.close();
    },
  );

  it.each([
    ["model", { ...key, model: "b".repeat(64) }],
    ["preprocessing", { ...key, preprocessing: { width: 225, mean: [1, 2, 3] } }],
    ["protocol", { ...key, protocol: "paddleclas" }],
    ["engine", { ...key, engine: "test 2" }],
    ["what", { ...key, what: "detections" as const }],
  ])("never serves an entry for another %s", async (_, other) => {
    const root = folder();
    await filled(root, 3);
    const cache = await ObservationCache.open(root, other);
    expect(cache.size).toBe(0);
    await cache.close();
  });

  it(
    "loses only the torn entry when a write was cut " + "at any byte, and goes on after it",
    async () => {
      const root = folder();
      await filled(root, 5);
      const file = logOf(root);
      const whole = readFileSync(file);
      const entry = whole.length / 5;
      for (const cut of [1, 3, 11, 43, 44, entry - 1]) {
        writeFileSync(file, whole.subarray(0, 4 * entry + cut));
        const cache = await ObservationCache.open(root, key);
        expect(cache.size).toBe(4);
        expect(cache.damagedBytes).toBe(cut);
        cache.put(picture(4), payload(4));
        cache.put(picture(5), payload(5));
        await cache.close();
        const again = await ObservationCache.open(root, key);
        expect(again.size).toBe(6);
        expect(again.get(picture(4))).toEqual(Buffer.from(payload(4)));
        await again.close();
        truncateSync(file, 0);
      }
    },
  );

  it("drops an entry whose bytes were changed on disk", async () => {
    const root = folder();
    await filled(root, 3);
    const file = logOf(root);
    const bytes = readFileSync(file);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(file, bytes);
    const cache = await ObservationCache.open(root, key);
    expect(cache.size).toBe(2);
    expect(cache.get(picture(2))).toBeUndefined();
    await cache.close();
  });

  it("informs and prunes", async () => {
    const root = folder();
    await filled(root, 3);
    appendFileSync(logOf(root), "rubbish");
    const [info] = await cacheInfo(root);
    expect(info).toMatchObject({ entries: 3, damagedBytes: 7, key: { protocol: "standard" } });
    expect(await pruneCache(root, 0)).toEqual([]);
    expect(await pruneCache(root, Date.now() - 999_999_999_999 * 86_400_000)).toEqual([]);
    expect(await pruneCache(root)).toHaveLength(1);
    expect(await cacheInfo(root)).toEqual([]);
  });

  it("describes and prunes a log whose key is damaged, or that is no log", async () => {
    const root = folder();
    await filled(root, 1);
    writeFileSync(join(dirname(logOf(root)), "key.json"), '{"model": 7}');
    mkdirSync(join(root, "other", "entries.log"), { recursive: true });
    expect(await cacheInfo(root)).toMatchObject([{ key: null, entries: 1 }]);
    expect(await pruneCache(root)).toMatchObject([{ key: null }]);
    await expect(cacheInfo(fileURLToPath(import.meta.url))).rejects.toThrow(/a file/);
  });

  it("reads a log in parts as it reads it whole, damaged as it may be", async () => {
    const root = folder();
    const cache = await ObservationCache.open(root, key);
    const random = new Random("parts");
    for (let i = 0; i < 200; i++)
      cache.put(picture(i), new Uint8Array(random.below(i % 20 === 0 ? 2000 : 90)).fill(i));
    await cache.close();
    const file = logOf(root);
    const sound = readFileSync(file);
    for (let round = 0; round < 40; round++) {
      const bytes = Buffer.from(sound);
      for (let n = 0; n < round; n++) bytes[random.below(bytes.length)]! ^= 1 + random.below(255);
      if (round % 3 === 0) bytes.set(Buffer.from("STB2"), random.below(bytes.length - 4));
      writeFileSync(file, bytes.subarray(0, bytes.length - random.below(60)));
      const read = async (part: number): Promise<unknown> => {
        const found: unknown[] = [];
        const handle = await open(file);
        const damaged = await readLog(
          handle,
          (name, data, at) => found.push([name, Buffer.from(data).toString("hex"), at]),
          part,
        );
        await handle.close();
        return { found, damaged };
      };
      const whole = await read(1 << 20);
      for (const part of [64, 100, 257, 1000]) expect(await read(part)).toEqual(whole);
    }
  });

  it("orders the keys of JSON", () => {
    expect(canonicalJson({ b: [{ d: 1, c: 2 }], a: null })).toBe('{"a":null,"b":[{"c":2,"d":1}]}');
  });

  it(
    "has MurmurHash3 for a checksum, and sees every changed byte, whatever the length and " +
      "place in memory",
    () => {
      // Results of the reference implementation (whole words only: the rest of an entry is counted
      // otherwise).
      expect([checksum(new Uint8Array(0)), checksum(Buffer.from("test"))]).toEqual([0, 0xba6bd213]);
      for (const length of [1, 5, 64, 67]) {
        const whole = Uint8Array.from({ length: length + 3 }, (_, i) => (i * 37) & 255);
        for (const offset of [0, 1, 3]) {
          const data = whole.subarray(offset, offset + length);
          const before = checksum(data);
          for (let i = 0; i < length; i++) {
            data[i]! ^= 1;
            expect(checksum(data)).not.toBe(before);
            data[i]! ^= 1;
          }
          expect(checksum(Uint8Array.from(data))).toBe(before);
        }
      }
    },
  );
});

describe("the logs of a run", () => {
  it("are read once while in use and shortly after, and are closed at the end", async () => {
    const root = folder();
    await filled(root, 2);
    const caches = new ObservationCaches(root);
    const first = await caches.use(key, async (cache) => cache);
    expect(await caches.use({ ...key }, async (cache) => cache)).toBe(first);
    for (const model of ["b", "c", "d"])
      await caches.use({ ...key, model: model.repeat(64) }, async () => undefined);
    expect(() => {
      first.put(picture(9), payload(9));
    }).toThrow(); // three newer ones are kept, this one is closed
    const again = await caches.use(key, async (cache) => cache);
    expect([again === first, again.size]).toEqual([false, 2]);
    await caches.close();
    expect(() => {
      again.put(picture(9), payload(9));
    }).toThrow();
  });
});
