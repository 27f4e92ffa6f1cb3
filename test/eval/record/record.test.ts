import { defaultIntervals } from "../../../src/eval/stats/interval-plan.js";
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { casesToArrow } from "../../../src/eval/record/cases.js";
import {
  listRecords,
  readRecord,
  recordId,
  writeRecord,
  type RunRecord,
} from "../../../src/eval/record/record.js";

const folder = (): string => mkdtempSync(join(tmpdir(), "records-"));
const record = (id: string, startedAt = "2026-01-02T03:04:05.000Z"): RunRecord => ({
  schema: 2,
  id,
  state: "completed",
  experiment: {
    name: "toy",
    title: "Toy",
    version: 1,
    protocol: "standard",
    config: { a: 1 },
    configHash: "abc",
    intervals: { ...defaultIntervals },
  },
  provenance: {
    startedAt,
    finishedAt: startedAt,
    tool: "t",
    commit: null,
    machine: {},
    versions: {},
  },
  cells: [
    {
      id: "c1",
      kind: "retrieval",
      labels: { model: "<img src=x onerror=alert(1)>" },
      versions: {},
      state: "completed",
      errors: [],
      notes: [],
      scores: [
        {
          metric: "recall@1",
          unit: "ratio",
          better: "higher",
          value: 0.5,
          n: 10,
          interval: { low: 0.2, high: 0.8, level: 0.95, method: "wilson", units: 10 },
        },
        { metric: "mAP", unit: "ratio", better: "higher", value: null, why: "no positives" },
      ],
    },
    {
      id: "c2",
      kind: "retrieval",
      labels: {},
      versions: {},
      state: "failed",
      code: "x",
      message: "y",
    },
  ],
});

describe("run records", () => {
  it("are read back as written, with their files", async () => {
    const runs = folder();
    const at = await writeRecord(runs, record("r1"), {
      "cases.arrow": casesToArrow([]),
      "samples.json": "{}",
    });
    expect(await readRecord(at)).toEqual(record("r1"));
    expect(readdirSync(at).sort()).toEqual(["cases.arrow", "run.json", "samples.json"]);
    expect(readdirSync(runs)).toEqual(["r1"]);
  });

  it("are never written over", async () => {
    const runs = folder();
    await writeRecord(runs, record("r1"), { "samples.json": "first" });
    await expect(writeRecord(runs, record("r1"), {})).rejects.toThrow();
    expect(readdirSync(join(runs, "r1"))).toContain("samples.json");
  });

  it("are listed newest first, broken ones with their problem", async () => {
    const runs = folder();
    await writeRecord(runs, record("old", "2025-01-01T00:00:00.000Z"), {});
    await writeRecord(runs, record("new"), {});
    mkdirSync(join(runs, "broken"));
    writeFileSync(join(runs, "broken", "run.json"), "{");
    mkdirSync(join(runs, "empty"));
    mkdirSync(join(runs, ".work.partial"));
    const listed = await listRecords(runs);
    expect(listed.map((e) => ("record" in e ? e.record.id : e.problem))).toEqual([
      "new",
      "old",
      expect.stringMatching(/not JSON/),
      expect.stringMatching(/no such file/),
    ]);
    expect(await listRecords(join(runs, "nowhere"))).toEqual([]);
  });

  it.each([
    ["NaN in a score", (r: RunRecord) => JSON.stringify(r).replace("0.5", "null")],
    ["another schema", (r: RunRecord) => JSON.stringify({ ...r, schema: 99 })],
    ["a missing key", (r: RunRecord) => JSON.stringify({ ...r, provenance: undefined })],
  ])("are refused with %s", async (_, broken) => {
    const at = folder();
    writeFileSync(join(at, "run.json"), broken(record("r")));
    await expect(readRecord(at)).rejects.toThrow(/run\.json/);
  });

  it("have ids that no two runs share", () => {
    const ids = new Set(
      Array.from({ length: 50 }, () => recordId("2026-01-02T03:04:05.000Z", "toy", "abcdef")),
    );
    expect(ids.size).toBe(50);
    for (const id of ids) expect(id).toMatch(/^2026-01-02-toy-abcd[0-9a-f]{4}$/);
  });
});
