import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readTar } from "../../src/import/paddle/tar.js";
import { UserError } from "../../src/pipeline/errors.js";
import { projectRoot } from "../../src/pipeline/root.js";
import { uniform } from "../../src/pipeline/seeded-random.js";
import { complaintOf } from "../complaint.js";
import { importFolder } from "./run-imported.js";
import { tarOf } from "./tar-writer.js";

const golden = (format: string, name: string): Uint8Array =>
  readFileSync(join(projectRoot, "test", "golden", "paddle", "blocks", format, name));

const old = {
  "inference.pdmodel": golden("old", "inference.pdmodel"),
  "inference.pdiparams": golden("old", "inference.pdiparams"),
};
const pir = {
  "inference.json": golden("pir", "inference.json"),
  "inference.pdiparams": golden("pir", "inference.pdiparams"),
};

type Files = Readonly<Record<string, Uint8Array | string>>;

let root = "";
let count = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "shitu-import-"));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

function folderOf(files: Files): string {
  const folder = join(root, String(count++));
  mkdirSync(folder);
  for (const [name, contents] of Object.entries(files)) writeFileSync(join(folder, name), contents);
  return folder;
}

const complaint = async (files: Files) => await complaintOf(importFolder(folderOf(files)));

describe("Paddle folders that cannot be imported", () => {
  it("a training checkpoint: says how to export", async () => {
    const found = await complaint({ "model.pdparams": "x", "model.pdopt": "x" });
    expect(found.code).toBe("paddle-missing");
    expect(found.message).toContain("training checkpoint");
    expect(found.fix).toContain("export_model.py");
  });

  it("an encrypted model, an empty folder, several graphs", async () => {
    const encrypted = await complaint({ "__model__.encrypted": "x", "__params__.encrypted": "x" });
    expect(encrypted.message).toContain("encrypted");
    expect((await complaint({})).found).toBe("no files");
    const several = await complaint({ "a.pdmodel": "x", "b.pdmodel": "x" });
    expect(several.found).toBe("a.pdmodel, b.pdmodel");
  });

  it("parameters that are missing, cut short, too long, or another model's", async () => {
    const { "inference.pdmodel": graph, "inference.pdiparams": parameters } = old;
    const missing = await complaint({ "inference.pdmodel": graph });
    expect(missing).toMatchObject({
      code: "paddle-missing",
      message: "the parameters are missing",
    });
    const cut = await complaint({ ...old, "inference.pdiparams": parameters.subarray(0, 900) });
    expect(cut.code).toBe("parameters-unreadable");
    expect(cut.message).toMatch(/ends inside parameter \S+/);
    const long = await complaint({
      ...old,
      "inference.pdiparams": Buffer.concat([parameters, parameters]),
    });
    expect(long.message).toContain("more than this model's parameters");
    const others = join(projectRoot, "test", "golden", "paddle", "deformed", "old");
    const other = readFileSync(join(others, "inference.pdiparams"));
    const mixed = await complaint({ ...old, "inference.pdiparams": other });
    expect(mixed.message).toContain("another model's");
  });

  it("a PIR program of an unknown version, JSON of something else", async () => {
    const text = Buffer.from(pir["inference.json"]).toString("utf8");
    const newer = text.replace('"version":4', '"version":99');
    expect(newer).not.toBe(text);
    const version = await complaint({ ...pir, "inference.json": newer });
    expect(version).toMatchObject({ code: "paddle-version", found: "99" });
    expect((await complaint({ ...pir, "inference.json": '{"a": 1}' })).found).toContain("no PIR");
    expect((await complaint({ ...pir, "inference.json": '{"a": ' })).found).toContain("no JSON");
  });

  it("an operator that is not in the table: its name and place", async () => {
    const text = Buffer.from(pir["inference.json"]).toString("utf8");
    const strange = text.replaceAll('"1.hardswish"', '"1.strangeswish"');
    const found = await complaint({ ...pir, "inference.json": strange });
    expect(found).toMatchObject({ code: "paddle-operator" });
    expect(found.message).toContain("strangeswish");
    expect(found.path).toMatch(/operation \d+ of block 0: strangeswish/);
  });

  it("a link that leaves the folder is not followed", async () => {
    const outside = folderOf(old);
    const folder = folderOf({ "inference.pdmodel": old["inference.pdmodel"] });
    symlinkSync(join(outside, "inference.pdiparams"), join(folder, "inference.pdiparams"));
    const found = await complaintOf(importFolder(folder));
    expect(found.code).toBe("link-outside");
  });
});

