import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readImageFolder } from "../../../datasets/formats/image-folder.js";
import { chooseTask } from "../../../src/cli/choose-options.js";
import { readChoiceData, type ChoiceSource } from "../../../src/eval/choose/data/read-data.js";
import { loadChoiceConfig } from "../../../src/eval/config/choice-config.js";
import { defaultIntervals } from "../../../src/eval/stats/interval-plan.js";
import { openEmbedder } from "../../../src/pipeline/embedding/embedder.js";
import { projectRoot } from "../../../src/pipeline/root.js";
import { rowCount } from "../../../src/pipeline/types.js";
import { complaintOf } from "../../complaint.js";

const card = join(projectRoot, "models/baselines/colour-histogram.yaml");
const classes = 6;
const each = 10;
let home: string;
const at = (...names: string[]): string => join(home, ...names);

/** Pictures, no two alike, in a folder a class, with a list and a manifest. */
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "choose-sources-"));
  const lines: string[] = [];
  for (let c = 0; c < classes; c++) {
    await mkdir(at("photos", `class-${c}`), { recursive: true });
    for (let i = 0; i < each; i++) {
      const rgb = [40 * c, 255 - 40 * c, 25 * i];
      const pixels = Uint8Array.from({ length: 16 * 16 * 3 }, (_, p) =>
        Math.floor(p / 3) % each <= i ? rgb[p % 3]! : 128,
      );
      const path = `class-${c}/${i}.png`;
      await sharp(pixels, { raw: { width: 16, height: 16, channels: 3 } }).toFile(
        at("photos", path),
      );
      lines.push(`${path}\tclass-${c}`);
    }
  }
  await writeFile(at("photos", "class-0", "notes.txt"), "no picture");
  await writeFile(at("photos", "list.txt"), lines.join("\n"));
  await writeFile(at("broken.txt"), [...lines, "class-0/gone.png\tclass-0"].join("\n"));
  await writeFile(
    at("manifest.yaml"),
    "schema: 1\ntask: recognition\nname: colours\ntitle: t\nversion: 1\nlicence: none\n" +
      "origin: drawn\nimages: photos\nevaluation: leave-one-out\n" +
      "gallery: { list: photos/list.txt }\n",
  );
}, 60_000);
afterAll(() => rm(home, { recursive: true, force: true }));

const read = (source: ChoiceSource) =>
  readChoiceData(source, {
    normalize: false,
    seed: "s",
    work: {
      cacheRoot: at("cache"),
      progress: () => undefined,
      signal: new AbortController().signal,
    },
  });

const usual = { record: true, recall: "0.9" };

describe("pictures with a card", () => {
  it("are embedded from a folder a class, and from a list, alike", async () => {
    const folder = await read({ kind: "pictures", pictures: { gallery: at("photos"), card } });
    const list = await read({
      kind: "pictures",
      pictures: { gallery: at("photos", "list.txt"), card },
    });
    expect(rowCount(folder.data.gallery.rows)).toBe(48);
    expect(folder.data.heldOut).toBe(true);
    expect(folder.data.gallery.labels![0]!.label).toMatch(/^class-\d$/);
    expect(list.data.version).toBe(folder.data.version);
    expect(list.data.gallery).toEqual(folder.data.gallery);
  });

  it("that cannot be read are counted and named; where none can, that is told", async () => {
    const some = { gallery: at("broken.txt"), images: at("photos"), card };
    const { warnings } = await read({ kind: "pictures", pictures: some });
    const left = warnings.find((w) => w.code === "pictures-left-out")!;
    expect(left.message).toMatch(/^1 of 61 pictures left out: .*\(class-0\/gone\.png\)$/);
    const none = { gallery: at("photos", "list.txt"), images: at("nowhere"), card };
    const complaint = await complaintOf(read({ kind: "pictures", pictures: none }));
    expect(complaint).toMatchObject({ code: "gallery-empty" });
    expect(complaint.found).toMatch(/^60 left out/);
  });

  it("are looked for below each class, in the order of names", async () => {
    const rows = await readImageFolder(at("photos"));
    expect(rows).toHaveLength(classes * each);
    expect(rows[0]).toEqual({ path: "class-0/0.png", label: "class-0", line: 1 });
    await mkdir(at("empty", "class"), { recursive: true });
    expect(await complaintOf(readImageFolder(at("empty")))).toMatchObject({ code: "image-folder" });
    expect(await complaintOf(readImageFolder(at("none")))).toMatchObject({
      code: "file-unreadable",
    });
  });
});

