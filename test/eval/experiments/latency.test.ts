import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { loadConfig } from "../../../src/eval/config/config.js";
import {
  judgeRounds,
  runRounds,
  type Rounds,
} from "../../../src/eval/experiments/latency-comparison.js";
import { checkAnswers } from "../../../src/eval/experiments/timed-system.js";
import type { Contender } from "../../../src/eval/latency/interleave.js";
import {
  readRecord,
  type Cell,
  type RecordedScore,
  type RunRecord,
} from "../../../src/eval/record/record.js";
import { runExperiment } from "../../../src/eval/run/runner.js";
import { readSamples, type Samples } from "../../../src/eval/record/samples.js";
import { Random } from "../../../src/eval/stats/random.js";
import type { Observation } from "../../../src/pipeline/types.js";
import { makeTiny } from "../tiny-benchmark.js";

// Processes are started, maybe on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 240_000 });

type Completed = Extract<Cell, { state: "completed" }>;

function completed(record: RunRecord, kind: string, system?: string): Completed {
  const cell = record.cells.find(
    (c) => c.kind === kind && (system === undefined || c.labels.system === system),
  );
  if (cell?.state !== "completed")
    throw new Error(`no completed ${kind} ${system ?? ""}: ${JSON.stringify(cell)}`);
  return cell;
}

function scores(cell: Completed, metric: string): RecordedScore[] {
  return cell.scores.filter((s) => s.metric === metric);
}

