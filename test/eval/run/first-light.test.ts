import { mkdtempSync, readFileSync, readdirSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { casesFromArrow } from "../../../src/eval/record/cases.js";
import {
  readRecord,
  type Cell,
  type RecordedScore,
  type RunRecord,
} from "../../../src/eval/record/record.js";
import { sharedData } from "../../shared-data.js";
import { shituProcess } from "../../cli/shitu.js";

describe.skipIf(!sharedData)("first light", () => {
  const folder = mkdtempSync(join(tmpdir(), "first-light-"));
  const runs = join(folder, "runs");
  const cache = join(folder, "cache");
  const run = (...more: string[]) =>
    shituProcess([
      "run",
      "configs/first-light.yaml",
      "--set",
      `settings.photos=${sharedData!}`,
      "--runs",
      runs,
      "--cache",
      cache,
      "--json",
      ...more,
    ]);
  let record: RunRecord;

  beforeAll(async () => {
    const { code, stdout, stderr } = await run();
    expect(stderr).toContain("done");
    expect(code).toBe(0);
    record = JSON.parse(stdout) as RunRecord;
  }, 300_000);

  const cell = (
    of: RunRecord,
    kind: string,
    index?: string,
  ): Extract<Cell, { state: "completed" }> => {
    const found = of.cells.find(
      (c) => c.kind === kind && (index === undefined || c.labels.index === index),
    );
    if (found?.state !== "completed") throw new Error(`no completed ${kind} ${index ?? ""}`);
    return found;
  };
  const value = (
    c: Extract<Cell, { state: "completed" }>,
    metric: string,
    of: Record<string, string> = {},
  ): number => {
    const score = c.scores.find(
      (s: RecordedScore) =>
        s.metric === metric && Object.entries(of).every(([k, v]) => s.of?.[k] === v),
    );
    if (!score || score.value === null) throw new Error(`no ${metric}`);
    return score.value;
  };

  it("measures detection, class-agnostic, with an interval", () => {
    const detection = cell(record, "detection");
    expect(value(detection, "AP")).toBeCloseTo(0.4223, 3);
    expect(value(detection, "AP50")).toBeCloseTo(0.743, 2);
    const ap = detection.scores.find((s) => s.metric === "AP");
    expect(ap).toMatchObject({
      n: 217,
      interval: { method: "bootstrap-standard-error", units: 200 },
    });
    expect(value(detection, "images")).toBe(200);
    expect(value(detection, "model-size")).toBe(2871062);
  });

  it(
    "measures retrieval with each index; an approximate one never beats the exact one by " +
      "more than ties allow",
    () => {
      const exact = value(cell(record, "retrieval", "Flat"), "recall@1");
      expect(exact).toBeGreaterThan(0.74);
      for (const index of ["HNSW32", "IVF nprobe 8", "IVF nprobe 1"])
        expect(value(cell(record, "retrieval", index), "recall@1"), index).toBeLessThanOrEqual(
          exact + 0.002,
        );
      expect(value(cell(record, "retrieval", "IVF nprobe 1"), "recall@1")).toBeLessThan(
        value(cell(record, "retrieval", "IVF nprobe 8"), "recall@1"),
      );
      expect(value(cell(record, "retrieval", "BFlat"), "recall@1")).toBeLessThan(exact);
      const flat = cell(record, "retrieval", "Flat");
      // Vectors, 8 bytes of id each, and 90 bytes around them.
      expect(value(flat, "index-size")).toBe(1068 * (1280 * 4 + 8) + 90);
      expect(cell(record, "retrieval", "IVF nprobe 1").notes.join()).toMatch(/under 39/);
    },
  );

  it("names what could not be read", () => {
    expect(cell(record, "retrieval", "Flat").errors).toEqual([
      {
        item: "213/0.jpg",
        code: "image-unreadable",
        message: expect.stringContaining("no such file") as string,
      },
    ]);
  });

  it("times every stage of the whole pipeline", () => {
    const latency = cell(record, "latency");
    const stages = ["decode", "preprocess", "detect", "embed", "search", "suppress"];
    const sum = stages.reduce(
      (total, stage) => total + value(latency, "latency", { stage, percentile: "50" }),
      0,
    );
    expect(value(latency, "latency", { stage: "overall", percentile: "50" })).toBeGreaterThan(
      sum * 0.5,
    );
    expect(record.provenance.versions).toMatchObject({
      "onnxruntime-node": expect.any(String) as string,
      faiss: expect.stringMatching(/1\./) as string,
    });
  });

  it("is a record on disk, with one row a picture or query", async () => {
    const at = join(runs, record.id);
    expect(await readRecord(at)).toEqual(record);
    const cases = casesFromArrow(readFileSync(join(at, "cases.arrow")));
    expect(cases.filter((c) => c.cell === cell(record, "detection").id)).toHaveLength(200);
    // Every listed picture has a row, the one that is not there too.
    expect(cases.filter((c) => c.cell === cell(record, "retrieval", "Flat").id)).toHaveLength(1069);
    // No record says where on this machine it was made.
    for (const file of ["run.json", "images.json"])
      expect(readFileSync(join(at, file), "utf8")).not.toContain(process.cwd());
  });

  it("gives the same accuracy again, and detects or embeds nothing twice", async () => {
    const logs = () =>
      readdirSync(cache).map((name) => statSync(join(cache, name, "entries.log")).size);
    const before = logs();
    const { code, stdout } = await run("--set", "measure.3.samples=8");
    expect(code).toBe(0);
    expect(logs()).toEqual(before);
    const again = JSON.parse(stdout) as RunRecord;
    const accuracy = (of: RunRecord) =>
      of.cells.flatMap((c) =>
        c.state === "completed"
          ? c.scores.filter((s) => s.unit === "ratio").map((s) => [c.id, s])
          : [],
      );
    expect(accuracy(again)).toEqual(accuracy(record));
  }, 300_000);
});
