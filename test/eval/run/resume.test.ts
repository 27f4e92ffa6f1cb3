import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { copyFile, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadConfig } from "../../../src/eval/config/config.js";
import type { RunRecord } from "../../../src/eval/record/record.js";
import { runExperiment } from "../../../src/eval/run/runner.js";
import { baselines, makeTiny, type Tiny } from "../tiny-benchmark.js";

/** A run that was cut off after its first cell, and is resumed when something has changed. */

let tiny: Tiny;
let runs = "";
let cache = "";
beforeAll(async () => {
  tiny = await makeTiny();
  runs = mkdtempSync(join(tmpdir(), "runs-"));
  cache = mkdtempSync(join(tmpdir(), "cache-"));
  await copyFile(join(baselines, "pixels-32.yaml"), join(tiny.folder, "model.yaml"));
});
afterAll(() => {
  for (const folder of [tiny.folder, runs, cache]) rmSync(folder, { recursive: true, force: true });
});

const body = `
measure:
  - kind: retrieval
    models: [model.yaml]
    datasets: [rows.yaml]
    codes: [real, sign]
    indexes: [{ factory: Flat }]
`;

/** Runs a config until its first cell is finished. */
async function cutOff(name: string): Promise<string> {
  const config = tiny.config(name, body);
  const abort = new AbortController();
  const events = { cellFinished: () => abort.abort(new Error("cut off")) };
  const run = runExperiment(await loadConfig(config), {
    runs,
    cache,
    signal: abort.signal,
    events,
  });
  await expect(run).rejects.toThrow("cut off");
  return config;
}

interface Resumed {
  readonly record: RunRecord;
  readonly kept: number;
  readonly changed: readonly string[];
}

async function resume(config: string): Promise<Resumed> {
  let kept = 0;
  const changed: string[] = [];
  const { record } = await runExperiment(await loadConfig(config), {
    runs,
    cache,
    resume: true,
    events: {
      cellFinished: (_, resumed) => {
        kept += Number(resumed);
      },
      cellOutdated: (_, names) => changed.push(...names),
    },
  });
  return { record, kept, changed };
}

const values = ({ cells }: RunRecord): unknown =>
  cells.map((c) => c.state === "completed" && c.scores.filter((s) => s.unit !== "ms"));

/** Changes a file of the data set for as long as `work` goes on. */
async function changed<T>(name: string, to: (bytes: Buffer) => Buffer, work: () => Promise<T>) {
  const file = join(tiny.folder, name);
  const before = await readFile(file);
  writeFileSync(file, to(before));
  try {
    return await work();
  } finally {
    writeFileSync(file, before);
  }
}

const withoutLast = (text: Buffer): Buffer =>
  Buffer.from(text.toString().trimEnd().split("\n").slice(0, -3).join("\n") + "\n");

describe("a run that is resumed", { timeout: 60_000 }, () => {
  it("keeps a finished cell where nothing has changed", async () => {
    expect(await resume(await cutOff("same"))).toMatchObject({ kept: 1, changed: [] });
  });

  it.each([
    ["a list", "all.txt", withoutLast, ["lists of rows", "pictures of rows"]],
    [
      "a picture",
      "images/0.png",
      () => readFileSync(join(tiny.folder, "images", "1.png")),
      ["pictures of rows"],
    ],
    [
      "a card",
      "model.yaml",
      (text: Buffer) => Buffer.from(text.toString().replace("side: 32", "side: 16")),
      [expect.stringMatching(/^file .*model\.yaml$/)],
    ],
    [
      "a manifest",
      "rows.yaml",
      (text: Buffer) => Buffer.from(text.toString().replace("title: Tiny", "title: Other")),
      ["lists of rows"],
    ],
  ])("measures it anew after %s has changed, and says so", async (what, name, to, names) => {
    const config = await cutOff(`changed-${what.replace(/\W/g, "-")}`);
    await changed(name, to, async () => {
      const resumed = await resume(config);
      expect(resumed).toMatchObject({ kept: 0, changed: names });
      const { record } = await runExperiment(await loadConfig(config), { runs, cache });
      expect(values(resumed.record)).toEqual(values(record));
    });
  });

  it("measures it anew where code or machine are not those that measured it", async () => {
    const config = await cutOff("elsewhere");
    const loaded = await loadConfig(config);
    const { Workspace } = await import("../../../src/eval/run/workspace.js");
    const { readdirSync } = await import("node:fs");
    const partial = join(
      runs,
      readdirSync(runs).find((n) => n.includes("elsewhere"))!,
    );
    const workspace = await Workspace.open(partial, { resume: true, fresh: false, now: "" });
    const id = readdirSync(partial)
      .find((n) => n.startsWith("cell-"))!
      .slice("cell-".length, -".json".length);
    const { done, sources } = workspace.kept(id)!;
    await workspace.finish({
      done,
      sources: { ...sources, "this program": "code 0", "the machine": "an abacus" },
    });
    await workspace.release();
    expect(await resume(loaded.file)).toMatchObject({
      kept: 0,
      changed: ["this program", "the machine"],
    });
    expect(existsSync(partial)).toBe(false);
  });
});
