import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readPaddleModel, type PaddleModel } from "../../src/import/paddle/read-model.js";
import { parseSeparate } from "../../src/import/paddle/read-parameters.js";
import { openSource } from "../../src/import/paddle/source.js";
import { concatBytes } from "../../src/pipeline/onnx/wire.js";
import { projectRoot } from "../../src/pipeline/root.js";
import { complaintOf } from "../complaint.js";
import { importFolder } from "./run-imported.js";
import { parameterBytes } from "./write-parameters.js";

const combined = join(projectRoot, "test", "golden", "paddle", "blocks", "old");

let root: string;
let model: PaddleModel;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "shitu-separate-"));
  model = await readPaddleModel(await openSource(combined), null);
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

/** The model as Paddle 1 saved it: `__model__`, and a file a parameter. */
function separate(
  name: string,
  change: (files: Map<string, Uint8Array>) => void = () => undefined,
) {
  const files = new Map([...model.parameters].map(([key, p]) => [key, parameterBytes(p)]));
  files.set("__model__", model.files[0]!.bytes);
  change(files);
  const folder = join(root, name);
  mkdirSync(folder);
  for (const [file, bytes] of files) writeFileSync(join(folder, file), bytes);
  return folder;
}

describe("one file a parameter", () => {
  it("gives the very model that the combined file gives", async () => {
    const [a, b] = [await importFolder(combined), await importFolder(separate("whole"))];
    expect(concatBytes(b.parts)).toEqual(concatBytes(a.parts));
    expect(b.report.parameters.tensors).toBeGreaterThan(10);
  });

  it("is refused by name where one is missing, too long or another's", async () => {
    const [first, second] = [...model.parameters.keys()].filter((n) => n.includes(".w_0"));
    const missing = separate("missing", (files) => files.delete(first!));
    const found = await complaintOf(importFolder(missing));
    expect(JSON.stringify(found)).toContain(first);
    const long = separate("long", (files) => {
      files.set(first!, concatBytes([files.get(first!)!, new Uint8Array(3)]));
    });
    expect(await complaintOf(importFolder(long))).toMatchObject({ found: "3 bytes more" });
    const other = separate("other", (files) => files.set(first!, files.get(second!)!));
    expect((await complaintOf(importFolder(other))).code).toBe("parameters-unreadable");
  });

  it("never leads out of the folder", async () => {
    const variable = {
      name: "../secret",
      dtype: "float32",
      shape: [1],
      persistable: true,
    } as const;
    const files = {
      read: () => Promise.reject(new Error("it was read")),
      pathOf: (name: string) => name,
    };
    const found = await complaintOf(parseSeparate([variable], files));
    expect(found.message).toBe("a parameter's name leaves the folder");
  });
});
