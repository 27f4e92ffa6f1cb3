import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunRecord } from "../../../src/eval/record/record.js";
import { projectRoot } from "../../../src/pipeline/root.js";
import { shared, sharedData } from "../../shared-data.js";

/**
 * The README's way for a user's own model and data, followed to the letter: a drafted card, its
 * manifest, its experiment.
 */

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "own-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const shitu = (...args: string[]): ReturnType<typeof spawnSync> =>
  spawnSync(process.execPath, [join(projectRoot, "bin", "shitu.mjs"), ...args], {
    cwd: folder,
    encoding: "utf8",
  });

/** The YAML blocks of the README's part on one's own model. */
function readmeYaml(): [string, string] {
  const readme = readFileSync(join(projectRoot, "README.md"), "utf8");
  const part = readme.slice(readme.indexOf("Your own model and data"), readme.indexOf("## Gate"));
  return [...part.matchAll(/```yaml\n([^`]*)```/g)].map((m) => m[1]!) as [string, string];
}

describe.skipIf(!sharedData)("a model and a data set of one's own", { timeout: 120_000 }, () => {
  it("need a card and a manifest as the README has them, and no code", () => {
    copyFileSync(
      shared("models", "mobilenet", "mobilenet_v2_1.0_224_imagenet_fp32.onnx"),
      join(folder, "model.onnx"),
    );
    // Ten bottles of the real list, in its own format, and the file that it names although it does
    // not exist.
    const rows = readFileSync(shared("drink", "gallery", "drink_label.txt"), "utf8")
      .split("\n")
      .filter((line) => /^([0-9]|213)\//.test(line));
    mkdirSync(join(folder, "gallery"));
    for (const path of rows.map((line) => line.split("\t")[0]!)) {
      mkdirSync(dirname(join(folder, "gallery", path)), { recursive: true });
      if (existsSync(shared("drink", "gallery", path)))
        copyFileSync(shared("drink", "gallery", path), join(folder, "gallery", path));
    }
    writeFileSync(join(folder, "gallery", "drink_label.txt"), `${rows.join("\n")}\n`);

    expect(shitu("inspect", "model.onnx", "--write-card", "card.yaml")).toMatchObject({
      status: 0,
    });
    const [manifest, experiment] = readmeYaml();
    writeFileSync(join(folder, "bottles.yaml"), manifest);
    writeFileSync(join(folder, "experiment.yaml"), experiment);
    const ran = shitu("run", "experiment.yaml", "--runs", "runs", "--cache", "cache");
    expect(ran.status, String(ran.stderr)).toBe(0);

    const [id] = readdirSync(join(folder, "runs")).filter((name) => !name.startsWith("."));
    const { cells } = JSON.parse(
      readFileSync(join(folder, "runs", id!, "run.json"), "utf8"),
    ) as RunRecord;
    expect(cells.map((c) => [c.labels.dataset, c.labels.index, c.state])).toEqual([
      ["my-bottles", "Flat", "completed"],
      ["my-bottles", "HNSW32", "completed"],
    ]);
    const [flat] = cells;
    if (flat?.state !== "completed") throw new Error("not measured");
    expect(flat.errors.map((e) => e.item)).toEqual(
      rows
        .map((line) => line.split("\t")[0]!)
        .filter((path) => !existsSync(shared("drink", "gallery", path))),
    );
    const recall = flat.scores.find((s) => s.metric === "recall@1")!;
    // A network that never saw a bottle tells ten of them apart far better than chance, and not
    // all.
    expect(recall.value).toBeGreaterThan(0.5);
    expect("n" in recall && recall.n).toBeGreaterThan(rows.length - 5);
  });
});
