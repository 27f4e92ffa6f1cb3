import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { selected } from "../../src/cli/gallery-duplicates.js";
import { main } from "../../src/cli/main.js";
import { readGallery } from "../../src/pipeline/gallery/gallery-store.js";
import { baselines, makeTiny, type Tiny } from "../eval/tiny-benchmark.js";

let tiny: Tiny;
let folder = "";
beforeAll(async () => {
  tiny = await makeTiny({ pictures: 12 });
  folder = mkdtempSync(join(tmpdir(), "append-"));
});
afterAll(() => {
  for (const made of [tiny.folder, folder]) rmSync(made, { recursive: true });
});
let said = "";
let printed = "";
beforeEach(() => {
  said = printed = "";
  vi.spyOn(process.stderr, "write").mockImplementation((text) => Boolean((said += String(text))));
  vi.spyOn(process.stdout, "write").mockImplementation((text) =>
    Boolean((printed += String(text))),
  );
});
afterEach(() => {
  vi.restoreAllMocks();
});

const model = ["--card", join(baselines, "pixels-32.yaml"), "--json"];

async function gallery(verb: string, at: string, lines: string[], ...more: string[]) {
  const list = join(folder, "list.txt");
  writeFileSync(list, lines.map((line) => `${line}\n`).join(""));
  printed = "";
  const place = verb === "build" ? ["--out", at, "--index", "Flat"] : ["--gallery", at];
  const pictures = ["--list", list, "--images", tiny.folder];
  const code = await main(["gallery", verb, ...place, ...model, ...pictures, ...more]);
  return { code, ...(printed && (JSON.parse(printed) as Record<string, unknown>)) };
}

const picture = (i: number, label = "a"): string => `images/${i}.png\t${label}`;

describe("gallery append", { timeout: 60_000 }, () => {
  it("leaves out what the gallery holds, by content, and says so", async () => {
    const at = join(folder, "known");
    await gallery("build", at, [picture(0), picture(1)]);
    copyFileSync(join(tiny.folder, "images/1.png"), join(tiny.folder, "images/copy.png"));
    const lines = [picture(0), "images/copy.png\ta", picture(2), picture(0, "b")];
    expect(await gallery("append", at, lines)).toMatchObject({ added: 2, known: 2, count: 4 });
    expect(said).toMatch(/2 pictures are in the gallery already.*--replace or --again/);
    expect(await gallery("append", at, lines)).toMatchObject({ added: 0, known: 4, count: 4 });
    const { rows } = await readGallery(at);
    expect(rows.map((r) => `${r.path} ${r.label}`)).toEqual([
      "images/0.png a",
      "images/1.png a",
      "images/2.png a",
      "images/0.png b",
    ]);
    expect(new Set(rows.map((r) => r.content)).size).toBe(3);
  });

  it("adds it once more with --again, and puts it in its place with --replace", async () => {
    const at = join(folder, "again");
    await gallery("build", at, [picture(0), picture(1)]);
    expect(await gallery("append", at, [picture(0)], "--again")).toMatchObject({ count: 3 });
    const replaced = await gallery("append", at, [picture(0), picture(2)], "--replace");
    expect(replaced).toMatchObject({ added: 2, replaced: 2, count: 3 });
  });

  it("refuses another model's vectors before any picture is embedded", async () => {
    const at = join(folder, "other");
    await gallery("build", at, [picture(0)]);
    const other = ["--card", join(baselines, "colour-histogram.yaml")];
    expect(await gallery("append", at, ["images/none.png\ta"], ...other)).toEqual({ code: 2 });
    expect(said).toMatch(/built by another model/);
  });
});

describe("entries that are selected", () => {
  const entries = ["a", "b", "c"].map((path) => ({ path, label: "x" }));
  const chosen = ({ path }: { path: string }): boolean => path !== "a";

  it("keep their own vectors", () => {
    const rows = { data: Float32Array.of(1, 2, 3, 4, 5, 6), dim: 2 };
    expect(selected({ rows, entries }, chosen)).toEqual({
      rows: { data: Float32Array.of(3, 4, 5, 6), dim: 2 },
      entries: entries.slice(1),
    });
  });

  it("keep their own codes", () => {
    const rows = { data: Uint8Array.of(1, 2, 3, 4, 5, 6), bits: 16 };
    expect(selected({ rows, entries }, chosen).rows.data).toEqual(Uint8Array.of(3, 4, 5, 6));
  });
});
