import type { Interval } from "../../src/eval/types.js";
import { defaultIntervals } from "../../src/eval/stats/interval-plan.js";
import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Case } from "../../src/eval/record/case.js";
import { casesToArrow } from "../../src/eval/record/cases.js";
import { boxesFrom, type FoundRow } from "./case-boxes.js";
import {
  writeRecord,
  type Cell,
  type Finding,
  type RecordedScore,
  type RunRecord,
} from "../../src/eval/record/record.js";
import { samplesToArrow } from "../../src/eval/record/samples.js";
import { wilsonInterval } from "../../src/eval/stats/proportion.js";
import { Random } from "../../src/eval/stats/random.js";
import { failedGate } from "../eval/gate/failed-gate.js";
import { makePictures, pictureBoxes, pictureNames } from "./make-pictures.js";

/**
 * Invented run records of every kind, written by the real writer: what the pages are tested and
 * looked at with. `npx tsx test/reports/make-records.ts FOLDER [CASES]` writes them; with CASES,
 * one record of so many cases more.
 */

export const hostile = "<img src=x onerror=alert(1)>";

type Completed = Extract<Cell, { state: "completed" }>;
interface Made {
  readonly cell: Cell;
  readonly cases?: readonly Omit<Case, "cell">[];
  readonly samples?: Record<string, number[]>;
  readonly curves?: Record<string, number[]>;
}

const noCase = {
  image: null,
  truth: null,
  prediction: null,
  score: null,
  rank: null,
  neighbours: null,
  boxes: null,
  width: null,
  height: null,
  lostAt: null,
  stageMs: null,
} satisfies Partial<Case>;

const ratio = (
  metric: string,
  value: number,
  n: number,
  withInterval = true,
  of?: Record<string, string>,
): RecordedScore => ({
  metric,
  unit: "ratio",
  better: "higher",
  value,
  n,
  interval: withInterval ? wilsonInterval(Math.round(value * n), n) : null,
  ...(of && { of }),
});
const between = (low: number, high: number, units: number): Interval => ({
  low,
  high,
  level: defaultIntervals.level,
  method: "order-statistics",
  units,
});
const amount = (
  metric: string,
  unit: "ms" | "bytes" | "count",
  value: number,
  n = 1,
  of?: Record<string, string>,
): RecordedScore => ({
  metric,
  unit,
  better: "lower",
  value,
  n,
  interval: unit === "ms" ? between(value * 0.96, value * 1.05, n) : null,
  ...(of && { of }),
});

function completed(
  kind: string,
  labels: Record<string, string>,
  scores: RecordedScore[],
  more: Partial<Pick<Completed, "errors" | "notes">> & { findings?: Finding[] } = {},
): Completed {
  return {
    id: `${kind}-${createHash("sha256").update(JSON.stringify(labels)).digest("hex").slice(0, 10)}`,
    kind,
    labels,
    versions: { model: "sha256:5f2c81d0", engine: "faiss 1.7.3" },
    state: "completed",
    scores,
    errors: more.errors ?? [],
    notes: more.notes ?? [],
    ...(more.findings && { findings: more.findings }),
  };
}

/** A cell of a model whose card is not there, as the runner writes it. */
function waiting(kind: string, labels: Record<string, string>): Made {
  const hash = createHash("sha256").update(JSON.stringify(labels)).digest("hex");
  return {
    cell: {
      id: `${kind}-waits-${hash.slice(0, 8)}`,
      kind,
      labels,
      versions: {},
      state: "failed",
      code: "file-unreadable",
      message: `models/${labels.model}/card.yaml: no such file. Fix: check the path`,
    },
  };
}

