import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { configJsonSchema, loadConfig, resolvePath } from "../../../src/eval/config/config.js";
import { projectRoot } from "../../../src/pipeline/root.js";

const minimal = `
schema: 1
name: toy
title: Toy
measure:
  - kind: detection
    models: [a.yaml]
    datasets: [d.yaml]
`;

function folder(files: Record<string, string>): string {
  const at = mkdtempSync(join(tmpdir(), "config-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(at, name), text);
  return at;
}

describe("experiment configs", () => {
  it("fills in defaults", async () => {
    const at = folder({ "a.yaml": minimal });
    const { config, folder: base } = await loadConfig(join(at, "a.yaml"));
    expect(base).toBe(at);
    expect(config).toMatchObject({
      protocol: "standard",
      version: 1,
      settings: {},
      measure: [{ kind: "detection", agnostic: true }],
    });
  });

  it("merges what it extends key by key, and replaces lists", async () => {
    const at = folder({
      "base.yaml": `${minimal}settings: { photos: a, other: b }\n`,
      "child.yaml":
        "extends: base.yaml\nname: child\nsettings: { photos: c }\nmeasure: [{ kind: " +
        "detection, models: [m.yaml], datasets: [x.yaml, y.yaml] }]\n",
    });
    const { config } = await loadConfig(join(at, "child.yaml"));
    expect(config).toMatchObject({
      name: "child",
      title: "Toy",
      settings: { photos: "c", other: "b" },
      measure: [{ datasets: ["x.yaml", "y.yaml"] }],
    });
  });

  it("refuses a circle of extends", async () => {
    const at = folder({ "a.yaml": "extends: b.yaml", "b.yaml": "extends: a.yaml" });
    await expect(loadConfig(join(at, "a.yaml"))).rejects.toThrow(/circle/);
  });

  it("takes --set assignments, into lists too; settings stay text", async () => {
    const at = folder({ "a.yaml": minimal });
    const { config } = await loadConfig(join(at, "a.yaml"), [
      "settings.photos=007",
      "measure.0.agnostic=false",
      "title=A=B",
    ]);
    expect(config).toMatchObject({
      settings: { photos: "007" },
      title: "A=B",
      measure: [{ agnostic: false }],
    });
    await expect(loadConfig(join(at, "a.yaml"), ["title.x.y=1"])).rejects.toThrow(/no such place/);
    await expect(loadConfig(join(at, "a.yaml"), ["nonsense"])).rejects.toThrow(/a.b=value/);
    await expect(loadConfig(join(at, "a.yaml"), ["__proto__.polluted=1"])).rejects.toThrow(
      /no such place/,
    );
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it.each([
    ["an unknown key", `${minimal}colour: red\n`, /a\.yaml: unknown key "colour"/],
    [
      "an unknown key inside",
      minimal.replace("datasets: [d.yaml]", "datasets: [d.yaml]\n    agnostik: true"),
      /measure\[0\]: unknown key "agnostik"/,
    ],
    [
      "a wrong type",
      minimal.replace("[d.yaml]", "d.yaml"),
      /measure\[0\]\.datasets.*found "d\.yaml"/,
    ],
    ["an unknown kind", minimal.replace("detection", "detektion"), /measure\[0\]\.kind/],
    ["a missing key", minimal.replace("title: Toy", ""), /title.*found nothing/],
    ["no YAML", "a: [", /a\.yaml: /],
    ["an empty file", "", /found an empty file/],
  ])("names file and place of %s", async (_, text, message) => {
    const at = folder({ "a.yaml": text });
    await expect(loadConfig(join(at, "a.yaml"))).rejects.toThrow(message);
  });

  it("says which file is missing", async () => {
    await expect(loadConfig("nowhere.yaml")).rejects.toThrow(/nowhere\.yaml: no such file/);
  });

  it("publishes a JSON Schema that is up to date: else run node configs/write-schema.mjs", () => {
    const published = JSON.parse(
      readFileSync(join(projectRoot, "configs", "schema.json"), "utf8"),
    ) as { properties: object };
    expect(published).toEqual(JSON.parse(JSON.stringify(configJsonSchema())));
    expect(Object.keys(published.properties)).toEqual(
      expect.arrayContaining(["extends", "measure", "expect", "table"]),
    );
  });
});

describe("paths in configs", () => {
  it("are relative to the config, settings to where the user stands", () => {
    expect(resolvePath("x/y", "/base", {}, "f")).toBe("/base/x/y");
    expect(resolvePath("/abs", "/base", {}, "f")).toBe("/abs");
    expect(resolvePath("${photos}/y", "/base", { photos: "/p" }, "f")).toBe("/p/y");
    expect(resolvePath("${photos}/y", "/base", { photos: "rel" }, "f")).toBe(
      join(process.cwd(), "rel/y"),
    );
  });

  it("name the setting that has no value, and how to give it", () => {
    expect(() => resolvePath("${photos}/y", "/base", { photos: null }, "f.yaml")).toThrow(
      /f\.yaml: settings\.photos.*--set settings\.photos=/,
    );
  });
});
