import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeNpy } from "../../datasets/formats/npy.js";
import type { ChoiceAnswer } from "../../src/eval/choose/answer.js";
import { listRecords } from "../../src/eval/record/record.js";
import { Random } from "../../src/eval/stats/random.js";
import { shared, sharedData } from "../shared-data.js";
import { shitu } from "./shitu.js";

const dim = 16;
const rows = 400;
let folder: string;
const at = (name: string): string => join(folder, name);

/** Unit vectors around 20 centres, and the number of each one's centre. */
function clustered(): { data: Float32Array; labels: string[] } {
  const random = new Random("choose/clusters");
  const centres = Float32Array.from({ length: 20 * dim }, () => random.normal());
  const data = new Float32Array(rows * dim);
  const labels = Array.from({ length: rows }, (_, row) => {
    const centre = random.below(20);
    const own = data.subarray(row * dim, (row + 1) * dim);
    for (let i = 0; i < dim; i++) own[i] = centres[centre * dim + i]! + 0.6 * random.normal();
    const norm = Math.hypot(...own);
    for (let i = 0; i < dim; i++) own[i]! /= norm;
    return String(centre);
  });
  return { data, labels };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "shitu-choose-"));
  const { data, labels } = clustered();
  await writeNpy(at("gallery.npy"), data, [rows, dim]);
  await writeNpy(at("nan.npy"), data.slice().fill(NaN, 5 * dim, 5 * dim + 1), [rows, dim]);
  await writeNpy(at("zero.npy"), data.slice().fill(0, 5 * dim, 6 * dim), [rows, dim]);
  await writeNpy(at("equal.npy"), new Float32Array(rows * dim).fill(0.25), [rows, dim]);
  await writeNpy(at("few.npy"), data.slice(0, 20 * dim), [20, dim]);
  await writeNpy(at("narrow.npy"), data.slice(0, 10 * 8), [10, 8]);
  await writeFile(at("labels.txt"), labels.join("\n"));
  await writeFile(at("short.txt"), labels.slice(1).join("\n"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const run = (...args: string[]) =>
  shitu(["choose", ...args, "--cache", at("cache/observations"), "--runs", at("runs"), "--json"]);

describe("shitu choose", () => {
  it("picks an index within the limits, says why not the others, and how to build it", async () => {
    const files = ["--gallery", at("gallery.npy"), "--labels", at("labels.txt")];
    const { code, stdout, stderr } = await run(
      ...files,
      ...["--recall", "0.9", "--budget", "8s", "--grow-to", "700"],
    );
    expect(code, stderr).toBe(0);
    const answer = JSON.parse(stdout) as ChoiceAnswer;
    expect(answer.gallery).toMatchObject({ vectors: 320, dim, queries: 80, heldOut: true });
    const { pick, families, snippets } = answer;
    expect(pick?.standing).toBe("met");
    expect(pick?.figures.neighbourRecall?.value).toBeGreaterThanOrEqual(0.9);
    const met = answer.points.filter((p) => p.standing === "met");
    const fastest = Math.min(...met.map((p) => p.figures.p50Ms!.value!));
    expect(pick?.figures.p50Ms?.value).toBe(fastest);
    expect(families.filter((f) => f.because === "picked")).toHaveLength(1);
    const told = families.map((f) => f.family);
    for (const family of ["Flat", "IVF", "HNSW", "PQ", "binary Flat"])
      expect(told).toContain(family);
    expect(answer.beyond).toEqual({ sizes: [640, 700], why: null });
    const threads = pick!.throughput.map((t) => t.threads);
    expect(threads).toEqual([...new Set(threads)]);
    expect(threads[0]).toBe(1);
    expect(threads.at(-1)).toBe(answer.threads);
    expect(snippets?.yaml).toContain(`factory: "${pick!.factory}"`);
    const [entry] = await listRecords(at("runs"));
    if (entry === undefined || "problem" in entry) throw new Error("no record that can be read");
    const { cells } = entry.record;
    expect(cells).toHaveLength(answer.points.length);
    const own = cells.find((c) => c.labels.index === pick!.name);
    const recall =
      own?.state === "completed" && own.scores.find((s) => s.metric === "neighbour-recall@10");
    expect(recall).toMatchObject({ value: pick!.figures.neighbourRecall!.value, unit: "ratio" });
  }, 120_000);

  it("with limits that nothing keeps, exits 1 and names the nearest points", async () => {
    const limits = ["--recall", "0.99", "--memory", "1B"];
    const { code, stdout } = await run("--gallery", at("gallery.npy"), ...limits, "--budget", "4s");
    expect(code).toBe(1);
    const { pick, nearest } = JSON.parse(stdout) as ChoiceAnswer;
    expect(pick).toBeNull();
    expect(nearest[0]?.missed.map((m) => m.limit)).toContain("memoryBytes");
  }, 120_000);

  it("with a budget too small for one build measures the exact search, and says so", async () => {
    const { code, stdout } = await run(
      ...["--gallery", at("gallery.npy"), "--recall", "0.9", "--budget", "1ms", "--seed", "new"],
    );
    expect(code).toBe(0);
    const { pick, families } = JSON.parse(stdout) as ChoiceAnswer;
    expect(pick?.factory).toBe("Flat");
    const ivf = families.find((f) => f.family === "IVF");
    expect(ivf?.because).toBe("not-measured");
    expect(ivf?.why).toMatch(/^not measured: the budget leaves it 0\.0 s$/);
  }, 60_000);

  const wrong: readonly (readonly [string, () => string[], string])[] = [
    ["no limit on recall", () => ["--gallery", at("gallery.npy")], "no-recall-limit"],
    ["an unknown engine", () => [...usual(), "--engines", "annoy"], "unknown-engine"],
    ["a limit without sense", () => [...usual(), "--p99", "fast"], "bad-option"],
    [
      "a file that is not there",
      () => ["--gallery", at("no.npy"), "--recall", "0.9"],
      "file-unreadable",
    ],
    ["NaN", () => ["--gallery", at("nan.npy"), "--recall", "0.9"], "vector-not-finite"],
    ["equal vectors", () => ["--gallery", at("equal.npy"), "--recall", "0.9"], "all-equal"],
    ["too few vectors", () => ["--gallery", at("few.npy"), "--recall", "0.9"], "too-few-vectors"],
    [
      "a vector of zeros that is to be scaled",
      () => ["--gallery", at("zero.npy"), "--recall", "0.9", "--normalize"],
      "zero-vector",
    ],
    ["neither gallery nor config", () => ["--recall", "0.9"], "choice-source"],
    [
      "a folder without pictures to embed",
      () => ["--gallery", folder, "--recall", "0.9", "--card", at("card.yaml")],
      "image-folder",
    ],
    ["labels of another length", () => [...usual(), "--labels", at("short.txt")], "rows-mismatch"],
    ["queries of another width", () => [...usual(), "--queries", at("narrow.npy")], "features-dim"],
    [
      "another kind of file",
      () => ["--gallery", at("labels.txt"), "--recall", "0.9"],
      "features-format",
    ],
  ];
  it.each(wrong)("refuses %s", async (_, args, code) => {
    const outcome = await run(...args());
    expect(JSON.parse(outcome.stderr)).toMatchObject({ error: { code } });
    expect(outcome.code).toBe(2);
  });

  function usual(): string[] {
    return ["--gallery", at("gallery.npy"), "--recall", "0.9"];
  }
});

describe.skipIf(!sharedData)("shitu choose on PaddleClas's demo gallery", () => {
  it("reads the vectors out of its index", async () => {
    const files = [
      "--gallery",
      shared("drink", "v1"),
      "--labels",
      shared("drink", "v1", "rows.json"),
    ];
    const { code, stdout, stderr } = await run(...files, "--recall", "0.95", "--budget", "5s");
    expect(code, stderr).toBe(0);
    const answer = JSON.parse(stdout) as ChoiceAnswer;
    expect(answer.gallery).toMatchObject({ vectors: 856, dim: 512, metric: "inner-product" });
    expect(answer.pick?.standing).toBe("met");
    expect(answer.warnings.map((w) => w.code)).toContain("duplicates");
  }, 120_000);
});