/** Detection over invented pictures: boxes with hits, false and missed ones, and the AP numbers. */
function detection(
  random: Random,
  labels: Record<string, string>,
  ap: number,
  n: number,
  pictures: readonly string[],
): Made {
  const cases = Array.from({ length: n }, (_, i) => {
    const image = pictures[i % pictures.length]!;
    const { width, height, boxes } = pictureBoxes(image);
    const found = boxes.flatMap((b, j): FoundRow[] => {
      const jitter = (): number => random.normal() * 6;
      const kept = random.next() < ap + 0.35;
      const hit = (): FoundRow => [
        b.x0 + jitter(),
        b.y0 + jitter(),
        b.x1 + jitter(),
        b.y1 + jitter(),
        0.4 + random.next() * 0.59,
        j === 0 ? hostile : "object",
        "hit",
      ];
      const stray = (): FoundRow => [
        random.next() * 80,
        random.next() * 80,
        120 + random.next() * 100,
        140 + random.next() * 60,
        0.2 + random.next() * 0.4,
        "object",
        "false",
      ];
      return [...(kept ? [hit()] : []), ...(random.next() < 0.3 ? [stray()] : [])];
    });
    const hits = found.filter((f) => f[6] === "hit").length;
    const score = (2 * hits) / (boxes.length + found.length);
    return {
      ...noCase,
      item: image,
      image,
      outcome: score === 1 ? ("hit" as const) : ("miss" as const),
      score,
      width,
      height,
      boxes: boxesFrom(
        boxes.map((b) => [b.x0, b.y0, b.x1, b.y1, "object"]),
        found,
      ),
    };
  });
  const recall = Array.from({ length: 101 }, (_, i) => i / 100);
  const precision = recall.map((r) =>
    r > ap + 0.35 ? 0 : Math.max(0, Math.min(1, 1 - (1 - ap) * r ** 2 * 1.2)),
  );
  const scores = [
    ratio("AP", ap, n),
    ratio("AP50", Math.min(0.98, ap + 0.31), n),
    ratio("AP75", ap - 0.02, n),
    ratio("AP-small", ap / 3, Math.round(n / 8)),
    ratio("AP-medium", ap * 0.9, Math.round(n / 2)),
    ratio("AP-large", ap * 1.1, Math.round(n / 2)),
    ratio("AR@1", ap + 0.09, n),
    ratio("AR@10", ap + 0.17, n),
    ratio("AR@100", ap + 0.17, n),
    amount(
      "model-size",
      "bytes",
      labels.model?.includes("erver")
        ? 6_400_000
        : labels.model?.includes("int8")
          ? 1_100_000
          : 3_600_000,
    ),
    amount("latency", "ms", labels.model?.includes("erver") ? 41 : 11.8, 64),
    ...["classification", "localisation", "duplicate", "background", "missed"].map((error, i) =>
      ratio("AP-loss", [0, 0.07, 0.02, 0.05, 0.11][i]! * (1 - ap) * 2, n, false, { error }),
    ),
  ];
  return { cell: completed("detection", labels, scores), cases, curves: { recall, precision } };
}

/**
 * Retrieval: each query hits with probability `p`; harder items are hard for every model, so that
 * pairs correlate.
 */
function retrieval(
  random: Random,
  labels: Record<string, string>,
  p: number,
  n: number,
  options: {
    bytes?: number;
    ms?: number;
    pictures?: readonly string[];
    seed?: string;
    errors?: Completed["errors"];
  } = {},
): Made {
  const hardness = new Random(options.seed ?? labels.dataset ?? "hard");
  const classes = Math.max(2, Math.round(n / 5));
  const cases = Array.from({ length: n }, (_, i) => {
    const hard = hardness.next();
    const hit = 0.75 * hard + 0.25 * random.next() < p * 1.02 - 0.02 + (hard < 0.5 ? 0.05 : -0.03);
    const truth = i === 0 ? hostile : `item ${String(i % classes).padStart(3, "0")}`;
    const other = `item ${String((i * 7 + 3) % classes).padStart(3, "0")}`;
    const picture = options.pictures?.[i % options.pictures.length] ?? null;
    const near = (k: number): string | null =>
      options.pictures?.[(i * 3 + k + 1) % options.pictures.length] ?? null;
    const top = 0.95 - 0.5 * hard;
    return {
      ...noCase,
      item: i === 1 ? hostile : `${labels.dataset ?? "set"}/${String(i).padStart(5, "0")}.jpg`,
      image: picture,
      outcome: hit ? ("hit" as const) : ("miss" as const),
      truth,
      prediction: hit ? truth : other,
      score: top,
      rank: hit ? 0 : 1 + random.below(9),
      neighbours: [
        { label: hit ? truth : other, score: top, picture: near(0) },
        { label: truth, score: top - 0.04, picture: near(1) },
        { label: other, score: top - 0.09, picture: near(2) },
      ],
    };
  });
  const hits = cases.filter((c) => c.outcome === "hit").length;
  const at1 = hits / n;
  const binary = labels.codes !== "real";
  const scores = [
    ratio("recall@1", at1, n),
    ratio("recall@5", Math.min(1, at1 + (1 - at1) * 0.55), n),
    ratio("recall@10", Math.min(1, at1 + (1 - at1) * 0.7), n),
    ratio("mAP", at1 * 0.84, n),
    ...(options.bytes === undefined ? [] : [amount("index-size", "bytes", options.bytes)]),
    ...(options.ms === undefined ? [] : [amount("retrieval-time", "ms", options.ms, 200)]),
    ...(binary
      ? [
          ratio("recall@1", Math.min(1, at1 + 0.012), n, false, { ties: "optimistic" }),
          ratio("recall@1", at1 - 0.014, n, false, { ties: "pessimistic" }),
        ]
      : []),
  ];
  return { cell: completed("retrieval", labels, scores, { errors: options.errors ?? [] }), cases };
}

