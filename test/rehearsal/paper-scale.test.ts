import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { releases } from "../../datasets/releases/releases.js";
import { checkDataset, type CheckedPart } from "../../src/cli/dataset-check.js";
import { checkRelease, prepareRelease } from "../../src/cli/releases.js";
import { loadConfig } from "../../src/eval/config/config.js";
import { compareTable, type ComparedTable } from "../../src/eval/paper/paper-comparison.js";
import { summarize } from "../../src/eval/paper/paper-summary.js";
import { readPaper } from "../../src/eval/paper/paper-tables.js";
import { runExperiment } from "../../src/eval/run/runner.js";
import { decode } from "../../src/pipeline/image/image.js";
import { projectRoot } from "../../src/pipeline/root.js";
import { complaintOf } from "../complaint.js";
import { ReleaseTrees } from "./release-trees.js";
import { writeUnitNetworks } from "./unit-networks.js";

/**
 * The paper's tables at the paper's scale, rehearsed: every data set in the layout of its release,
 * every network by a small one. What is measured is nothing; that everything is, is the test.
 */

const temporary = (name: string): string => mkdtempSync(join(tmpdir(), `${name}-`));
const folder = temporary("rehearsal");
const [data, models, runs] = ["data", "models", "runs"].map((f) => join(folder, f)) as [
  string,
  string,
  string,
];
const paper = await readPaper(join(projectRoot, "configs", "paper", "tables.yaml"));

/** Of Table 9's timing as little as it can do with. */
const quick = [
  ...["samples=3", "warmup=1", "threads=2", "comparison.rounds=6", "coldStart.processes=2"],
  ...["offline.pictures=2", "offline.rounds=2", "server.queries=4", "server.mostRuns=1"],
  ...["server.percentile=0.5", "server.boundMs=60000"],
].map((setting) => `measure.0.${setting}`);

async function reproduced(n: number): Promise<ComparedTable> {
  const file = join(projectRoot, "configs", "paper", `table${n}.yaml`);
  const set = [`settings.models=${models}`, `settings.data=${data}`];
  const loaded = await loadConfig(file, n === 9 ? [...set, ...quick] : set);
  const { record } = await runExperiment(loaded, { runs, cache: join(folder, "cache") });
  const failed = record.cells.flatMap((c) => (c.state === "failed" ? [c.message] : []));
  expect(failed).toEqual([]);
  return compareTable(
    paper.tables.find((t) => t.table === n)!,
    [{ key: "r", record }],
  );
}

beforeAll(async () => {
  await ReleaseTrees.write(data);
  await writeUnitNetworks(models);
  for (const release of Object.values(releases)) await release.prepare(data, () => undefined);
}, 60_000);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("every line of the paper's tables is measured on releases as they are", () => {
  it.each([3, 4, 5, 6, 7, 8, 9])("Table %i", { timeout: 60_000 }, async (n) => {
    const table = await reproduced(n);
    const lines = table.cells.flat().filter((c) => c.verdict === "not run");
    // The index of Table 7's last columns is that of 145,235 vectors, which no picture gives here.
    expect(lines.map((c) => `${c.row}, ${c.column}`)).toEqual([]);
    const { measured, of } = summarize(table);
    expect([measured, of]).toEqual([of, of]);
    expect(of).toBeGreaterThan(5);
  });
});

function manifestsOf(name: string): string[] {
  const root = join(projectRoot, "datasets", name);
  const files = readdirSync(root).filter((f) => f.endsWith(".yaml"));
  return files.sort().map((f) => join(root, f));
}

const verdicts = (parts: readonly CheckedPart[]): Record<string, string> =>
  Object.fromEntries(parts.map((p) => [`${p.set} ${p.part}`, p.verdict]));

