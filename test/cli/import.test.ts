import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { idMapPickle, parseIdMap } from "../../src/import/paddle/galleries/pickle.js";
import { projectRoot } from "../../src/pipeline/root.js";
import { shared, sharedData } from "../shared-data.js";
import { shitu } from "./shitu.js";

const golden = join(projectRoot, "test", "golden", "paddle");

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "shitu-import-"));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

describe("shitu import", () => {
  it("writes model, card and report; the card agrees with the model", async () => {
    const out = join(root, "blocks");
    const { code, stdout } = await shitu([
      "import",
      join(golden, "blocks", "pir"),
      "--out",
      out,
      "--json",
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ format: "PIR", opset: 17 });
    expect((await readdir(out)).sort()).toEqual(["card.yaml", "import.json", "model.onnx"]);
    const card = join(out, "card.yaml");
    expect(readFileSync(card, "utf8")).toContain("# not stated anywhere");
    const inspected = await shitu(["inspect", "--card", card, "--json"]);
    expect(inspected.code).toBe(0);
    expect(JSON.parse(inspected.stdout)).toMatchObject({ card: { agrees: true } });
  });

  it("writes nothing over what is there, and nothing where the model is refused", async () => {
    const again = await shitu(["import", join(golden, "blocks", "old"), "--out", root]);
    expect(again.code).toBe(2);
    const broken = join(root, "broken");
    await mkdir(broken);
    writeFileSync(join(broken, "model.pdparams"), "x");
    const out = join(root, "never");
    const { code, stderr } = await shitu(["import", broken, "--out", out]);
    expect(code).toBe(2);
    expect(stderr).toContain("training checkpoint");
    expect(existsSync(out)).toBe(false);
    expect((await readdir(root)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it("refuses options that make no sense", async () => {
    const place = join(golden, "blocks", "old");
    const bad = [
      ["--opset", "7"],
      ["--size", "640"],
      ["--form", "raw"],
      ["--form", "decoded"],
    ];
    for (const option of bad) {
      const { code, stderr } = await shitu(["import", place, "--out", join(root, "no"), ...option]);
      expect([option.join(" "), code]).toEqual([option.join(" "), 2]);
      expect(stderr).toContain(option[0]);
    }
  });
});

describe.skipIf(!sharedData)("galleries of PaddleClas", () => {
  it("the drink gallery comes in, is described, and goes out as it was", async () => {
    const model = join(root, "general");
    const graph = shared("models", "paddle", "general_PPLCNet_x2_5_lite_v1.0_infer");
    await shitu(["import", graph, "--out", model, "--draw-parameters", "1"]);
    const rows = JSON.parse(readFileSync(shared("drink", "v1", "rows.json"), "utf8")) as {
      row: number;
      path: string;
      label: string;
    }[];
    const lines = new Map(rows.map(({ row, path, label }) => [row, `${path}\t${label}`]));
    const foreign = join(root, "foreign");
    await mkdir(foreign);
    const index = readFileSync(shared("drink", "v1", "vector.index"));
    writeFileSync(join(foreign, "vector.index"), index);
    writeFileSync(join(foreign, "id_map.pkl"), idMapPickle(lines));
    const ours = join(root, "ours");
    const card = join(model, "card.yaml");
    const taken = await shitu([
      "gallery",
      "import",
      foreign,
      "--card",
      card,
      "--out",
      ours,
      "--json",
    ]);
    expect(taken.stderr).toBe("");
    expect(JSON.parse(taken.stdout)).toMatchObject({ format: "paddleclas", count: rows.length });
    const info = await shitu(["gallery", "info", "--gallery", ours, "--json"]);
    expect(JSON.parse(info.stdout)).toMatchObject({
      count: rows.length,
      dim: 512,
      engine: "faiss",
    });
    const back = join(root, "back");
    const out = ["gallery", "export", "--gallery", ours, "--format", "paddleclas", "--out", back];
    expect((await shitu(out)).code).toBe(0);
    expect(readFileSync(join(back, "vector.index")).equals(index)).toBe(true);
    expect(parseIdMap(readFileSync(join(back, "id_map.pkl")), "back")).toEqual(lines);
  }, 120_000);
});