describe("archives", () => {
  it("a tar as published is read where it is, also gzipped", async () => {
    const members = Object.entries(old).map(([name, bytes]) => ({ name: `model/${name}`, bytes }));
    const litter = { name: "model/._inference.pdmodel", bytes: new Uint8Array(3) };
    const tar = tarOf([...members, litter]);
    for (const [name, bytes] of [
      ["m.tar", tar],
      ["m.tar.gz", gzipSync(tar)],
    ] as const) {
      const file = join(folderOf({ [name]: bytes }), name);
      expect((await importFolder(file)).report.parameters.tensors).toBeGreaterThan(10);
    }
  });

  it.each([
    ["a path that leaves it", { name: "../inference.pdmodel", bytes: new Uint8Array(4) }],
    ["an absolute path", { name: "/inference.pdmodel", bytes: new Uint8Array(4) }],
    ["a link", { name: "inference.pdmodel", bytes: new Uint8Array(0), type: "2" }],
    ["a device", { name: "inference.pdmodel", bytes: new Uint8Array(0), type: "3" }],
  ])("%s is refused", async (_, member) => {
    const found = await complaintOf(() => readTar(tarOf([member]), "a.tar"));
    expect(found.code).toBe("archive-unsafe");
  });

  it("a gzip bomb is refused before it has inflated", async () => {
    const bomb = gzipSync(Buffer.alloc(80 << 20));
    expect(bomb.length).toBeLessThan(100_000);
    const found = await complaintOf(() => readTar(bomb, "bomb.tar.gz"));
    expect(found).toMatchObject({ code: "archive-unsafe" });
    expect(`${found.message} ${found.found ?? ""}`).toMatch(/over 67108864 bytes when inflated/);
  });

  it("one that is cut short, or is no tar", async () => {
    const tar = tarOf([{ name: "a", bytes: new Uint8Array(2000) }]);
    expect((await complaintOf(() => readTar(tar.subarray(0, 1500), "a"))).code).toBe(
      "archive-unreadable",
    );
    const noise = Uint8Array.from({ length: 2048 }, (_, i) => i % 251);
    expect((await complaintOf(() => readTar(noise, "a"))).code).toBe("archive-unreadable");
  });
});

describe("300 mutated folders", () => {
  /** Bytes changed, cut out, or doubled, at places that the seed picks. */
  function mutated(bytes: Uint8Array, next: () => number): Uint8Array {
    const changed = Uint8Array.from(bytes);
    const at = Math.floor(next() * changed.length);
    const kind = Math.floor(next() * 4);
    if (kind === 0) return changed.subarray(0, at);
    if (kind === 1) return Buffer.concat([changed.subarray(0, at), changed.subarray(at + 7)]);
    for (let n = kind === 2 ? 1 : 12; n > 0; n--) {
      changed[Math.floor(next() * changed.length)] = Math.floor(next() * 256);
    }
    return changed;
  }

  it.each([
    ["old", old],
    ["pir", pir],
  ] as const)(
    "%s: imported, or refused by name",
    async (_, files) => {
      const next = uniform(11);
      const names = Object.keys(files);
      let refused = 0;
      for (let i = 0; i < 150; i++) {
        const name = names[Math.floor(next() * names.length)]!;
        const changed = { ...files, [name]: mutated((files as Files)[name] as Uint8Array, next) };
        const folder = folderOf(changed);
        try {
          await importFolder(folder);
        } catch (error) {
          expect(error, `${name} of mutation ${i}: ${String(error)}`).toBeInstanceOf(UserError);
          refused++;
        }
        rmSync(folder, { recursive: true });
      }
      expect(refused).toBeGreaterThan(20);
    },
    240_000,
  );
});