describe("releases are looked through", () => {
  const names = [
    ...["aliproduct", "coco2017", "gldv2", "icartoonface", "imagenet-1k", "inshop"],
    ...["logodet-3k", "objects365", "products-10k", "rpc", "shitu-test", "sop", "veri-wild"],
  ];

  it.each(names)("%s: all parts are there", async (name) => {
    const parts = await checkDataset(manifestsOf(name), data);
    expect(parts.filter((p) => p.verdict === "missing" || p.verdict === "incomplete")).toEqual([]);
    expect(parts.length).toBeGreaterThanOrEqual(3);
  });

  it("counts stand beside those of the paper's Tables 1 and 2", async () => {
    const parts = await checkDataset(manifestsOf("sop"), data);
    expect(parts.find((p) => p.part === "training pictures")).toMatchObject({
      verdict: "differs",
      found: "3",
      expected: "59551 (Table 2)",
    });
    const faces = await checkDataset(manifestsOf("icartoonface"), data);
    expect(faces.find((p) => p.part === "validation pictures")).toMatchObject({
      found: "3",
      expected: "2K (Table 1)",
    });
    expect(faces.find((p) => p.part === "training classes")).toMatchObject({ found: "2" });
  });

  it("names what is missing, what is there instead and what to do", async () => {
    const elsewhere = temporary("elsewhere");
    try {
      const parts = await checkDataset(manifestsOf("logodet-3k"), elsewhere);
      expect(verdicts(parts)).toMatchObject({
        "logodet-3k gallery": "missing",
        "logodet-3k-detection annotations": "missing",
      });
      expect(parts.find((p) => p.part === "gallery")!.fix).toMatch(
        /shitu datasets prepare logodet-3k/,
      );
      const sop = await checkDataset(manifestsOf("sop"), elsewhere);
      expect(sop[0]!.fix).toMatch(/datasets\/sop\/README\.md.*; .*elsewhere.* holds nothing/);
    } finally {
      rmSync(elsewhere, { recursive: true, force: true });
    }
  });

  it("counts pictures that are named and not there", async () => {
    const lost = join(data, "Inshop/Img/img/WOMEN/Dresses/id_00000001/01_1_front.jpg");
    expect(existsSync(lost)).toBe(true);
    rmSync(lost);
    const parts = await checkDataset(manifestsOf("inshop"), data);
    expect(parts.find((p) => p.part === "query pictures")).toMatchObject({
      verdict: "incomplete",
      found: expect.stringMatching(/2 pictures, 2 classes; 1 files are not there: img\/WOMEN/),
    });
  });
});

describe("crops of releases that have none", () => {
  const crops = join(data, "LogoDet-3K-crop");
  const lines = (file: string): string[] =>
    readFileSync(join(crops, file), "utf8").trim().split("\n");

  it("are every annotated box, of which each brand's every 49th picture is held out", async () => {
    expect(lines("LogoDet-3K+train.txt")).toHaveLength(196);
    expect(lines("LogoDet-3K+val.txt").map((l) => l.split("\t")[1])).toEqual(
      expect.arrayContaining(["Acme Foods", "Nonesuch"]),
    );
    const [path] = lines("LogoDet-3K+val.txt")[0]!.split("\t");
    // VOC's 6 to 40 and 8 to 44, both ends in.
    expect(await decode(join(crops, path!))).toMatchObject({ width: 35, height: 37 });
  });

  it("of faces: the first of each character is in the gallery, and nobody's", () => {
    const labels = (file: string): string[] =>
      readFileSync(join(data, "iCartoonFace", file), "utf8")
        .trim()
        .split("\n")
        .map((l) => l.split("\t")[1]!);
    expect(labels("query.txt")).toEqual(["0", "1", "2", "3"]);
    expect(labels("gallery.txt")).toEqual([
      ...["0", "1", "2", "3"],
      ...["nobody 9", "nobody 10", "nobody 11", "nobody 12"],
    ]);
  });

  it("cannot be made where no picture is there", async () => {
    const empty = temporary("empty");
    try {
      cpSync(join(data, "LogoDet-3K/Food/Acme Foods/1.xml"), join(empty, "LogoDet-3K/F/A/1.xml"));
      const made = releases["logodet-3k"]!.prepare(empty, () => undefined);
      expect(await complaintOf(made)).toMatchObject({ code: "release-empty" });
    } finally {
      rmSync(empty, { recursive: true, force: true });
    }
  });
});

describe("names that are not there", () => {
  it.each([
    [() => checkRelease("logodet3k", { data }), "logodet-3k is the nearest"],
    [() => prepareRelease("cartoonface", { data }), /^icartoonface is the nearest/],
    [() => prepareRelease("logodet-3k", {}), "give the folder that holds LogoDet-3K"],
  ])("are answered by the nearest right thing", async (work, fix) => {
    const complaint = await complaintOf(work);
    expect(complaint.fix).toMatch(fix);
    expect(complaint.expected).toBeTruthy();
  });
});
