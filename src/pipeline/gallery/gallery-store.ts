import { createHash } from "node:crypto";
import { mkdir, open, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeAtomic } from "../atomic-file.js";
import { UserError } from "../errors.js";
import { protocols } from "../protocol.js";
import { parseValue, unreadable } from "../schema.js";
import { strictText } from "../strict-text.js";

/** One gallery entry: its id in the index, the picture it came from and its label. */
export interface GalleryRow {
  readonly id: number;
  readonly path: string;
  readonly label: string;
  /** sha256 of the picture's file, in hex; galleries from before it was kept have none. */
  readonly content?: string;
}

const fileRef = z.strictObject({
  file: z.string().regex(/^[\w.-]+$/),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.number().int().nonnegative(),
});

const manifestSchema = z.strictObject({
  schema: z.literal(1),
  kind: z.enum(["real", "binary"]),
  dim: z.number().int().positive(),
  metric: z.enum(["inner-product", "l2", "hamming"]),
  count: z.number().int().nonnegative(),
  model: z.strictObject({
    id: z.string(),
    version: z.string(),
    /**
     * Where the model's card was, relative to the gallery: a convenience, checked by hash when
     * used.
     */
    card: z.string().optional(),
    folder: z.string().optional(),
  }),
  protocol: z.enum(protocols),
  engine: z.string(),
  engineVersion: z.string(),
  factory: z.string(),
  parameters: z.record(z.string(), z.number()),
  nextId: z.number().int().nonnegative(),
  index: fileRef,
  rows: fileRef,
});

/** What a saved gallery says of itself; `model.version` is the model file's sha256. */
export type GalleryManifest = z.infer<typeof manifestSchema>;

const manifestName = "gallery.json";

const sha256 = (data: Uint8Array | string): string =>
  createHash("sha256").update(data).digest("hex");

/**
 * Saves a gallery folder. Index and rows go to files named by their content, the manifest is
 * renamed into place last, and only then are the files of the version before removed: a kill at any
 * moment leaves either the old gallery or the new one.
 */
export async function saveGallery(
  folder: string,
  manifest: Omit<GalleryManifest, "schema" | "index" | "rows" | "count">,
  index: Uint8Array,
  rows: readonly GalleryRow[],
): Promise<GalleryManifest> {
  checkRows(rows, manifest.nextId, folder);
  const rowText = rows
    .map(({ id, path, label, content }) =>
      JSON.stringify(content === undefined ? [id, path, label] : [id, path, label, content]),
    )
    .map((line) => `${line}\n`)
    .join("");
  const indexHash = sha256(index);
  const rowHash = sha256(rowText);
  const full: GalleryManifest = {
    schema: 1,
    ...manifest,
    count: rows.length,
    index: {
      file: `index-${indexHash.slice(0, 12)}.bin`,
      sha256: indexHash,
      bytes: index.byteLength,
    },
    rows: {
      file: `rows-${rowHash.slice(0, 12)}.jsonl`,
      sha256: rowHash,
      bytes: Buffer.byteLength(rowText),
    },
  };
  await mkdir(folder, { recursive: true });
  await writeAtomic(join(folder, full.index.file), index);
  await writeAtomic(join(folder, full.rows.file), rowText);
  // What cannot be read back must not take the place of what can.
  await readChecked(folder, full.index);
  await readChecked(folder, full.rows);
  await writeAtomic(join(folder, manifestName), `${JSON.stringify(full, null, 2)}\n`);
  for (const name of await readdir(folder)) {
    if (
      /^(index-[0-9a-f]{12}\.bin|rows-[0-9a-f]{12}\.jsonl)$/.test(name) &&
      name !== full.index.file &&
      name !== full.rows.file
    ) {
      await rm(join(folder, name), { force: true });
    }
  }
  return full;
}

