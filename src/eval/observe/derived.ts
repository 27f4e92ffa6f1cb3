import { createHash } from "node:crypto";
import { deserialize, serialize } from "node:v8";
import { canonicalJson, type CacheKey, type ObservationCaches } from "./cache.js";
import { measuringCode } from "./code-version.js";

/**
 * A computation that says the same whenever it is given the same: a ranking, a bootstrap of a fixed
 * seed.
 */
export interface Derivation {
  readonly method: string;
  /**
   * All that the result depends on besides the code: numbers, labels, seeds and typed arrays, by
   * name. Anything that is left out here could be served to inputs that differ in it.
   */
  readonly evidence: Readonly<Record<string, unknown>>;
}

/**
 * What `compute` gives, taken from the cache where the same code was given the same evidence
 * before. Numbers come back to the last bit. A torn entry is computed again.
 *
 * @throws UserError `write-failed`, and whatever `compute` throws.
 */
export function derived<T>(
  caches: ObservationCaches,
  { method, evidence }: Derivation,
  compute: () => T | Promise<T>,
): Promise<T> {
  const key: CacheKey = {
    what: "derived",
    model: method,
    preprocessing: null,
    protocol: "any",
    engine: measuringCode(),
  };
  return caches.use(key, async (cache) => {
    const hash = evidenceHash(evidence);
    const cached = cache.get(hash);
    if (cached) {
      try {
        return deserialize(cached) as T;
      } catch {
        // A checksum that fits by chance, or another serialisation: computed again.
      }
    }
    const value = await compute();
    cache.put(hash, serialize(value));
    return value;
  });
}

/**
 * sha256, in hex, of values by name; typed arrays by kind and bytes. Every part is preceded by its
 * length, so that none runs into the next.
 */
export function evidenceHash(evidence: Readonly<Record<string, unknown>>): string {
  const hash = createHash("sha256");
  for (const [name, value] of Object.entries(evidence).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const bytes = ArrayBuffer.isView(value)
      ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
      : Buffer.from(canonicalJson(written(value)));
    hash
      .update(
        canonicalJson([
          name,
          ArrayBuffer.isView(value) ? value.constructor.name : "json",
          bytes.byteLength,
        ]),
      )
      .update("\n")
      .update(bytes);
  }
  return hash.digest("hex");
}

/**
 * What JSON would make alike (NaN, Infinity, undefined) or of another kind (typed arrays within),
 * told apart.
 */
function written(value: unknown): unknown {
  if (typeof value === "number")
    return Number.isFinite(value) && !Object.is(value, -0)
      ? value
      : { number: Object.is(value, -0) ? "-0" : String(value) };
  if (value === undefined) return { undefined: true };
  if (ArrayBuffer.isView(value))
    return { [value.constructor.name]: Array.from(value as unknown as ArrayLike<number>, written) };
  if (Array.isArray(value)) return value.map(written);
  if (value !== null && typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, written(v)]));
  return value;
}
