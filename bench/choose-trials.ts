/**
 * Is the pick what it was picked for? Seeded trials: vectors, limits and what is limited are drawn;
 * `choose` picks; a fresh process builds the pick again and measures it on other queries. Counts
 * the trials in which every limit is kept there, and those in which a measured point that keeps
 * them all is more than 15% faster than the pick. Limits that nothing keeps are drawn again.
 *
 *   npx tsx bench/choose-trials.ts                       40 trials of 5 s
 *   npx tsx bench/choose-trials.ts --trials 8 --budget 3
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "../src/eval/choose/building/built.js";
import { BuildStore } from "../src/eval/choose/building/build-store.js";
import { measureFootprint } from "../src/eval/choose/building/footprint.js";
import { choose, type ChoiceOutcome } from "../src/eval/choose/choose.js";
import type { ChoiceData, LabelledVectors } from "../src/eval/choose/data/choice-data.js";
import { splitQueries } from "../src/eval/choose/data/choice-data.js";
import { checkLimits, type Limits } from "../src/eval/choose/limits.js";
import { measurePoint } from "../src/eval/choose/measure.js";
import { pointName, valueOf, type Point, type Setting } from "../src/eval/choose/point.js";
import { findTruth } from "../src/eval/choose/truth.js";
import { Random } from "../src/eval/stats/random.js";
import { wilsonInterval } from "../src/eval/stats/proportion.js";
import { measured } from "../src/eval/stats/score.js";
import { commandLine, writeResult } from "./result.js";

const { values } = parseArgs({
  options: {
    trials: { type: "string", default: "40" },
    budget: { type: "string", default: "5" },
    check: { type: "string" },
  },
});

interface Trial {
  readonly seed: string;
  readonly rows: number;
  readonly dim: number;
  readonly clusters: number;
  readonly spread: number;
}
interface Task {
  readonly trial: Trial;
  readonly setting: Setting;
  readonly parameters: Readonly<Record<string, number>>;
  readonly folder: string;
}

const queries = 1000;
const tolerance = 0.15;

function trialOf(number: number): Trial {
  const random = new Random(`choose-trials/${number}`);
  return {
    seed: `trial-${number}`,
    rows: 2000 + random.below(6000),
    dim: 8 * (3 + random.below(6)),
    clusters: 20 + random.below(400),
    spread: 0.3 + 0.5 * random.next(),
  };
}

/** A limit on recall always; each other in two trials of five, from easy to out of reach. */
function limitsOf(number: number): Limits {
  const random = new Random(`choose-trials/${number}/limits`);
  const some = (limits: Limits): Limits => (random.next() < 0.4 ? limits : {});
  const between = (low: number, high: number): number => low * (high / low) ** random.next();
  return {
    recall: 0.8 + 0.19 * random.next(),
    ...some({ labelRecall: 0.6 + 0.35 * random.next() }),
    ...some({ p99Ms: between(0.3, 10) }),
    ...some({ memoryBytes: Math.round(between(5e5, 2e7)) }),
    ...some({ buildMs: between(50, 20_000) }),
    ...some({ deletes: true }),
  };
}

/** Unit vectors around centres; streams of their own for the gallery and each set of queries. */
function draw({ seed, dim, clusters, spread }: Trial, n: number, stream: string): LabelledVectors {
  const centres = new Random(`${seed}/centres`);
  const middle = Float32Array.from({ length: clusters * dim }, () => centres.normal());
  const random = new Random(`${seed}/${stream}`);
  const data = new Float32Array(n * dim);
  const labels = Array.from({ length: n }, (_, row) => {
    const own = random.below(clusters);
    const vector = data.subarray(row * dim, (row + 1) * dim);
    for (let d = 0; d < dim; d++) vector[d] = middle[own * dim + d]! + spread * random.normal();
    const norm = Math.hypot(...vector);
    for (let d = 0; d < dim; d++) vector[d]! /= norm;
    return { label: String(own), uid: null };
  });
  return { rows: { data, dim }, labels };
}

const metric = "inner-product" as const;

/** In a process of its own: builds what was picked, and measures it on queries not seen before. */
async function check({ trial, setting, parameters, folder }: Task): Promise<Point> {
  const gallery = draw(trial, trial.rows, "gallery");
  const asked = draw(trial, queries, "other queries");
  const truth = await findTruth({ gallery, queries: asked, metric, size: trial.rows, k: 10 });
  const built = await build(setting, gallery.rows, metric);
  const effort = { leastSamples: 1000, mostSamples: 1000, timingMs: 0, batchRounds: 3 };
  const point = await measurePoint(built, { truth, parameters, effort });
  const key = { data: trial.seed, size: trial.rows, seed: "check", engines: "check" };
  const saved = await new BuildStore(folder, key).keep(built);
  const footprint = await measureFootprint(saved);
  const memory = "failed" in footprint ? {} : { memoryBytes: measured(footprint.memoryBytes, 1) };
  return { ...point, figures: { ...point.figures, ...memory } };
}