describe("a latency experiment with every scenario", () => {
  let record: RunRecord;
  let samples: Samples;
  let plain: Completed;
  let compared: Completed;

  beforeAll(async () => {
    const tiny = await makeTiny();
    // A picture that cannot be read is an error row, not a sample.
    writeFileSync(join(tiny.folder, "images", "1.png"), "no picture");
    const others =
      'detector: "${baselines}/whole-image.yaml", gallery: scenes.yaml, index: { factory: Flat }';
    const file = tiny.config(
      "times",
      `
measure:
  - kind: latency
    systems:
      - { name: plain, embedder: "\${baselines}/pixels-32.yaml", ${others} }
      - { name: missing, embedder: nowhere.yaml, ${others} }
      - { name: colours, embedder: "\${baselines}/colour-histogram.yaml", ${others} }
    images: boxes.yaml
    warmup: 2
    samples: 70
    offline: { pictures: 8, rounds: 6 }
    server: { boundMs: 500, percentile: 0.9, mostRuns: 2 }
    coldStart: { processes: 2 }
    comparison: { rounds: 12 }
`,
    );
    const runs = mkdtempSync(join(tmpdir(), "latency-runs-"));
    const { folder } = await runExperiment(await loadConfig(file), {
      runs,
      cache: join(tiny.folder, "cache"),
    });
    record = await readRecord(folder);
    samples = await readSamples(folder);
    plain = completed(record, "latency", "plain");
    compared = completed(record, "latency-comparison");
  });

  it(
    "times every stage by tinybench, every sample kept, and judges them as LoadGen's " +
      "SingleStream",
    () => {
      const stages = new Set(scores(plain, "latency").map((s) => s.of?.stage));
      for (const stage of ["decode", "preprocess", "embed", "search", "suppress", "overall"]) {
        expect(stages, stage).toContain(stage);
        expect(samples[plain.id]![stage], stage).toHaveLength(70);
      }
      const [p90, p99] = scores(plain, "single-stream-latency");
      // 70 queries are 64 or more: the highest sample bounds the 90th percentile.
      expect(p90).toMatchObject({
        value: Math.max(...samples[plain.id]!.overall!),
        n: 70,
        of: { percentile: "90" },
      });
      expect(p99).toMatchObject({
        value: null,
        why: "70 queries; early stopping needs 662 at least",
      });
    },
  );

  it("names the picture that cannot be read, and times the others", () => {
    expect(plain.errors.map((e) => e.item)).toEqual(["1.png"]);
  });

  it("has throughput, the rate within the bound, and what each rate tried came to", () => {
    expect(scores(plain, "throughput")[0]).toMatchObject({
      unit: "per-second",
      n: 6,
      of: { scenario: "offline" },
    });
    const roundsMs = [...samples[plain.id]!.offline!].sort((a, b) => a - b);
    expect(scores(plain, "throughput")[0]!.value).toBeCloseTo(
      (8000 / roundsMs[2]! + 8000 / roundsMs[3]!) / 2,
      6,
    );
    const [rate] = scores(plain, "server-rate");
    expect(rate!.of).toEqual({ percentile: "90", boundMs: "500" });
    const tried = plain.findings!.filter((f) => f.about === "server");
    expect(tried.length).toBeGreaterThan(0);
    // What machine runs the test decides which rates are met, but never that one is found without.
    const met = tried.filter((f) => f.verdict === "met").map((f) => f.of.rate);
    expect(rate!.value === null).toBe(met.length === 0);
    if (rate!.value !== null) expect(met).toContain(rate!.value.toPrecision(4));
    for (const { of, why } of tried) {
      const sent = samples[plain.id]![`server ${of.rate}/s`]!;
      expect(samples[plain.id]![`server ${of.rate}/s arrivals`]).toHaveLength(sent.length);
      const late = sent.filter((ms) => ms > 500).length;
      if (why.includes("queries"))
        expect(why).toMatch(new RegExp(`^${late} of ${sent.length} queries`));
    }
    expect(samples[plain.id]![`server ${tried[0]!.of.rate}/s`]).toHaveLength(400);
    expect(tried[0]!.why).toMatch(/of 400 queries took longer than 500 ms; .*replay/);
  });

  it("starts fresh processes: parts of the start, model load, peak memory", () => {
    const phases = Object.fromEntries(
      scores(plain, "cold-start").map((s) => [s.of!.phase!, s.value!]),
    );
    expect(Object.keys(phases)).toEqual(["process", "import", "load", "first", "total"]);
    const list = (name: string): readonly number[] => samples[plain.id]![name]!;
    for (const i of [0, 1]) {
      expect(list("cold-start total")[i]).toBeCloseTo(
        ["process", "import", "load", "first"].reduce(
          (sum, p) => sum + list(`cold-start ${p}`)[i]!,
          0,
        ),
        3,
      );
      const parts = ["detector", "embedder", "index"].reduce(
        (sum, p) => sum + list(`model-load ${p}`)[i]!,
        0,
      );
      expect(parts).toBeGreaterThan(0);
      expect(parts).toBeLessThanOrEqual(list("cold-start load")[i]! + 0.1);
    }
    const [peak] = scores(plain, "peak-memory");
    expect(peak).toMatchObject({ unit: "bytes", n: 2 });
    expect(peak!.value!).toBeGreaterThan(scores(plain, "start-memory")[0]!.value!);
  });

  it("compares what could be opened, in one cell, with a certificate a system and the load", () => {
    expect(record.cells.find((c) => c.labels.system === "missing")!.state).toBe("failed");
    expect(compared.labels.systems).toBe("plain, missing, colours");
    const found = compared.findings!.filter((f) => f.about !== "drift");
    const plainAndColours = (...stage: string[]): string[][] => [
      ["noise", "plain", ...stage],
      ["noise", "colours", ...stage],
      ["comparison", "plain", "colours", ...stage],
    ];
    expect(found.map((f) => [f.about, ...Object.values(f.of)])).toEqual([
      ...plainAndColours(),
      ...["detect", "embed", "search"].flatMap((stage) => plainAndColours(stage)),
    ]);
    expect(Object.keys(samples[compared.id]!).slice(0, 6)).toEqual([
      "plain",
      "plain again",
      "colours",
      "colours again",
      "plain, detect",
      "plain again, detect",
    ]);
    const [whole, detect] = ["", ", detect"].map(
      (of) => samples[compared.id]![`plain again${of}`]!,
    );
    whole!.forEach((ms, round) => expect(detect![round]!).toBeLessThan(ms));
    for (const list of Object.values(samples[compared.id]!)) expect(list).toHaveLength(12);
    const [ratio] = scores(compared, "latency-ratio");
    expect(ratio).toMatchObject({
      unit: "ratio",
      n: 12,
      of: { first: "plain", second: "colours" },
    });
    expect(scores(compared, "load-average")).toHaveLength(2);
  });
});

