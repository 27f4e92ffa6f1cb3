/**
 * `shitu eval coco` next to its Python peers: from two files to 12 numbers, one process, CPU
 * seconds (all threads, user and system) and peak memory of the whole process, its start included.
 * Rounds are interleaved, so that a busy machine is busy for all. A peer that SHITU_PYTHON (else
 * python3) cannot import is left out.
 *
 *   npx tsx bench/coco.ts [--rounds 6] [--sets val,dense,body] [--peers
 *   faster_coco_eval,pycocotools] [--folder .cache/bench/coco] [--json]
 *
 * Ratios are of paired rounds: their median, and two order statistics that enclose it with 95% or
 * more (6 rounds at least). It is also a test: exit code 1 where the numbers of ours and a peer's
 * differ by more than 1e-12.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { quantiles } from "../src/eval/stats/quantile.js";
import { projectRoot } from "../src/pipeline/root.js";
import { benchFiles, benchSets, writeBenchSet } from "./coco-generate.js";
import { writeResult } from "./result.js";

interface Round {
  readonly values: readonly number[];
  readonly cpuS: number;
  readonly peakKiB: number;
  readonly version?: string;
}

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "6" },
    sets: { type: "string", default: Object.keys(benchSets).join(",") },
    peers: { type: "string", default: "faster_coco_eval" },
    folder: { type: "string", default: join(projectRoot, ".cache", "bench", "coco") },
    json: { type: "boolean", default: false },
  },
});
const python = process.env.SHITU_PYTHON ?? "python3";
const beside = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

function ours(truth: string, detections: string): Round {
  const args = [
    "--import",
    beside("report-usage.mjs"),
    join(projectRoot, "bin", "shitu.mjs"),
    "eval",
    "coco",
    "--truth",
    truth,
    "--detections",
    detections,
    "--json",
  ];
  const { stdout, status, output, stderr } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  if (status !== 0) throw new Error(`shitu eval coco failed: ${stderr}`);
  const { scores } = JSON.parse(stdout) as { scores: { value: number | null }[] };
  return {
    values: scores.map((score) => score.value ?? -1),
    ...(JSON.parse(output[3] as string) as { cpuS: number; peakKiB: number }),
  };
}

function peer(name: string, truth: string, detections: string): Round {
  const oneThread = { OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1", MKL_NUM_THREADS: "1" };
  const { stdout, status, stderr } = spawnSync(
    python,
    [beside("coco-peer.py"), name, truth, detections],
    { encoding: "utf8", env: { ...process.env, ...oneThread } },
  );
  if (status !== 0) throw new Error(`${name} failed: ${stderr}`);
  return JSON.parse(stdout) as Round;
}

const rounds = Number(options.rounds);
const peers = options.peers.split(",").filter((name) => {
  const found =
    spawnSync(python, ["-c", `import ${name.replace(/\W/g, "")}`], { stdio: "ignore" }).status ===
    0;
  if (!found) console.error(`${name} is not installed for ${python}: left out`);
  return found;
});
ours(...(Object.values(prepared("val")) as [string, string])); // brings dist/ up to date

function prepared(name: string): { truth: string; detections: string } {
  const set = benchSets[name];
  if (!set) throw new Error(`no set ${name}: choose from ${Object.keys(benchSets).join(", ")}`);
  const files = benchFiles(options.folder, name);
  if (!existsSync(files.truth) || !existsSync(files.detections))
    writeBenchSet(options.folder, name, set);
  return files;
}

const middle = (list: readonly number[]): number => quantiles(list, [0.5])[0]!.value as number;
const results = options.sets.split(",").map((name) => {
  const { truth, detections } = prepared(name);
  const taken: Record<string, Round[]> = {
    ours: [],
    ...Object.fromEntries(peers.map((p) => [p, []])),
  };
  for (let i = 0; i < rounds; i++) {
    for (const p of peers) taken[p]!.push(peer(p, truth, detections));
    taken.ours!.push(ours(truth, detections));
  }
  return {
    set: name,
    ...benchSets[name],
    systems: Object.entries(taken).map(([system, list]) => {
      const ratio = quantiles(
        list.map((round, i) => round.cpuS / taken.ours![i]!.cpuS),
        [0.5],
      )[0]!;
      return {
        system,
        version: list[0]?.version ?? null,
        cpuS: list.map((r) => r.cpuS),
        peakKiB: list.map((r) => r.peakKiB),
        cpuRatio: ratio.value as number,
        cpuRatioCi:
          "interval" in ratio && ratio.interval ? [ratio.interval.low, ratio.interval.high] : null,
        memoryRatio: middle(list.map((r) => r.peakKiB)) / middle(taken.ours!.map((r) => r.peakKiB)),
        largestDifference: Math.max(
          ...list[0]!.values.map((v, j) => Math.abs(v - taken.ours![0]!.values[j]!)),
        ),
      };
    }),
  };
});

if (options.json) console.log(JSON.stringify(results, null, 2));
else {
  for (const { set, detections, systems } of results) {
    console.log(`${set}: ${detections!.toLocaleString("en")} detections`);
    for (const s of systems) {
      const spread = `${Math.min(...s.cpuS).toFixed(2)} to ${Math.max(...s.cpuS).toFixed(2)}`;
      const interval = s.cpuRatioCi?.map((v) => v.toFixed(1)).join(" to ");
      const ratio =
        s.system === "ours"
          ? ""
          : `  x${s.cpuRatio.toFixed(1)} time ` +
            `(${interval ?? "too few rounds for an interval"}), ` +
            `x${s.memoryRatio.toFixed(1)} memory, numbers differ by ` +
            `${s.largestDifference.toExponential(1)} at most`;
      console.log(
        `  ${`${s.system} ${s.version ?? ""}`.padEnd(24)} ${middle(s.cpuS).toFixed(2)} CPU s ` +
          `(${spread}), ${Math.round(middle(s.peakKiB) / 1024)} MiB${ratio}`,
      );
    }
  }
}
await writeResult({
  name: "coco",
  title: "COCO AP from files beside its Python peers",
  subject: "detection",
  findings: [
    "CPU seconds of all threads, user and system, and peak resident memory of the whole process, " +
      "its start included; peers read with their own loaders, one thread. Medians; `times` are " +
      "medians of paired rounds over ours.",
  ],
  tables: [
    {
      columns: [
        { head: "set", unit: "text" },
        { head: "", unit: "text" },
        { head: "CPU", unit: "s" },
        { head: "memory", unit: "bytes" },
        { head: "times", unit: "ratio" },
        { head: "numbers differ by", unit: "ratio" },
      ],
      rows: results.flatMap(({ set, systems }) =>
        systems.map((s) => [
          set,
          `${s.system} ${s.version ?? ""}`.trim(),
          middle(s.cpuS),
          1024 * middle(s.peakKiB),
          s.system === "ours"
            ? null
            : { value: s.cpuRatio, ci: s.cpuRatioCi as [number, number] | null },
          s.largestDifference,
        ]),
      ),
    },
  ],
});
if (results.some(({ systems }) => systems.some((s) => s.largestDifference > 1e-12)))
  process.exitCode = 1;
