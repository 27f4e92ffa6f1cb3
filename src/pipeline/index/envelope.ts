import { createHash } from "node:crypto";
import { z } from "zod";
import { UserError } from "../errors.js";
import type { IndexShape } from "./row-checks.js";

const magic = "shitu-index 1\n";
const headerSchema = z.strictObject({
  engine: z.string(),
  factory: z.string(),
  kind: z.enum(["real", "binary"]),
  metric: z.enum(["inner-product", "l2", "hamming"]),
  dim: z.int().positive(),
  size: z.int().nonnegative(),
  sha256: z.string(),
});

export interface Envelope extends IndexShape {
  readonly engine: string;
  readonly factory: string;
  readonly size: number;
}

/**
 * Serialized form of the engines that have no checked format of their own: a line that names it, a
 * line of JSON, then the ids (float64) and the engine's payload. The payload's hash is in the JSON,
 * so that no engine ever sees bytes that were damaged.
 */
export function seal(envelope: Envelope, ids: Float64Array, payload: Uint8Array): Uint8Array {
  const idBytes = new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength);
  const sha256 = createHash("sha256").update(idBytes).update(payload).digest("hex");
  const { engine, factory, kind, metric, dim, size } = envelope;
  const head = Buffer.from(
    `${magic}${JSON.stringify({ engine, factory, kind, metric, dim, size, sha256 })}\n`,
  );
  const sealed = new Uint8Array(head.length + idBytes.length + payload.length);
  sealed.set(head);
  sealed.set(idBytes, head.length);
  sealed.set(payload, head.length + idBytes.length);
  return sealed;
}

/** Length of what `seal` would give, without making it. */
export function sealedLength(
  { engine, factory, kind, metric, dim, size }: Envelope,
  payloadLength: number,
): number {
  const sha256 = "0".repeat(64);
  const facts = { engine, factory, kind, metric, dim, size, sha256 };
  const head = `${magic}${JSON.stringify(facts)}\n`;
  return Buffer.byteLength(head) + size * 8 + payloadLength;
}

/** @throws UserError `index-corrupt` */
export function unseal(
  bytes: Uint8Array,
  engine: string,
): Envelope & { ids: Float64Array; payload: Uint8Array } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!buffer.subarray(0, magic.length).equals(Buffer.from(magic)))
    throw corrupt(engine, "it does not begin as one");
  const end = buffer.indexOf("\n", magic.length);
  let header: z.infer<typeof headerSchema>;
  try {
    header = headerSchema.parse(JSON.parse(buffer.toString("utf8", magic.length, end)));
  } catch {
    throw corrupt(engine, "its header cannot be read");
  }
  if (header.engine !== engine) {
    throw new UserError({
      code: "index-engine",
      message: "the index was made by another engine",
      expected: engine,
      found: header.engine,
      fix: `load it with the engine ${header.engine}`,
    });
  }
  const payloadAt = end + 1 + header.size * 8;
  if (payloadAt > bytes.length) throw corrupt(engine, "it ends too early");
  if (
    createHash("sha256")
      .update(bytes.subarray(end + 1))
      .digest("hex") !== header.sha256
  )
    throw corrupt(engine, "its hash differs");
  // Copied, because a Float64Array must begin at a multiple of 8 (and a Buffer's own slice would be
  // no copy).
  const ids = new Float64Array(new Uint8Array(bytes.subarray(end + 1, payloadAt)).buffer);
  const { factory, kind, metric, dim, size } = header;
  return { engine, factory, kind, metric, dim, size, ids, payload: bytes.subarray(payloadAt) };
}

function corrupt(engine: string, why: string): UserError {
  return new UserError({
    code: "index-corrupt",
    message: `not a whole index of the engine ${engine}: ${why}`,
    fix: "build the index again",
  });
}