/** Samples of stages, log-normal about their medians, and their percentiles. */
function latency(
  random: Random,
  labels: Record<string, string>,
  stages: Record<string, number>,
  n = 200,
  options: { notes?: string[]; server?: boolean } = {},
): Made {
  const samples: Record<string, number[]> = Object.fromEntries(
    Object.entries(stages).map(([stage, median]) => [
      stage,
      Array.from(
        { length: n },
        () => median * Math.exp(random.normal() * 0.12 + (random.next() < 0.04 ? 0.5 : 0)),
      ),
    ]),
  );
  samples.overall = Array.from({ length: n }, (_, i) =>
    Object.keys(stages).reduce((sum, s) => sum + samples[s]![i]!, 0),
  );
  const at = (list: number[], q: number): number =>
    [...list].sort((a, b) => a - b)[Math.floor(q * (n - 1))]!;
  const of = (rate: number): Record<string, string> => ({
    rate: rate.toFixed(1),
    percentile: "90",
    boundMs: "100",
  });
  const base = 1000 / at(samples.overall, 0.5);
  const tried =
    options.server === true
      ? [0.2, 0.4, 0.6, 0.8].map((share) => ({
          rate: base * share,
          ms: at(samples.overall!, 0.9) / (1 - share),
          verdict: at(samples.overall!, 0.9) / (1 - share) <= 100 ? "met" : "missed",
        }))
      : [];
  const findings: Finding[] = tried.map(({ rate, ms, verdict }) => ({
    about: "server",
    of: of(rate),
    verdict,
    why: `${ms.toFixed(1)} ms against a bound of 100 ms`,
  }));
  const scenarios: RecordedScore[] =
    options.server === true
      ? [
          {
            metric: "throughput",
            unit: "per-second",
            better: "higher",
            of: { scenario: "offline" },
            value: base * 1.1,
            n: 6,
            interval: between(base, base * 1.2, 6),
          },
          {
            metric: "single-stream-latency",
            unit: "ms",
            better: "lower",
            of: { percentile: "99" },
            value: null,
            why: "100 queries; early stopping needs 662 at least",
          },
          ...tried.map(({ rate, ms }) => amount("server-latency", "ms", ms, 100, of(rate))),
          amount("cold-start", "ms", 800, 6, { phase: "total" }),
          amount("peak-memory", "bytes", 150_000_000, 6, { process: "fresh" }),
        ]
      : [];
  const scores = Object.entries(samples).flatMap(([stage, list]) =>
    [0.5, 0.9, 0.99].map((q) =>
      amount("latency", "ms", at(list, q), n, { stage, percentile: String(q * 100) }),
    ),
  );
  samples["peak-memory"] = [150_000_000, 151_000_000];
  return {
    cell: completed("latency", labels, [...scores, ...scenarios], {
      notes: options.notes ?? [],
      ...(findings.length > 0 && {
        findings: [
          ...findings,
          {
            about: "drift",
            of: { stage: "decode" },
            verdict: "drifting",
            why: "the samples drift by 9.5% from first to last",
          },
        ],
      }),
    }),
    samples,
  };
}

/** Systems that took turns, each of them twice. */
function comparison(systems: readonly string[], ratios: readonly number[]): Made {
  const self = (system: string, i: number): RecordedScore => ({
    metric: "self-ratio",
    unit: "ratio",
    better: "neither",
    of: { system },
    value: 1 + 0.002 * i,
    n: 50,
    interval: between(0.98, 1.02, 50),
  });
  const pair = (second: string, i: number): RecordedScore => ({
    metric: "latency-ratio",
    unit: "ratio",
    better: "lower",
    of: { first: systems[0]!, second },
    value: ratios[i]!,
    n: 50,
    interval: between(ratios[i]! * 0.97, ratios[i]! * 1.03, 50),
  });
  return {
    cell: completed(
      "latency-comparison",
      { systems: systems.join(", "), threads: "1" },
      [...systems.map(self), ...systems.slice(1).map(pair)],
      {
        findings: [
          ...systems.map((system, i): Finding => ({
            about: "noise",
            of: { system },
            verdict: i === 0 ? "passed" : "failed",
            why: `50 rounds: ${system} against itself`,
          })),
          ...systems.slice(1).map((second): Finding => ({
            about: "comparison",
            of: { first: systems[0]!, second },
            verdict: "faster",
            why: `${second} changes the time`,
          })),
        ],
      },
    ),
  };
}

interface Written {
  readonly name: string;
  readonly title: string;
  readonly day: string;
  readonly made: readonly Made[];
  readonly reference?: boolean;
  /** What a choice of an index says beyond its points. */
  readonly choice?: object;
}

