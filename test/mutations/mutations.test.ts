import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { doors, writeSound } from "./doors.js";
import { readMutated } from "./read-mutated.js";

/** A handful of what `npx tsx test/mutations/run.ts 1000` does, in this process. */
const each = 8;

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "mutations-"));
  await writeSound(folder);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("damaged files", () => {
  it.each(doors.map((d) => [d.name, d] as const))("%s: sound as written", async (_, door) => {
    await door.read(join(folder, door.file), folder);
  });

  it.each(doors.map((d) => [d.name, d] as const))("%s: read or refused", async (_, door) => {
    for (let i = 0; i < each; i++)
      expect(await readMutated(door, folder, `test/${i}`), `${door.name} ${i}`).not.toMatchObject({
        kind: "fault",
      });
  });
});
