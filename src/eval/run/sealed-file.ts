import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { z } from "zod";
import { writeAtomic } from "../../pipeline/atomic-file.js";

/**
 * A value as JSON below the sha256 of its text: what a disk, a power cut or an editor changed is
 * told from what was written.
 */
export function writeSealed(file: string, value: unknown): Promise<void> {
  const text = JSON.stringify(value);
  return writeAtomic(file, `${sha256(text)}\n${text}\n`, { flush: false });
}

/** Reads it back; `damaged` where it is not what was written, or not of the schema. */
export async function readSealed<T>(
  file: string,
  schema: z.ZodType<T>,
): Promise<{ readonly value: T } | "missing" | "damaged"> {
  let whole: string;
  try {
    whole = await readFile(file, "utf8");
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? "missing" : "damaged";
  }
  const [hash, text, rest] = whole.split("\n");
  if (text === undefined || rest !== "" || hash !== sha256(text)) return "damaged";
  const found = schema.safeParse(JSON.parse(text));
  return found.success ? { value: found.data } : "damaged";
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