async function write(
  runs: string,
  pictures: string,
  { name, title, day, made, reference, choice }: Written,
): Promise<void> {
  const by = (pick: (m: Made) => unknown): string =>
    JSON.stringify(
      Object.fromEntries(
        made.flatMap((m) => (pick(m) === undefined ? [] : [[m.cell.id, pick(m)]])),
      ),
    );
  const record: RunRecord = {
    schema: 2,
    id: `${day}-${name}-0a1b2c3d`,
    state: made.every((m) => m.cell.state === "completed") ? "completed" : "failed",
    experiment: {
      name,
      title,
      version: 1,
      protocol: "standard",
      config: { name, threads: 1 },
      configHash: "0a1b2c3d".repeat(8),
      intervals: { ...defaultIntervals },
    },
    provenance: {
      startedAt: `${day}T09:30:00.000Z`,
      finishedAt: `${day}T09:34:12.000Z`,
      tool: "shitu-bench 0.1.0",
      commit: "e625eea1b2c3",
      machine: {
        cpuModel: { value: "Example CPU @ 2.70GHz" },
        logicalCores: { value: 2 },
        governor: { value: null, why: "no cpufreq files" },
        vectorExtensions: { value: ["avx2", "fma"] },
        totalMemoryBytes: { value: 25_165_824_000 },
        loadAverage: { value: [0.5, 0.4, 0.3] },
        threadVariables: {},
        platform: "linux",
        kernel: "6.1.0",
      },
      versions: {
        node: "v20.20.0",
        "onnxruntime-node": "1.30.0",
        faiss: "1.7.3 avx2",
        sharp: "0.35.5",
      },
    },
    cells: made.map((m) => m.cell),
  };
  const datasets = new Set(made.flatMap((m) => m.cell.labels.dataset ?? []));
  await writeRecord(reference ? join(runs, "reference") : runs, record, {
    "cases.arrow": casesToArrow(
      made.flatMap((m) => (m.cases ?? []).map((c) => ({ ...c, cell: m.cell.id }))),
    ),
    ...(name === "first-light"
      ? { "samples.json": by((m) => m.samples) }
      : {
          "samples.arrow": samplesToArrow(
            Object.fromEntries(made.flatMap((m) => (m.samples ? [[m.cell.id, m.samples]] : []))),
          ),
        }),
    "curves.json": by((m) => m.curves),
    "images.json": JSON.stringify(Object.fromEntries([...datasets].map((d) => [d, pictures]))),
    ...(choice && { "choice.json": JSON.stringify(choice) }),
  });
}

const recognitionSets = ["Aliproduct", "VeRI-Wild", "LogoDet-3K", "iCartoonFace", "SOP", "Inshop"];
const detectionSets = ["Objects365", "COCO2017", "iCartoonFace", "LogoDet-3K", "RPC"];
const rendered = "rendered pictures and models of our own, at small scale";

/** What `shitu choose` would say of the index sweep. */
const choiceAnswer = {
  schema: 1,
  gallery: { vectors: 30_000 },
  faiss: "faiss 1.7.3 avx2",
  pick: { name: "BIVF nprobe 8" },
  sure: true,
  families: [
    { family: "binary IVF", because: "picked", why: "the pick", best: { name: "BIVF nprobe 8" } },
    { family: "PQ", because: "not-measured", why: `would take 4 min ${hostile}`, best: null },
  ],
  growth: {
    figures: [
      {
        figure: "p50Ms",
        samples: [
          { size: 7500, value: 0.02, halfWidth: 0 },
          { size: 30_000, value: 0.05, halfWidth: 0 },
        ],
        predictions: [
          { size: 60_000, value: 0.08, ci: [0.06, 0.1], extrapolated: true },
          { size: 120_000, value: 0.12, ci: null, extrapolated: true },
        ],
      },
      { figure: "buildMs", samples: [{ size: 30_000, value: 90 }], predictions: [] },
    ],
  },
  warnings: [{ code: "nprobe-default", message: "set nprobe to 8" }],
};