describe("a record", () => {
  const cell = (version: string) => ({
    id: "retrieval-1",
    kind: "retrieval",
    labels: { model: "colour-histogram", dataset: "colours", codes: "real", index: "Flat" },
    versions: { model: version },
    state: "completed",
    scores: [],
    errors: [],
    notes: [],
  });

  async function recordOf(name: string, cells: readonly object[]): Promise<string> {
    const config = {
      schema: 1,
      name: "r",
      title: "r",
      version: 1,
      protocol: "standard",
      measure: [
        {
          kind: "retrieval",
          models: [card],
          datasets: [at("manifest.yaml")],
          indexes: [{ factory: "Flat" }],
        },
      ],
    };
    const intervals = { ...defaultIntervals };
    const head = { name: "r", title: "r", version: 1, protocol: "standard", config };
    const machine = { tool: "t", commit: null, machine: {}, versions: {} };
    const record = {
      schema: 2,
      id: "r",
      state: "completed",
      experiment: { ...head, configHash: "0", intervals },
      provenance: { startedAt: "2026-01-01", finishedAt: "2026-01-01", ...machine },
      cells,
    };
    await mkdir(at(name));
    await writeFile(at(name, "run.json"), JSON.stringify(record));
    return at(name);
  }

  it("gives the vectors that its retrieval embedded", async () => {
    const embedder = await openEmbedder(card);
    const { version } = embedder;
    await embedder.close();
    const folder = await recordOf("whole", [cell(version)]);
    const { source } = await chooseTask({ ...usual, gallery: folder }, undefined);
    const { data } = await read(source);
    expect(data.name).toBe("colour-histogram on colours");
    const direct = await read({ kind: "pictures", pictures: { gallery: at("photos"), card } });
    expect(data.gallery).toEqual(direct.data.gallery);
    const odd = await complaintOf(read({ kind: "record", folder, cell: "retrieval-2" }));
    expect(odd).toMatchObject({ code: "record-vectors", expected: "retrieval-1" });
  });

  it("is refused where the model is another by now, or nothing was embedded", async () => {
    const changed = await recordOf("changed", [cell("another")]);
    const complaint = await complaintOf(read({ kind: "record", folder: changed }));
    expect(complaint).toMatchObject({ code: "model-changed", file: card });
    const empty = await recordOf("empty-record", []);
    expect(await complaintOf(read({ kind: "record", folder: empty }))).toMatchObject({
      code: "record-vectors",
      found: "no cell",
    });
  });
});

describe("configs of choices", () => {
  it("in configs/choose are read, but for the data that the paper's wait for", async () => {
    const names = await readdir(join(projectRoot, "configs", "choose"));
    expect(names).toHaveLength(7);
    for (const name of names) {
      const set = ["settings.models=/m", "settings.data=/d"];
      const config = await loadChoiceConfig(join(projectRoot, "configs", "choose", name), set);
      expect(config.name).toBe(`choose-${name.replace(".yaml", "")}`);
    }
    const waits = join(projectRoot, "configs/choose/aliproduct.yaml");
    expect(await complaintOf(loadChoiceConfig(waits))).toMatchObject({
      code: "setting-missing",
      path: "settings.models",
    });
  });

  it("give options, which those of the command line go before", async () => {
    await cp(join(projectRoot, "configs/choose/table7-scale.yaml"), at("drawn.yaml"));
    const { options, source } = await chooseTask({ record: true, budget: "5s" }, at("drawn.yaml"));
    expect(options).toMatchObject({ recall: "0.95", budget: "5s" });
    expect(source).toMatchObject({ kind: "drawn", spec: { rows: 145_235, dim: 512 } });
    await writeFile(
      at("data-set.yaml"),
      `schema: 1\nname: n\ntitle: t\ncard: ${card}\ndataset: manifest.yaml\n` +
        "limits: { recall: 0.9 }\n",
    );
    const task = await chooseTask({ record: true }, at("data-set.yaml"));
    const { data } = await read(task.source);
    expect(rowCount(data.gallery.rows)).toBe(48);
  });

  it("without a source, or with two, are refused", async () => {
    const head = "schema: 1\nname: n\ntitle: t\nlimits: {}\n";
    await writeFile(at("none.yaml"), head);
    await writeFile(at("two.yaml"), `${head}gallery: g.npy\ndataset: d.yaml\n`);
    await writeFile(at("no-card.yaml"), `${head}dataset: d.yaml\n`);
    for (const name of ["none", "two", "no-card"]) {
      expect(await complaintOf(loadChoiceConfig(at(`${name}.yaml`)))).toMatchObject({
        code: "choice-source",
      });
    }
    expect(await complaintOf(chooseTask(usual, undefined))).toMatchObject({
      code: "choice-source",
    });
    expect(await complaintOf(chooseTask({ ...usual, set: ["a=b"] }, undefined))).toMatchObject({
      code: "bad-set",
    });
  });
});
