import { readdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadGateConfig } from "../../../src/eval/gate/config.js";
import { judgeLimit, judgeLimits, limitFor } from "../../../src/eval/gate/limits.js";
import { measureNamed, type Finding } from "../../../src/eval/gate/measures.js";
import { pairedMeans, rightsAndWrongs } from "../../../src/eval/gate/paired.js";
import type { Answer } from "../../../src/eval/gate/work.js";
import { clusterNumbers } from "../../../src/eval/stats/bootstrap.js";
import { clusteredPair } from "../../../src/eval/stats/clusters.js";
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
  const options = { dataset: "d", level: 0.95, clusters: "item" } as const;
  const pair = (baseline: number, candidate: number, label: string | null = null) => ({
    baseline,
    candidate,
    label,
  });

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
    const pairs = Array.from({ length: 98 }, (_, i) => pair(i / 98, i / 98));
    // 1.6449 x root 2 / 100.
    const { value, bounds } = pairedMeans("mAP", pairs, options);
    expect(value).toBe(0);
    expect(bounds![0]).toBeCloseTo(-0.02326, 5);
    expect(bounds![1]).toBeCloseTo(0.02326, 5);
  });

  it("follow the bootstrap where the items differ more", () => {
    const pairs = Array.from({ length: 400 }, (_, i) => pair(0.5, i % 2 === 0 ? 0.2 : 0.6));
    const { value, bounds } = pairedMeans("mAP", pairs, options);
    expect(value).toBeCloseTo(-0.1, 10);
    // The differences are -0.3 and 0.1: deviation 0.2, error 0.01.
    expect(bounds![0]).toBeCloseTo(-0.1 - 1.645 * 0.01, 2);
    expect(bounds![1]).toBeCloseTo(-0.1 + 1.645 * 0.01, 2);
  });
});

describe("items of one label", () => {
  const options = { dataset: "d", level: 0.95, clusters: "label" } as const;
  const answer = (right: boolean) => ({ right, said: null, failed: false });
  /** 400 items, of which the candidate loses 12: spread over the labels, or those of two labels. */
  const items = (labels: number, lost: (i: number) => boolean) =>
    Array.from({ length: 400 }, (_, i) => ({
      item: String(i),
      image: null,
      truth: String(i % labels),
      baseline: answer(true),
      candidate: answer(!lost(i)),
    }));
  const bounds = (list: ReturnType<typeof items>, clusters: "item" | "label" = "label") =>
    rightsAndWrongs("recall@1", list, { ...options, clusters });

  it("count as one where they flip together, as compare counts them", () => {
    const together = items(100, (i) => i % 100 < 3);
    const found = bounds(together);
    const alone = bounds(together, "item");
    // By hand: 3 labels of 4 items; 12 flips of 400 have Bonett and Price's half width
    // 1.645 x sqrt(.0332) / sqrt(402), which four wholly alike items a label double.
    expect(found.units).toBe(100);
    expect(found.value).toBe(-0.03);
    const width = ({ bounds: b }: typeof found) => b![1] - b![0];
    expect(width(found) / width(alone)).toBeGreaterThan(1.9);
    expect(found.test!.p).toBeGreaterThan(alone.test!.p);
    // Two-sided mid-p of three labels that all lost: half of 2 / 2^3.
    expect(found.test!.p).toBeCloseTo(0.125, 12);
  });

  it("give the bounds of a compared record", () => {
    const list = items(100, (i) => i % 37 === 0);
    const hits = (side: "baseline" | "candidate") => list.map((i) => Number(i[side].right));
    const units = clusterNumbers(list.map((i) => i.truth));
    const by = clusteredPair(hits("candidate"), hits("baseline"), units, 0.9)!;
    expect(bounds(list)).toMatchObject({
      bounds: [by.interval.low, by.interval.high],
      test: { p: by.p },
    });
  });

  it("cannot tell anything where there is one label only", () => {
    const found = bounds(items(1, () => false));
    expect(judge("recall@1", 0.01, { ...found, value: 0 })).toMatchObject({
      verdict: "cannot tell",
      why: "all items have one label: nothing tells how much labels differ",
    });
  });

  it("widen the bounds of means", () => {
    const pairs = Array.from({ length: 400 }, (_, i) => ({
      baseline: 0.5,
      candidate: i % 40 < 20 ? 0.2 : 0.6,
      label: String(i % 40),
    }));
    const width = (clusters: "item" | "label") => {
      const { bounds: b } = pairedMeans("mAP", pairs, { ...options, clusters });
      return b![1] - b![0];
    };
    // Ten wholly alike items a label: root 10 wider.
    expect(width("label") / width("item")).toBeGreaterThan(2.8);
    expect(width("label") / width("item")).toBeLessThan(3.6);
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