/** Reads the manifest alone. */
export async function readManifest(folder: string): Promise<GalleryManifest> {
  const file = join(folder, manifestName);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code;
    if (errno === "ENOENT" || errno === "ENOTDIR") {
      throw new UserError({
        code: "gallery-missing",
        message: "no gallery in this folder",
        file: folder,
        expected: manifestName,
        fix: "make one with `shitu gallery build`",
      });
    }
    throw unreadable(file, error);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UserError({
      code: "gallery-corrupt",
      message: "the gallery's manifest is not JSON",
      file,
      fix: "build the gallery again",
    });
  }
  return parseValue(value, file, manifestSchema);
}

/**
 * Reads manifest, index bytes and rows; both files are checked against their hashes before anything
 * else looks at them.
 */
export async function readGallery(
  folder: string,
): Promise<{ manifest: GalleryManifest; index: Uint8Array; rows: GalleryRow[] }> {
  const manifest = await readManifest(folder);
  const index = await readChecked(folder, manifest.index);
  const rowBytes = await readChecked(folder, manifest.rows);
  const rowFile = join(folder, manifest.rows.file);
  const rows = strictText(rowBytes, { file: rowFile })
    .split("\n")
    .flatMap((line, i) => (line === "" ? [] : [rowOf(line, i + 1, rowFile)]));
  checkRows(rows, manifest.nextId, rowFile);
  if (rows.length !== manifest.count) {
    throw new UserError({
      code: "gallery-corrupt",
      message: "rows and manifest disagree",
      file: join(folder, manifest.rows.file),
      expected: `${manifest.count} rows`,
      found: `${rows.length}`,
      fix: "build the gallery again",
    });
  }
  return { manifest, index, rows };
}

const content = z.string().regex(/^[0-9a-f]{64}$/);
const rowSchema = z.tuple([
  z.number().int().nonnegative(),
  z.string(),
  z.string(),
  content.optional(),
]);

function rowOf(line: string, number: number, file: string): GalleryRow {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    value = undefined;
  }
  const row = rowSchema.safeParse(value);
  if (!row.success) throw corruptRows(file, `line ${number} is no [id, path, label]`);
  const [id, path, label, content] = row.data;
  return { id, path, label, ...(content !== undefined && { content }) };
}

/** Ids name one row each, and the next one is free: else entries collapse, or the next append. */
function checkRows(rows: readonly GalleryRow[], nextId: number, file: string): void {
  const ids = new Set<number>();
  for (const { id } of rows) {
    if (ids.has(id)) throw corruptRows(file, `two rows have the id ${id}`);
    if (id >= nextId) throw corruptRows(file, `the id ${id} is not below nextId, ${nextId}`);
    ids.add(id);
  }
}

function corruptRows(file: string, found: string): UserError {
  return new UserError({
    code: "gallery-corrupt",
    message: "the gallery's rows are not what they must be",
    file,
    expected: "[id, path, label] on each line, ids unique and below nextId",
    found,
    fix: "build the gallery again, or restore the file",
  });
}

async function readChecked(folder: string, ref: GalleryManifest["index"]): Promise<Uint8Array> {
  const file = join(folder, ref.file);
  const data = await readWhole(file);
  const found = sha256(data);
  if (found !== ref.sha256) {
    throw new UserError({
      code: "gallery-corrupt",
      message: "the file is not what the gallery's manifest says",
      file,
      expected: `sha256 ${ref.sha256.slice(0, 12)}… (${ref.bytes} bytes)`,
      found: `${found.slice(0, 12)}… (${data.byteLength} bytes)`,
      fix: "build the gallery again, or restore the file",
    });
  }
  return data;
}

/** A whole file of any size: `readFile` stops at 2 GiB. */
async function readWhole(file: string): Promise<Uint8Array> {
  const handle = await open(file).catch((error: unknown) => {
    throw unreadable(file, error);
  });
  try {
    const data = Buffer.allocUnsafe((await handle.stat()).size);
    for (let at = 0; at < data.length;) {
      const { bytesRead } = await handle.read(data, at, Math.min(data.length - at, 1 << 28), at);
      if (bytesRead === 0) return data.subarray(0, at);
      at += bytesRead;
    }
    return data;
  } finally {
    await handle.close();
  }
}
