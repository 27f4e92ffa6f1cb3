import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BuildProcess } from "../../../src/eval/choose/building/build-process.js";
import { BuildStore, asSaved } from "../../../src/eval/choose/building/build-store.js";
import { Workshop, seconds } from "../../../src/eval/choose/building/workshop.js";
import { allowance } from "../../../src/eval/choose/rung.js";
import { Random } from "../../../src/eval/stats/random.js";
import { loadIndex } from "../../../src/pipeline/index/engine.js";
import { setting } from "./fixtures.js";

const dim = 16;
const rows = 2000;
const random = new Random("builds");
const vectors = { data: Float32Array.from({ length: rows * dim }, () => random.normal()), dim };
const key = { data: "d", size: rows, seed: "s", engines: "e" };
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "shitu-test-builds-"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

describe("a process of builds", () => {
  it("is ended over a build that takes too long, and the next one works", async () => {
    vi.stubEnv("TMPDIR", folder);
    const process = new BuildProcess(vectors, "l2");
    const order = { setting: setting("IVF", "IVF40,Flat"), size: 1000, file: join(folder, "i") };
    try {
      // Reading the vectors alone takes longer.
      expect(await process.build(order, 1)).toEqual({ lateMs: 1 });
      const report = await process.build(order, 60_000);
      if (!("done" in report)) throw new Error(JSON.stringify(report));
      expect(report.done).toMatchObject({ factory: "IVF40,Flat", size: 1000, dim, metric: "l2" });
      expect(report.done.warnings[0]).toMatch(/25\.0 a list/);
      const index = await loadIndex(asSaved("faiss", report.done, order.file));
      expect(index.size).toBe(1000);
      const { rows: found } = index.searchSync({ data: vectors.data.subarray(0, dim), dim }, 1);
      expect([...found]).toEqual([0]);
      index.close();
      const odd = { ...order, setting: setting("IVF", "IVF40,Odd") };
      expect(await process.build(odd, 60_000)).toMatchObject({ refused: { message: /./ } });
    } finally {
      await process.close();
    }
    expect(await readdir(folder)).toEqual(["i"]);
  }, 60_000);
});

describe("the workshop", () => {
  it("builds apart what may be long, keeps its warnings, says what was cut off", async () => {
    const workshop = new Workshop(vectors, "l2");
    const store = new BuildStore(folder, key);
    const own = setting("IVF", "IVF100,Flat");
    const order = { setting: own, size: rows, expectedMs: 10_000, store };
    try {
      expect(await workshop.build({ ...order, mostMs: 1 })).toEqual({
        why: "its build was cut off after 0.0 s",
      });
      expect(await store.find(own)).toBeNull();
      const work = await workshop.build({ ...order, mostMs: 60_000 });
      if ("why" in work) throw new Error(work.why);
      expect(work.built).toMatchObject({ factory: "IVF100,Flat", size: rows });
      work.built.index.close();
      const kept = await store.find(own);
      expect(kept?.built.warnings).toEqual(work.built.warnings);
      expect(kept?.built.warnings[0]).toMatch(/20\.0 a list/);
      kept?.built.index.close();
    } finally {
      await workshop.close();
    }
  }, 60_000);

  it("builds what is sure to be short here, and tells what an engine refuses", async () => {
    const workshop = new Workshop(vectors, "l2");
    const order = { size: 100, expectedMs: null, mostMs: 1, store: null };
    const work = await workshop.build({ ...order, setting: setting("Flat", "Flat") });
    if ("why" in work) throw new Error(work.why);
    expect(work.built.size).toBe(100);
    work.built.index.close();
    const few = await workshop.build({ ...order, setting: setting("IVF", "IVF200,Flat") });
    expect(few).toEqual({ why: expect.stringMatching(/200 lists cannot be trained on 100/) });
    await workshop.close();
  });
});

describe("allowance", () => {
  it("is twice what was foretold and a little, a share where nothing was", () => {
    expect(allowance(10_000, 60_000)).toBe(23_000);
    expect(allowance(10_000, 12_000)).toBe(12_000);
    expect(allowance(null, 60_000)).toBe(18_000);
    expect(allowance(null, 100)).toBe(3000);
  });

  it("is told as precisely as it is known", () => {
    expect([500, 12_400, 240_000].map(seconds)).toEqual(["0.5 s", "12 s", "4 min"]);
  });
});
