import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../src/pipeline/errors.js";
import { Random } from "../../src/eval/stats/random.js";
import type { Door } from "./doors.js";
import { mutated } from "./mutate.js";

/** What became of a damaged file: read, refused as the user's, or a fault of ours. */
export type Fate =
  { readonly kind: "read" | "refused" } | { readonly kind: "fault"; readonly why: string };

const sound = new Map<string, Uint8Array>();

/** Damages the door's file in a folder of sound ones, reads it, and puts the sound one back. */
export async function readMutated(door: Door, folder: string, seed: string): Promise<Fate> {
  const file = join(folder, door.file);
  const original = sound.get(file) ?? readFileSync(file);
  sound.set(file, original);
  writeFileSync(file, mutated(original, door.text, new Random(`${door.name}/${seed}`)));
  const fate = await fateOf(door, file, folder);
  if (fate.kind !== "fault") writeFileSync(file, original);
  return fate;
}

async function fateOf(door: Door, file: string, folder: string): Promise<Fate> {
  try {
    await door.read(file, folder);
    return { kind: "read" };
  } catch (error) {
    if (error instanceof UserError) return { kind: "refused" };
    return { kind: "fault", why: (error instanceof Error ? error.stack : String(error)) ?? "" };
  }
}