/** Writes all records into `runs`, their pictures beside it. */
export async function makeRecords(runs: string, { extraCases = 0 } = {}): Promise<void> {
  const random = new Random("reports");
  const pictures = join(dirname(runs), "pictures");
  await makePictures(pictures);
  await mkdir(runs, { recursive: true });
  const paper = (table: string, rest: Record<string, string>): Record<string, string> => ({
    paperTable: table,
    notComparable: rendered,
    ...rest,
  });
  const mini = (set: string): string => `mini-${set.toLowerCase()}`;

  const firstLight = (day: string, shift: number): Written => {
    const drink = { model: "MobileNetV2", dataset: "drink" };
    const missing = [
      { item: "213/0.jpg", code: "image-missing", message: "213/0.jpg: no such file" },
      { item: hostile, code: "image-unreadable", message: `${hostile}: not a picture` },
    ];
    return {
      name: "first-light",
      title: "First light",
      day,
      made: [
        detection(
          random.split(`d${day}`),
          { model: "PicoDet-XS", dataset: "raccoon" },
          0.418 - shift,
          200,
          pictureNames,
        ),
        retrieval(
          random.split(`f${day}`),
          { ...drink, index: "Flat", codes: "real" },
          0.75 - shift,
          1065,
          { bytes: 5_472_301, ms: 0.21, pictures: pictureNames, seed: "drink", errors: missing },
        ),
        retrieval(
          random.split(`h${day}`),
          { ...drink, index: "HNSW32", codes: "real" },
          0.746 - shift,
          1065,
          { bytes: 5_754_110, ms: 0.09, pictures: pictureNames, seed: "drink" },
        ),
        retrieval(
          random.split(`i${day}`),
          { ...drink, index: "IVF133,Flat", codes: "real", nprobe: "1" },
          0.69 - shift,
          1065,
          { bytes: 6_161_002, ms: 0.03, pictures: pictureNames, seed: "drink" },
        ),
        retrieval(
          random.split(`b${day}`),
          { ...drink, index: "BFlat", codes: "sign" },
          0.71 - shift,
          1065,
          { bytes: 171_041, ms: 0.012, pictures: pictureNames, seed: "drink" },
        ),
        latency(
          random.split(`l${day}`),
          { system: "PicoDet-XS + MobileNetV2", index: "HNSW32", threads: "1" },
          {
            decode: 3.1,
            preprocess: 1.9,
            detect: 14.2,
            crop: 0.4,
            embed: 21.5,
            search: 0.3,
            suppress: 0.02,
          },
          200,
          { notes: ["two runs of one system differ by 1.4 % (A/A), 95 % interval -0.9 to 3.6 %"] },
        ),
      ],
    };
  };
  await write(runs, pictures, firstLight("2026-01-29", 0.02));
  await write(runs, pictures, firstLight("2026-02-03", 0));

  const detectors = [
    ["server-detector", "PP-YOLO R50-vd-DCNv2", 0.52],
    ["light-detector", "PP-PicoDet", 0.5],
    ["light-detector-int8", "PP-PicoDet Int8", 0.49],
  ] as const;
  await write(runs, pictures, {
    name: "mini-table4",
    title: "Table 4, small scale",
    day: "2026-02-01",
    reference: true,
    made: detectors.flatMap(([model, theirs, base]) =>
      detectionSets.map((set, i) =>
        detection(
          random.split(`${model}${set}`),
          paper("4", {
            model,
            dataset: `${mini(set)}-scenes`,
            paperModel: theirs,
            paperDataset: set,
          }),
          base - 0.04 * i + 0.02 * random.next(),
          300,
          pictureNames,
        ),
      ),
    ),
  });

  const specialists = [
    ["ResNet50_vd Aliproduct", 0],
    ["ResNet50* VeRI-Wild", 1],
    ["ResNet50* LogoDet-3k", 2],
    ["ResNet50_vd iCartoonFace", 3],
    ["ResNet50_vd Inshop", 5],
  ] as const;
  const general = [
    ["light-general", "PP-LCNet-2.5x", 0.72],
    ["light-general-int8", "PP-LCNet-2.5x Int8", 0.71],
  ] as const;
  const recognizers = [
    ...specialists.map(
      ([theirs, own]) =>
        [
          `specialist ${recognitionSets[own]!.toLowerCase()}`,
          theirs,
          (set: number) => (set === own ? 0.78 : 0.31),
        ] as const,
    ),
    ...general.map(([model, theirs, p]) => [model, theirs, () => p] as const),
  ];
  await write(runs, pictures, {
    name: "mini-table5",
    title: "Table 5, small scale",
    day: "2026-02-01",
    reference: true,
    made: recognizers.flatMap(([model, theirs, p]) =>
      recognitionSets.map((set, i) => {
        const made = retrieval(
          random.split(`${model}${set}`),
          paper("5", {
            model,
            dataset: mini(set),
            index: "Flat",
            codes: "real",
            paperModel: theirs,
            paperDataset: set,
          }),
          p(i) - 0.03 * i + 0.06,
          500,
          { pictures: pictureNames },
        );
        (made.cell as { scores: RecordedScore[] }).scores.push(
          amount("latency", "ms", model.startsWith("light") ? 6.2 : 15.4, 64),
        );
        return made;
      }),
    ),
  });

  const networks: [string, number, number, number, number, number][] = [
    ["PP-LCNet-0.25x", 1.52e6, 18.4e6, 0.611, 0.842, 1.9],
    ["MobileNetV2-0.25x", 1.52e6, 34.1e6, 0.604, 0.835, 2.7],
    ["MobileNetV3-small-0.35x", 1.67e6, 15.2e6, 0.588, 0.829, 2.4],
    ["ShuffleNetV2-0.33x", 0.64e6, 24.3e6, 0.597, 0.84, 3.4],
  ];
  await write(runs, pictures, {
    name: "mini-table6",
    title: "Table 6, small scale",
    day: "2026-02-01",
    reference: true,
    made: networks
      .map(([model, params, macs, top1, top5, time]): Made => {
        const cell = completed(
          "classification",
          paper("6", { model, dataset: "mini-classes", paperModel: model }),
          [
            ratio("top-1", top1, 1000),
            ratio("top-5", top5, 1000),
            amount("params", "count", params),
            amount("macs", "count", macs),
            amount("latency", "ms", time, 200),
          ],
        );
        return {
          cell,
          cases: Array.from({ length: 60 }, (_, i) => ({
            ...noCase,
            item: `v${i}.png`,
            outcome: i % 3 === 0 ? ("miss" as const) : ("hit" as const),
            truth: i === 0 ? hostile : "cup",
            prediction: "bowl",
          })),
        };
      })
      .concat(
        ["cls-a", "cls-b", "cls-b"].map((model, i): Made =>
          waiting("classification", { model, dataset: `classes ${i}` }),
        ),
      ),
  });

  const three = ["Aliproduct", "iCartoonFace", "LogoDet-3K"];
  const codes = [
    ["light-general", "Real-Value", "real", 0.74, "Flat"],
    ["light-dshsd", "Binary", "sign", 0.69, "BFlat"],
  ] as const;
  const sizes: Made[] = codes.map(([model, theirs, code, , index]) => ({
    cell: completed(
      "index",
      {
        paperTable: "7",
        model,
        index,
        codes: code,
        dataset: "generated 145,235 x 512",
        paperModel: theirs,
      },
      [
        amount("index-size", "bytes", code === "real" ? 298_603_250 : 9_295_073),
        amount("retrieval-time", "ms", code === "real" ? 10.8 : 0.91, 200),
      ],
    ),
  }));
  await write(runs, pictures, {
    name: "mini-table7",
    title: "Table 7, small scale",
    day: "2026-02-01",
    reference: true,
    made: [
      ...sizes,
      ...codes.flatMap(([model, theirs, code, p, index]) =>
        three.map((set, i) =>
          retrieval(
            random.split(`${model}${set}7`),
            paper("7", {
              model,
              dataset: mini(set),
              index,
              codes: code,
              paperModel: theirs,
              paperDataset: set,
            }),
            p - 0.02 * i,
            600,
            {
              bytes: code === "real" ? 3_100_000 : 97_000,
              ms: code === "real" ? 0.18 : 0.02,
              pictures: pictureNames,
            },
          ),
        ),
      ),
    ],
  });

  const distilled = [
    ["light-plain-1", "PP-LCNet-2.5x", 0.72],
    ["light-dml-1", "PP-LCNet-2.5x + DML", 0.735],
    ["light-u-dml-1", "PP-LCNet-2.5x + U-DML", 0.745],
  ] as const;
  await write(runs, pictures, {
    name: "mini-table8",
    title: "Table 8, small scale",
    day: "2026-02-01",
    reference: true,
    made: distilled.flatMap(([model, theirs, p]) =>
      recognitionSets.map((set, i) =>
        retrieval(
          random.split(`${model}${set}8`),
          paper("8", {
            model,
            dataset: mini(set),
            index: "Flat",
            codes: "real",
            paperModel: theirs,
            paperDataset: set,
          }),
          p - 0.02 * i,
          500,
          { pictures: pictureNames },
        ),
      ),
    ),
  });

  const systems = [
    [
      "server",
      "Server Model",
      { decode: 4, preprocess: 2.1, detect: 61, crop: 0.6, embed: 70, search: 0.7, suppress: 0.03 },
    ],
    [
      "light",
      "PP-ShiTu",
      { decode: 4, preprocess: 2, detect: 17, crop: 0.6, embed: 24, search: 0.7, suppress: 0.03 },
    ],
  ] as const;
  await write(runs, pictures, {
    name: "mini-table9",
    title: "Table 9, small scale",
    day: "2026-02-01",
    reference: true,
    made: systems
      .flatMap(([system, theirs, stages], s) => {
        const timed = latency(
          random.split(system),
          paper("9", { system, threads: "1", paperSystem: theirs }),
          stages,
          300,
          { server: true },
        );
        const lost: Record<string, number> = {
          missed: 38,
          "wrong-crop": 17,
          embedding: 41,
          index: 4,
          threshold: 9,
          suppressed: 6,
        };
        const f1 = ["A", "B", "C", "D"].flatMap((definition, i) =>
          ["held-out", "default"].map((threshold, j) =>
            ratio("F1", 0.58 - 0.04 * i - 0.03 * s - 0.02 * j, 200, true, {
              definition,
              threshold,
            }),
          ),
        );
        const stagesOf = Object.keys(lost);
        const pipeline = completed("pipeline", { system, dataset: "mini-test-200" }, [
          ...f1,
          ...stagesOf.map((stage) =>
            ratio("objects", (lost[stage]! + 5 * s) / 420, 420, true, { stage }),
          ),
        ]);
        const cases = Array.from({ length: 200 }, (_, i) => {
          const image = pictureNames[i % pictureNames.length]!;
          const { width, height, boxes } = pictureBoxes(image);
          const hit = random.next() < 0.55;
          return {
            ...noCase,
            item: i === 2 ? hostile : `query ${i}`,
            image,
            outcome: hit ? ("hit" as const) : ("miss" as const),
            truth: i === 0 ? hostile : `item ${i % 40}`,
            prediction: hit ? `item ${i % 40}` : `item ${(i + 9) % 40}`,
            score: 0.4 + random.next() * 0.5,
            width,
            height,
            lostAt: hit ? null : stagesOf[random.below(stagesOf.length)]!,
            neighbours: [0, 1, 2].map((k) => ({
              label: k === 0 && hit ? `item ${i % 40}` : `item ${(i + k) % 40}`,
              score: 0.9 - 0.1 * k,
              picture: pictureNames[(i + k) % pictureNames.length]!,
            })),
            boxes: boxesFrom(
              boxes.map((b) => [b.x0, b.y0, b.x1, b.y1, `item ${i % 40}`]),
              boxes.slice(0, hit ? undefined : 1).map((b): FoundRow => {
                const label = hit ? `item ${i % 40}` : hostile;
                const picture = pictureNames[i % pictureNames.length]!;
                return [
                  ...([b.x0 + 3, b.y0 - 2, b.x1 + 4, b.y1 + 2] as const),
                  0.7,
                  label,
                  hit ? "kept" : "below-threshold",
                  [
                    { label, score: 0.7, picture },
                    { label: hostile, score: 0.6, picture: null },
                  ],
                ];
              }),
            ),
          };
        });
        return [timed, { cell: pipeline, cases }];
      })
      .concat(comparison(["server", "light"], [0.35])),
  });

  const sweep: Made[] = [];
  for (const [family, settings] of [
    ["Flat", [""]],
    ["IVF", ["1", "4", "16", "64"]],
    ["HNSW32", ["16", "64", "256"]],
    ["BFlat", [""]],
    ["BIVF", ["1", "8", "32"]],
    ["BHNSW32", ["16", "64", "256"]],
  ] as const) {
    settings.forEach((setting, i) => {
      const [binary, hnsw, flat] = [
        family.startsWith("B"),
        family.includes("HNSW"),
        family.endsWith("Flat"),
      ];
      const neighbour = flat ? 1 : hnsw ? [0.709, 0.963, 0.998][i]! : [0.702, 0.85, 0.91, 0.97][i]!;
      const label =
        (flat ? 1 : hnsw ? [0.739, 0.974, 1][i]! : [0.933, 0.975, 0.985, 0.994][i]!) *
        (binary ? 0.95 : 1) *
        0.985;
      const time =
        (flat ? 21 : hnsw ? [0.63, 2.4, 12.8][i]! : [0.2, 0.6, 1.9, 6.4][i]!) / (binary ? 12 : 1);
      const memory = ((hnsw ? 70 : flat ? 61 : 63) * 2 ** 20) / (binary ? 26 : 1);
      sweep.push({
        cell: completed(
          "index",
          {
            vectors: "30000 x 512",
            index: family,
            codes: binary ? "binary" : "real",
            ...(hnsw ? { efSearch: setting } : flat ? {} : { nprobe: setting }),
          },
          [
            ratio("neighbour-recall@1", neighbour, 1000),
            ratio("label-recall@1", label, 1000),
            amount("retrieval-time", "ms", time, 1000),
            amount("index-size", "bytes", memory * 0.96),
            amount("memory-bytes", "bytes", memory),
            amount("build-time", "ms", flat ? 40 : hnsw ? 9800 : 2300),
          ],
          {
            notes:
              hnsw && i === 0
                ? [
                    "efSearch 16 is PP-ShiTu's default and misses every fourth neighbour " +
                      `here ${hostile}`,
                  ]
                : [],
          },
        ),
      });
    });
  }
  await write(runs, pictures, {
    name: "index-sweep",
    title: "Index sweep, 30,000 vectors",
    day: "2026-02-02",
    made: sweep,
    choice: choiceAnswer,
  });

  const failed: Made = {
    cell: {
      id: "retrieval-failed",
      kind: "retrieval",
      labels: { model: hostile, dataset: hostile, index: "Flat", codes: "real" },
      versions: {},
      state: "failed",
      code: "model-missing",
      message: `${hostile}: no such file. Fix: check the path`,
    },
  };
  const hostileRun = (day: string): Written => ({
    name: "hostile",
    title: hostile,
    day,
    made: [
      failed,
      detection(
        random.split(`h1${day}`),
        { model: hostile, dataset: hostile },
        0.3,
        24,
        pictureNames,
      ),
      retrieval(
        random.split(`h2${day}`),
        { model: hostile, dataset: hostile, index: hostile, codes: "real" },
        0.5,
        40,
        { bytes: 1000, ms: 1, pictures: pictureNames },
      ),
      retrieval(
        random.split(`h3${day}`),
        { model: `${hostile} binary`, dataset: hostile, index: "BFlat", codes: "binary" },
        0.4,
        40,
        { bytes: 100, ms: 0.1, pictures: pictureNames },
      ),
      latency(
        random.split(`h4${day}`),
        { system: hostile },
        { detect: 3, embed: 4, [hostile]: 2 },
        40,
        { notes: [hostile], server: true },
      ),
      comparison([hostile, `${hostile} again`], [0.5]),
      waiting("retrieval", { model: hostile.replaceAll(/[ /]/g, ""), dataset: "d" }),
      {
        cell: completed("pipeline", { system: hostile, dataset: hostile }, [
          ratio("F1", 0.4, 40, true, { definition: hostile }),
          ratio("objects", 0.1, 40, true, { stage: hostile }),
        ]),
      },
      {
        cell: completed(
          "index",
          { index: hostile, codes: "real" },
          [
            ratio("label-recall@1", 0.5, 40),
            ratio("neighbour-recall@1", 0.6, 40),
            amount("retrieval-time", "ms", 1, 40),
            amount("index-size", "bytes", 1000),
            amount("memory-bytes", "bytes", 1000),
            amount("build-time", "ms", 5),
          ],
          { notes: [hostile] },
        ),
      },
      {
        cell: completed("classification", { model: hostile, dataset: hostile }, [
          ratio("top-1", 0.5, 40),
          ratio("top-5", 0.7, 40),
          amount("params", "count", 1e6),
          amount("macs", "count", 2e7),
          amount("latency", "ms", 2, 40),
        ]),
      },
    ],
  });
  // Two of them, to be compared.
  await write(runs, pictures, hostileRun("2026-01-14"));
  await write(runs, pictures, hostileRun("2026-01-15"));

  await write(runs, pictures, {
    name: "nothing",
    title: "A record without cells",
    day: "2026-01-10",
    made: [],
  });
  for (const [folder, text] of [
    ["2026-01-09-broken-11112222", '{ "schema": 1, '],
    [`2026-01-08-${hostile.replaceAll("/", "")}-33334444`, JSON.stringify({ schema: 7 })],
  ] as const) {
    await mkdir(join(runs, folder), { recursive: true });
    await writeFile(join(runs, folder, "run.json"), text);
  }

  const shelf = completed("gate", { baseline: "old", candidate: "new", dataset: "shelf" }, []);
  await write(runs, pictures, {
    name: "gate-recognition",
    title: "Gate: Embedder",
    day: "2026-01-20",
    made: [
      {
        cell: shelf,
        cases: failedGate.datasets[0]!.flips.map(({ item, truth }, i) => ({
          ...noCase,
          item,
          image: pictureNames[i % pictureNames.length]!,
          outcome: "miss" as const,
          truth,
          prediction: hostile,
        })),
      },
    ],
  });
  const gate = join(runs, "2026-01-20-gate-recognition-0a1b2c3d", "gate.json");
  await writeFile(gate, JSON.stringify(failedGate));

  if (extraCases > 0) {
    const cells = 20;
    await write(runs, pictures, {
      name: "large",
      title: `${extraCases} cases`,
      day: "2026-02-04",
      made: Array.from({ length: cells }, (_, i) =>
        retrieval(
          random.split(`large${i}`),
          {
            model: `model ${i % 5}`,
            dataset: `set ${Math.floor(i / 5)}`,
            index: "Flat",
            codes: "real",
          },
          0.6 + 0.015 * i,
          extraCases / cells,
          { bytes: 5_000_000, ms: 0.2, pictures: pictureNames },
        ),
      ),
    });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder, extra = "0"] = process.argv.slice(2);
  if (folder === undefined)
    throw new Error("usage: tsx test/reports/make-records.ts FOLDER [CASES]");
  await makeRecords(folder, { extraCases: Number(extra) });
}
