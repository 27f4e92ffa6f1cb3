import { readdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadGateConfig } from "../../../src/eval/gate/config.js";
import { judgeLimit, judgeLimits, limitFor } from "../../../src/eval/gate/limits.js";
import { measureNamed, type Finding } from "../../../src/eval/gate/measures.js";
import { pairedMeans, rightsAndWrongs } from "../../../src/eval/gate/paired.js";
import type { Answer } from "../../../src/eval/gate/work.js";
import { projectRoot } from "../../../src/pipeline/root.js";
import { complaintOf } from "../../complaint.js";

const judge = (name: string, limit: number, finding: Omit<Finding, "measure" | "dataset">) =>
  judgeLimit(measureNamed(name), limit, { measure: name, dataset: "d", ...finding }, 0.95);

describe("a limit", () => {
  it("on a loss is a test, not a comparison of two numbers", () => {
    const loss = { value: -0.004, deviation: 0.2, n: 500 };
    expect(judge("recall@1", 0.01, { ...loss, bounds: [-0.008, 0] }).verdict).toBe("pass");
    expect(judge("recall@1", 0.01, { ...loss, bounds: [-0.03, -0.02] }).verdict).toBe("fail");
    const open = judge("recall@1", 0.01, { ...loss, bounds: [-0.019, 0.011] });
    // (1.6449 + 0.8416)^2 x 0.2^2 / 0.006^2, by hand: 6870.
    expect(open).toMatchObject({ verdict: "cannot tell", itemsToTell: 6870 });
  });

  it("on a measured value holds at the limit itself", () => {
    expect(judge("cosine-p1", 0.99, { value: 0.99 }).verdict).toBe("pass");
    expect(judge("cosine-p1", 0.99, { value: 0.9899 }).verdict).toBe("fail");
    expect(judge("size-ratio", 1.05, { value: 1.05 }).verdict).toBe("pass");
    expect(judge("size-ratio", 1.05, { value: 1.06 }).verdict).toBe("fail");
    expect(judge("snr", 60, { value: -Infinity }).verdict).toBe("fail");
  });

  it("on a value with an interval needs the whole interval on one side", () => {
    expect(judge("latency-ratio", 1.1, { value: 1, bounds: [0.95, 1.05] }).verdict).toBe("pass");
    expect(judge("latency-ratio", 1.1, { value: 1.3, bounds: [1.2, 1.4] }).verdict).toBe("fail");
    const open = judge("latency-ratio", 1.1, { value: 1.05, bounds: [0.9, 1.2] });
    expect(open.verdict).toBe("cannot tell");
  });

  it("never passes for want of a measurement", () => {
    const limits = { "recall@1": 0.01, AP: { int8: 0.02 } };
    const judged = judgeLimits(limits, [], { change: "same", level: 0.95 });
    expect(judged).toHaveLength(1);
    expect(judged[0]).toMatchObject({ measure: "recall@1", verdict: "cannot tell" });
    expect(judge("AP", 0.01, { value: null, why: "no truth" })).toMatchObject({
      verdict: "cannot tell",
      why: "no truth",
    });
    const noisy = { value: 1, bounds: [1, 1], caution: "noisy" } as const;
    expect(judge("latency-ratio", 1.1, noisy)).toMatchObject({
      verdict: "cannot tell",
      why: "noisy",
    });
  });

  it("may differ by kind of change", () => {
    expect(limitFor({ same: 1, int8: 0.5 }, "int8")).toBe(0.5);
    expect(limitFor({ same: 1, int8: 0.5 }, "retrained")).toBeNull();
    expect(limitFor(2, "retrained")).toBe(2);
  });
});

describe("paired differences", () => {
  const answer = (right: boolean | null): Answer => ({ right, said: null, failed: false });
  const item = (first: boolean | null, second: boolean | null) => ({
    item: "i",
    image: null,
    truth: "t",
    baseline: answer(first),
    candidate: answer(second),
  });
  const options = { dataset: "d", level: 0.95 };

  it("leave out items that neither could answer, and count one-sided ones as misses", () => {
    const items = [item(true, true), item(true, false), item(null, null), item(true, null)];
    expect(rightsAndWrongs("recall@1", items, options)).toMatchObject({
      n: 3,
      baseline: 1,
      flips: { lost: 2, gained: 0 },
    });
    expect(rightsAndWrongs("recall@1", [item(null, null)], options).value).toBeNull();
  });

  it("are never more certain than two flips among the items would allow", () => {
    const pairs = Array.from({ length: 98 }, (_, i) => [i / 98, i / 98] as const);
    // 1.6449 x root 2 / 100.
    const { value, bounds } = pairedMeans("mAP", pairs, options);
    expect(value).toBe(0);
    expect(bounds![0]).toBeCloseTo(-0.02326, 5);
    expect(bounds![1]).toBeCloseTo(0.02326, 5);
  });

  it("follow the bootstrap where the items differ more", () => {
    const pairs = Array.from({ length: 400 }, (_, i) => [0.5, i % 2 === 0 ? 0.2 : 0.6] as const);
    const { value, bounds } = pairedMeans("mAP", pairs, options);
    expect(value).toBeCloseTo(-0.1, 10);
    // The differences are -0.3 and 0.1: deviation 0.2, error 0.01.
    expect(bounds![0]).toBeCloseTo(-0.1 - 1.645 * 0.01, 2);
    expect(bounds![1]).toBeCloseTo(-0.1 + 1.645 * 0.01, 2);
  });
});

describe("a gate's config", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "shitu-gate-config-"));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  const written = (text: string): string => {
    const file = join(folder, "gate.yaml");
    writeFileSync(file, `schema: 1\nname: g\ntitle: G\ntask: recognition\n${text}`);
    return file;
  };

  const ready = join(projectRoot, "configs", "gates");
  it.each(readdirSync(ready))("is ready and valid: %s", async (name) => {
    const config = await loadGateConfig(join(ready, name));
    expect(`${config.name}.yaml`).toBe(name);
  });

  it("refuses a measure of another task, and lists its own", async () => {
    const complaint = await complaintOf(loadGateConfig(written("limits: { AP50: 0.01 }")));
    expect(complaint).toMatchObject({ code: "gate-measure", path: "limits.AP50" });
    expect(complaint.expected).toMatch(/recall@1, mAP/);
  });

  it.each([
    ["no limit at all", "limits: {}"],
    ["a limit that is no number", "limits: { mAP: much }"],
    ["an unknown kind of change", "limits: { mAP: { int4: 1 } }"],
    ["an unknown key", "limits: { mAP: 1 }\nlimit: 1"],
    ["a level of one half", "limits: { mAP: 1 }\nlevel: 0.5"],
  ])("refuses %s", async (_, text) => {
    expect((await complaintOf(loadGateConfig(written(text)))).code).toBe("schema");
  });
});
