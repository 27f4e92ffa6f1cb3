import { mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeNpyRows } from "../../datasets/formats/npy.js";
import { pictureProblem } from "../../src/cli/picture-problem.js";
import { encodePng } from "../../src/pipeline/image/image.js";
import { shitu } from "./shitu.js";

let folder: string;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lint-"));
  mkdirSync(at("images"));
  const picture = await encodePng({ data: new Uint8Array(48).fill(90), width: 4, height: 4 });
  writeFileSync(at("images/a.png"), picture);
  writeFileSync(at("images/b.png"), picture.subarray(0, 40));
  writeFileSync(at("images/c.png"), "");
  writeFileSync(at("gallery.txt"), "a.png\t1\nb.png\t1\nc.png\t2\nd.png\t2\n");
  writeFileSync(at("query.txt"), "a.png\t1\n");
});
afterAll(() => rm(folder, { recursive: true }));

describe("shitu lint", () => {
  it("exits 1 on an error and says what to do", async () => {
    const { code, stdout } = await shitu([
      "lint",
      "--gallery-list",
      at("gallery.txt"),
      "--query-list",
      at("query.txt"),
      "--images",
      at("images"),
      "--decode",
    ]);
    expect(code).toBe(1);
    expect(stdout).toContain(
      "gallery: " + at("gallery.txt") + ": 4 pictures, 2 labels, 2 columns, separated by tabs",
    );
    expect(stdout).toMatch(/^error two-column-trap: /m);
    expect(stdout).toContain(
      "fix: leave the query out (--leave-one-out), or add a uid column to both lists",
    );
    expect(stdout).toMatch(/^warning image-unusable: .*3 of 4 pictures cannot be used/m);
    expect(stdout).toContain("line 3: c.png: an empty file");
    expect(stdout).toContain("line 4: d.png: no such file");
  });

  it("exits 0 where all is well, also as JSON", async () => {
    writeFileSync(at("clean.txt"), "a.png\t1\nx.png\t1\n");
    const { code, stdout } = await shitu(["lint", "--gallery-list", at("clean.txt"), "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      gallery: { file: at("clean.txt"), pictures: 2, labels: 1, columns: 2, delimiter: "tab" },
      query: null,
      train: null,
      findings: [],
    });
    expect((await shitu(["lint", "--gallery-list", at("clean.txt")])).stdout).toContain(
      "nothing to complain about",
    );
  });

  it("refuses --decode without an image root", async () => {
    const { code, stderr } = await shitu(["lint", "--gallery-list", at("gallery.txt"), "--decode"]);
    expect([code, stderr]).toEqual([
      2,
      "shitu: --decode needs to know where the pictures are (expected --images <folder>, " +
        "found no --images). Fix: give the image root\n",
    ]);
  });
});

describe("pictureProblem", () => {
  it("there, not there, empty, torn, outside the root", async () => {
    const problem = (path: string, decoded = false) =>
      pictureProblem(at("images"), path, { decoded });
    expect(await problem("a.png", true)).toBeNull();
    expect(await problem("b.png")).toBeNull();
    expect(await problem("b.png", true)).toEqual(expect.stringMatching(/./));
    expect(await problem("c.png")).toBe("an empty file");
    expect(await problem("nowhere/d.png")).toBe("no such file");
    expect(await problem("../gallery.txt")).toContain("leaves the image root");
  });

  it("says that a file's own outer spaces are why it is not found", async () => {
    writeFileSync(at("images/ e.png"), "x");
    expect(await pictureProblem(at("images"), "e.png", { decoded: false })).toBe(
      'no such file; " e.png" is there, and lists take outer spaces off',
    );
  });

  it("looks at the bits of codes that features would give", async () => {
    // Eight numbers, six of them never negative, as after a ReLU.
    const data = Float32Array.from({ length: 32 }, (_, i) => (i % 8 < 6 ? i : Math.cos(i * i)));
    await writeNpyRows(at("relu.npy"), { data, dim: 8 });
    const { stdout } = await shitu([
      ...["lint", "--gallery-list", at("gallery.txt"), "--gallery", at("relu.npy")],
    ]);
    expect(stdout).toMatch(/^warning code-bits: .*relu\.npy: 6 of 8 bits \(75%\) are the same/m);
  });
});