/** Rounds of contenders whose times are drawn around their means, in virtual time. */
async function virtualRounds(
  means: readonly number[],
  { rounds, spread, seed }: { rounds: number; spread: number; seed: string },
): Promise<Rounds> {
  let now = 0;
  const random = new Random(seed);
  const contender = (mean: number, i: number): Contender => ({
    name: `system ${i}`,
    run: () => {
      now += mean * Math.exp(spread * random.normal());
    },
  });
  return runRounds(means.map(contender), { rounds, seed, clock: () => now });
}

describe("verdicts of interleaved rounds", () => {
  it(
    "a difference beyond the noise is found, in both " + "directions, with the ratio it has",
    async () => {
      const { findings = [], scores: all } = judgeRounds(
        await virtualRounds([10, 12, 6], { rounds: 100, spread: 0.05, seed: "differ" }),
        0.05,
      );
      expect(findings.filter((f) => f.about === "noise").map((f) => f.verdict)).toEqual([
        "passed",
        "passed",
        "passed",
      ]);
      expect(findings.filter((f) => f.about === "comparison").map((f) => f.verdict)).toEqual([
        "slower",
        "faster",
        "faster",
      ]);
      const ratio = all.find((s) => s.metric === "latency-ratio" && s.of?.second === "system 1")!;
      expect(ratio.value).toBeCloseTo(1.2, 1);
      expect(ratio).toMatchObject({
        interval: { method: "order-statistics", level: 1 - 0.05 / 3 },
      });
    },
  );

  it(
    "too few rounds for the effect that matters: " + "cannot tell, and how many are needed",
    async () => {
      const { findings = [] } = judgeRounds(
        await virtualRounds([10, 10], { rounds: 30, spread: 0.3, seed: "noisy" }),
        0.02,
      );
      const [verdict] = findings.filter((f) => f.about === "comparison");
      expect(verdict).toMatchObject({ verdict: "cannot tell" });
      expect(verdict!.why).toMatch(/underpowered.*rounds are needed/);
    },
  );

  it("no verdict on a machine that failed its self-test", () => {
    const steady = Float64Array.from({ length: 60 }, (_, i) => 10 + (i % 7) / 100);
    const slower = steady.map((ms) => ms * 1.5);
    const rounds: Rounds = {
      names: ["a", "b"],
      once: [steady, slower],
      again: [steady.map((ms) => ms * 1.1), slower.map((ms, i) => ms + ((i * 5) % 7) / 100 - 0.03)],
      durationMs: 1,
      load: { before: null, after: null },
    };
    const { findings = [], scores: all } = judgeRounds(rounds, 0.05);
    expect(findings.find((f) => f.of.system === "a")).toMatchObject({
      about: "noise",
      verdict: "failed",
    });
    expect(findings.find((f) => f.about === "comparison")).toMatchObject({
      verdict: "cannot tell",
    });
    expect(all.find((s) => s.metric === "load-average")).toMatchObject({ value: null });
  });

  it("equal systems pass for different in at most 5 of 100 runs", async () => {
    let alarms = 0;
    for (let run = 0; run < 300; run++) {
      const { findings = [] } = judgeRounds(
        await virtualRounds([10, 10, 10], { rounds: 40, spread: 0.1, seed: `equal ${run}` }),
        0.5,
      );
      if (findings.some((f) => f.verdict === "faster" || f.verdict === "slower")) alarms++;
    }
    expect(alarms / 300).toBeLessThan(0.09); // 5% and three deviations
  });
});

it("an answer that differs from the first pass's is no measurement", () => {
  const answer = (label: string, score: number): Pick<Observation, "image" | "recognitions"> => ({
    image: "a",
    recognitions: [
      {
        box: { x0: 0, y0: 0, x1: 1, y1: 1 },
        detectionScore: 1,
        label,
        score,
        fate: "kept",
        hits: [],
      },
    ],
  });
  const first = { name: "s", observations: [answer("x", 0.5) as Observation] };
  expect(() => {
    checkAnswers(first, [answer("x", 0.500001)]);
  }).not.toThrow();
  expect(() => {
    checkAnswers(first, [answer("x", 0.5001)]);
  }).toThrow("other recognitions");
  expect(() => {
    checkAnswers(first, [answer("y", 0.5)]);
  }).toThrow("other recognitions");
  expect(() => {
    checkAnswers(first, [{ ...answer("x", 0.5), recognitions: [] }]);
  }).toThrow("other recognitions");
});