function checkApart(task: Task): Point {
  const file = join(task.folder, "task.json");
  writeFileSync(file, JSON.stringify(task));
  const args = ["--import", "tsx", fileURLToPath(import.meta.url), "--check", file];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(readFileSync(`${file}.out`, "utf8")) as Point;
}

async function pickFor(trial: Trial, limits: Limits, builds: string): Promise<ChoiceOutcome> {
  const gallery = draw(trial, trial.rows, "gallery");
  const split = splitQueries(gallery, draw(trial, queries, "queries"), trial.seed);
  const data: ChoiceData = {
    name: trial.seed,
    version: trial.seed,
    metric,
    heldOut: false,
    ...split,
  };
  return choose({
    data,
    limits,
    k: 10,
    budgetMs: 1000 * Number(values.budget),
    engines: ["faiss", "two-stage"],
    builds,
    seed: trial.seed,
    events: { stage: () => undefined, progress: () => undefined },
  });
}

interface Outcome {
  readonly pick: string;
  readonly sure: boolean;
  readonly broken: readonly string[];
  /** The pick's time over that of the fastest measured point that keeps every limit. */
  readonly timesAsLong: number;
}

async function run(number: number): Promise<Outcome | null> {
  const trial = trialOf(number);
  const limits = limitsOf(number);
  const folder = mkdtempSync(join(tmpdir(), "choose-trials-"));
  try {
    const { pick, sure, judged } = await pickFor(trial, limits, folder);
    if (pick === null) return null;
    const { setting, parameters } = pick.point;
    const again = checkApart({ trial, setting, parameters, folder });
    const broken = checkLimits(again, limits).filter((c) => c.excess > 0);
    const fitting = judged.filter((j) => j.standing === "met");
    const timeOf = (j: { readonly point: Point }): number => valueOf(j.point, "p50Ms")!;
    const fastest = Math.min(timeOf(pick), ...fitting.map(timeOf));
    return {
      pick: pointName(pick.point),
      sure,
      broken: broken.map((c) => `${c.option} ${c.found?.toPrecision(4)} for ${c.needs}`),
      timesAsLong: timeOf(pick) / fastest,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function told({ pick, sure, broken }: Outcome): string {
  return `${pick}${sure ? "" : " (not sure)"}: ${broken.join("; ") || "kept"}`;
}

async function main(): Promise<void> {
  const outcomes: (Outcome | null)[] = [];
  const wanted = Number(values.trials);
  const made = (): number => outcomes.filter((o) => o !== null).length;
  for (let number = 0; made() < wanted && number < 3 * wanted; number++) {
    const outcome = await run(number);
    outcomes.push(outcome);
    console.log(`${number}: ${outcome ? told(outcome) : "nothing keeps the limits"}`);
  }
  const picked = outcomes.filter((o) => o !== null);
  const sure = picked.filter((o) => o.sure);
  const kept = (of: readonly Outcome[]): number => of.filter((o) => o.broken.length === 0).length;
  const late = picked.filter((o) => o.timesAsLong > 1 + tolerance).length;
  const row = (name: string, of: readonly Outcome[]) => {
    if (of.length === 0) return [name, 0, 0, null];
    const { low, high } = wilsonInterval(kept(of), of.length);
    const share = { value: kept(of) / of.length, ci: [low, high] as [number, number] };
    return [name, of.length, kept(of), share];
  };
  await writeResult({
    name: "choose-trials",
    title: "Picks measured again",
    subject: "search-engines",
    command: commandLine(process.argv),
    findings: [
      `${kept(picked)} of ${picked.length} picks kept every limit in a fresh process on other ` +
        `queries (${kept(sure)} of ${sure.length} that were called sure); in ` +
        `${outcomes.length - picked.length} further trials nothing kept the limits drawn.`,
      `In ${late} trials a measured point that keeps every limit was more than 15% faster.`,
    ],
    tables: [
      {
        columns: [
          { head: "picks", unit: "text" },
          { head: "trials", unit: "count" },
          { head: "limits kept", unit: "count" },
          { head: "share", unit: "share" },
        ],
        rows: [row("all", picked), row("called sure", sure)],
      },
    ],
  });
}

if (values.check === undefined) await main();
else {
  const point = await check(JSON.parse(readFileSync(values.check, "utf8")) as Task);
  writeFileSync(`${values.check}.out`, JSON.stringify(point));
}
