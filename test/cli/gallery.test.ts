import { cpSync, mkdtempSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/pipeline/root.js";
import { shared, sharedData } from "../shared-data.js";
import { shitu } from "./shitu.js";

const cache = mkdtempSync(join(tmpdir(), "gallery-cache-"));
const card = [
  "--embedder",
  join(projectRoot, "configs/first-light/mobilenet-v2.yaml"),
  "--embedder-folder",
  shared("models/mobilenet"),
  "--cache",
  cache,
];

/** Bytes of all embeddings that were kept. */
function cachedBytes(): number {
  const files = readdirSync(cache, { recursive: true, withFileTypes: true });
  return files
    .filter((f) => f.isFile())
    .reduce((sum, f) => sum + statSync(join(f.parentPath, f.name)).size, 0);
}

describe.skipIf(!sharedData)("galleries and recognition on the drink photos", () => {
  const folder = mkdtempSync(join(tmpdir(), "drink-"));
  const list = join(folder, "list.txt");
  const images = shared("drink/gallery");
  const gallery = join(folder, "gallery");

  beforeAll(async () => {
    const lines = readFileSync(shared("drink/gallery/drink_label_all.txt"), "utf8")
      .split("\n")
      .slice(0, 40);
    writeFileSync(
      list,
      [...lines, "nowhere/0.jpg\tmissing one", "../../README.md\tclimbing out", ""].join("\n"),
    );
    writeFileSync(
      join(folder, "more.txt"),
      "10/0.jpg\ta label with spaces\n10/1.jpg\ta label with spaces\n",
    );
    const { code, stdout } = await shitu([
      "gallery",
      "build",
      ...card,
      "--list",
      list,
      "--images",
      images,
      "--out",
      gallery,
      "--index",
      "Flat",
      "--json",
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      added: 40,
      count: 40,
      factory: expect.stringContaining("Flat"),
      failures: [{ path: "nowhere/0.jpg" }, { path: "../../README.md" }],
    });
  }, 120_000);

  it("embeds nothing twice: what an earlier build finished is kept", async () => {
    const before = cachedBytes();
    expect(before).toBeGreaterThan(40 * 1280 * 4);
    const again = join(folder, "again");
    const built = await shitu([
      ...["gallery", "build", ...card, "--list", list, "--images", images, "--out", again],
      ...["--index", "Flat", "--json"],
    ]);
    expect([built.code, JSON.parse(built.stdout)]).toMatchObject([0, { added: 40 }]);
    expect(cachedBytes()).toBe(before);
    const vectors = (of: string): Buffer =>
      readFileSync(
        join(
          of,
          readdirSync(of).find((f) => f.includes("index"))!,
        ),
      );
    expect(vectors(again).equals(vectors(gallery))).toBe(true);
  }, 60_000);

  it("appends by the gallery's own model, where none is named", async () => {
    const copy = join(folder, "appended");
    cpSync(gallery, copy, { recursive: true });
    const { code, stdout, stderr } = await shitu([
      ...["gallery", "append", "--gallery", copy, "--list", join(folder, "more.txt")],
      ...["--images", images, "--cache", cache, "--json"],
    ]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout)).toMatchObject({ added: 2, count: 42 });
  }, 60_000);

  it.each(["SQ8", "IVF4,PQ8", "HNSW16,SQ8", "PCA16,Flat"])(
    "refuses %s before anything is embedded: it could not be opened again",
    async (index) => {
      const { code, stderr } = await shitu([
        ...["gallery", "build", ...card, "--list", list, "--images", images],
        ...["--out", join(folder, "unreadable"), "--index", index, "--json"],
      ]);
      expect(code).toBe(2);
      expect(stderr).toContain("index-factory");
      expect(readdirSync(folder)).not.toContain("unreadable");
    },
  );

  it("tells what it holds", async () => {
    const { stdout } = await shitu(["gallery", "info", "--gallery", gallery, "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      count: 40,
      kind: "real",
      dim: 1280,
      model: { id: "mobilenet-v2-imagenet" },
    });
  });

  it("finds a gallery picture again, names unreadable ones, draws", async () => {
    const picture = join(images, "0/0.jpg");
    const { code, stdout, stderr } = await shitu([
      "recognize",
      picture,
      list,
      "--gallery",
      gallery,
      "--draw",
      join(folder, "drawn"),
      "--json",
    ]);
    expect(code).toBe(2); // one picture was none
    const [row, bad] = JSON.parse(stdout) as {
      recognitions: { label: string; score: number; fate: string }[];
    }[];
    expect(row!.recognitions[0]).toMatchObject({ label: "脉动", fate: "kept" });
    expect(row!.recognitions[0]!.score).toBeGreaterThan(0.9999);
    expect(bad).toMatchObject({ error: { code: "image-unreadable" } });
    expect(stderr).toMatch(/only the whole image/);
    expect(readdirSync(join(folder, "drawn"))).toHaveLength(1);
    const people = await shitu(["recognize", picture, "--gallery", gallery]);
    expect(people.code).toBe(0);
    expect(people.stdout).toContain("脉动");
  });

  it("runs detector, embedder and search together", async () => {
    const { code, stdout } = await shitu([
      "recognize",
      shared("drink/test_images/001.jpeg"),
      "--gallery",
      gallery,
      "--detector",
      "configs/first-light/picodet-xs.yaml",
      "--detector-folder",
      shared("models/picodet"),
      "--score-threshold",
      "0",
      "--json",
    ]);
    expect(code).toBe(0);
    const [row] = JSON.parse(stdout) as {
      detections: unknown[];
      recognitions: { fate: string }[];
      stageMs: Record<string, number>;
    }[];
    expect(row!.detections.length).toBeGreaterThan(0);
    expect(row!.recognitions).toHaveLength(row!.detections.length + 1);
    expect(Object.keys(row!.stageMs).sort()).toEqual([
      "decode",
      "detect",
      "embed",
      "preprocess",
      "search",
      "suppress",
    ]);
  });

  it(
    "looks up given boxes in place of detected ones, in the form that eval f1 takes as " +
      "--oracle",
    async () => {
      const picture = shared("drink/test_images/001.jpeg");
      const truth = join(folder, "truth.json");
      writeFileSync(
        truth,
        JSON.stringify({
          images: [
            {
              image: "001.jpeg",
              objects: [
                { label: "脉动", box: [10.5, 20, 200, 300] },
                { label: null, box: [0, 0, 50, 60] },
              ],
            },
          ],
        }),
      );
      const { code, stdout } = await shitu([
        "recognize",
        picture,
        "--gallery",
        gallery,
        "--boxes",
        truth,
        "--score-threshold",
        "0",
        "--json",
      ]);
      expect(code).toBe(0);
      const observed = JSON.parse(stdout) as { image: string; recognitions: { box: object }[] }[];
      expect(observed[0]!.recognitions.map((r) => r.box)).toEqual([
        { x0: 10, y0: 20, x1: 200, y1: 300 },
        { x0: 0, y0: 0, x1: 50, y1: 60 },
      ]);
      writeFileSync(join(folder, "seen.json"), stdout);
      const scored = await shitu([
        "eval",
        "f1",
        "--truth",
        truth,
        "--observations",
        join(folder, "seen.json"),
        "--oracle",
        join(folder, "seen.json"),
        "--by-file-name",
        "--exact-index",
        "--threshold",
        "0",
        "--json",
      ]);
      expect(scored.code).toBe(0);
      const { waterfall } = JSON.parse(scored.stdout) as {
        waterfall: { counterfactuals: { name: string; recall: { n: number } }[] };
      };
      expect(waterfall.counterfactuals.find((c) => c.name === "oracle boxes")!.recall.n).toBe(1);
      const refused = await shitu([
        "recognize",
        join(images, "0/0.jpg"),
        "--gallery",
        gallery,
        "--boxes",
        truth,
      ]);
      expect(refused.code).toBe(2);
      expect(`${refused.stdout}${refused.stderr}`).toContain(
        "the truth file does not list this picture",
      );
    },
  );

  it("appends, removes, and refuses what HNSW cannot", async () => {
    const appended = await shitu([
      "gallery",
      "append",
      "--gallery",
      gallery,
      ...card,
      "--list",
      join(folder, "more.txt"),
      "--images",
      images,
      "--json",
    ]);
    expect(JSON.parse(appended.stdout)).toMatchObject({ added: 2, count: 42 });
    const removed = await shitu([
      "gallery",
      "remove",
      "--gallery",
      gallery,
      "--label",
      "a label with spaces",
      "nobody",
      "--json",
    ]);
    expect(JSON.parse(removed.stdout)).toMatchObject({ removed: 2, count: 40 });
    expect(removed.stderr).toMatch(/no entry with the label nobody/);
    const graph = join(folder, "graph");
    await shitu([
      "gallery",
      "build",
      ...card,
      "--list",
      list,
      "--images",
      images,
      "--out",
      graph,
      "--index",
      "HNSW32",
    ]);
    const refused = await shitu(["gallery", "remove", "--gallery", graph, "--label", "脉动"]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/HNSW/);
  }, 120_000);

  it("refuses a gallery that another model built", async () => {
    const { code, stderr } = await shitu([
      "gallery",
      "append",
      "--gallery",
      gallery,
      "--card",
      await otherCard(folder),
      "--model-folder",
      shared("models/mobilenet"),
      "--list",
      join(folder, "more.txt"),
      "--images",
      images,
    ]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/built by another model/);
  });
});

/** The quantised export of the same network: other weights, so another model. */
async function otherCard(folder: string): Promise<string> {
  const { createHash } = await import("node:crypto");
  const file = "mobilenet_v2_1.0_224_imagenet_qdq_u8.onnx";
  const text = readFileSync(join(projectRoot, "configs/first-light/mobilenet-v2.yaml"), "utf8")
    .replace(/^file: .*/m, `file: ${file}`)
    .replace(
      /^sha256: .*/m,
      `sha256: ${createHash("sha256")
        .update(readFileSync(shared("models/mobilenet", file)))
        .digest("hex")}`,
    );
  const path = join(folder, "other.yaml");
  writeFileSync(path, text);
  return path;
}
