/**
 * The paper's largest retrieval set in full: 145,235 x 512, one left out, every metric over the
 * whole exact ranking. Prints time and peak memory.
 *
 *   npx tsx bench/retrieval-scale.ts                     real vectors, all rows
 *   npx tsx bench/retrieval-scale.ts --binary sign       their sign codes
 *   npx tsx bench/retrieval-scale.ts --rows 20000 --threads 1
 *
 * The set is generated, seeded: three levels (category, product, picture), about three pictures a
 * product as in Aliproduct, with categories close enough that some products are confused. It is
 * written as .npy by one process and scored by another, whose memory is then its own.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { writeNpy } from "../datasets/formats/npy.js";
import { readVectors } from "../datasets/formats/vector-file.js";
import { relevance, codeTexts } from "../src/eval/metrics/retrieval/relevance.js";
import { rankQueries } from "../src/eval/metrics/retrieval/retrieval.js";
import { retrievalScores } from "../src/eval/metrics/retrieval/retrieval-scores.js";
import { Random } from "../src/eval/stats/random.js";
import { binarise } from "../src/pipeline/index/binarise.js";
import { rankRowsPlain } from "../src/pipeline/index/row-ranks-plain.js";
import { rankRows, ranksAddon } from "../src/pipeline/index/row-ranks.js";
import { isCodes, type Codes, type Vectors } from "../src/pipeline/types.js";
import { commandLine, writeResult } from "./result.js";

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "145235" },
    dim: { type: "string", default: "512" },
    threads: { type: "string", default: String(availableParallelism()) },
    binary: { type: "string" },
    file: { type: "string" },
    step: { type: "string" },
  },
});
const rows = Number(values.rows);
const dim = Number(values.dim);
const threads = Number(values.threads);

/** Product of each row; sizes 1 to 5, drawn. */
function products(): Int32Array {
  const random = new Random("retrieval-scale/products");
  const product = new Int32Array(rows);
  for (let row = 0, number = 0; row < rows; number++)
    for (let left = 1 + random.below(5); left > 0 && row < rows; left--) product[row++] = number;
  return product;
}

async function generate(file: string): Promise<void> {
  const random = new Random("retrieval-scale/vectors");
  const unit = (length: number) =>
    Float32Array.from(
      { length: dim },
      () => (random.normal() / Math.sqrt(dim)) * Math.sqrt(length),
    );
  const categories = Array.from({ length: 500 }, () => unit(0.5));
  const data = new Float32Array(rows * dim);
  let own = unit(0);
  let category = own;
  products().forEach((p, row, all) => {
    if (row === 0 || all[row - 1] !== p)
      [own, category] = [unit(0.1), categories[random.below(categories.length)]!];
    const noise = unit(0.4);
    let norm = 0;
    for (let i = 0; i < dim; i++) norm += (noise[i] = noise[i]! + own[i]! + category[i]!) ** 2;
    for (let i = 0; i < dim; i++) data[row * dim + i] = noise[i]! / Math.sqrt(norm);
  });
  await writeNpy(file, data, [rows, dim]);
}

async function measure(file: string): Promise<void> {
  const started = performance.now();
  const vectors = await readVectors(file);
  const readMs = performance.now() - started;
  const labels = Array.from(products(), String);
  const set: Vectors | Codes =
    values.binary === undefined ? vectors : (binarise(vectors.data, dim, "sign") as Codes);
  const cpuBefore = process.cpuUsage();
  const rankingStarted = performance.now();
  let shown = 0;
  const evidence = await rankQueries(
    { queries: set, gallery: set, queryLabels: labels, galleryLabels: labels, leaveOneOut: true },
    {
      threads,
      progress: (done, total) => {
        if (done / total >= shown + 0.1)
          process.stderr.write(
            `${done}/${total} queries, ` +
              `${((performance.now() - rankingStarted) / 1000).toFixed(0)} s\n`,
          );
        if (done / total >= shown + 0.1) shown = done / total;
      },
    },
  );
  const rankingMs = performance.now() - rankingStarted;
  const cpu = process.cpuUsage(cpuBefore);
  const scoringStarted = performance.now();
  const { scores, queries, unanswerable } = retrievalScores(evidence);
  const scoringMs = performance.now() - scoringStarted;
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  const checked = await checkSample(set, labels);
  await writeResult({
    name: isCodes(set) ? "retrieval-scale-sign" : "retrieval-scale",
    title: `Exact ranking at full scale${isCodes(set) ? " with codes" : ""}`,
    subject: "retrieval",
    command: commandLine(process.argv.slice(0, process.argv.indexOf("--step"))),
    findings: [
      `${rows} x ${dim} generated, one left out, all metrics, ${threads} threads. ` +
        `${unanswerable} queries without a positive. Twenty queries again in plain TypeScript: ` +
        `${checked ? "every count and score the same" : "NOT the same"}.`,
    ],
    tables: [
      {
        columns: [
          { head: "reading", unit: "ms" },
          { head: "ranking, CPU", unit: "ms" },
          { head: "ranking, wall", unit: "ms" },
          { head: "scores", unit: "ms" },
          { head: "peak memory", unit: "bytes" },
        ],
        rows: [[readMs, (cpu.user + cpu.system) / 1000, rankingMs, scoringMs, peakBytes]],
      },
      {
        columns: [
          { head: "metric", unit: "text" },
          { head: "value", unit: "ratio" },
        ],
        rows: scores.map((s) => [s.metric, s.value]),
      },
    ],
  });
  console.log(
    JSON.stringify(
      {
        rows,
        dim,
        codes: isCodes(set),
        threads,
        addon: ranksAddon() !== null,
        readMs: Math.round(readMs),
        rankingMs: Math.round(rankingMs),
        rankingCpuMs: Math.round((cpu.user + cpu.system) / 1000),
        scoringMs: Math.round(scoringMs),
        ...(!isCodes(set) && {
          gigaflopsPerCpuSecond: Math.round(
            (2 * rows * rows * dim) / (cpu.user + cpu.system) / 1000,
          ),
        }),
        peakBytes,
        underTwoGB: peakBytes < 2e9,
        queries,
        unanswerable,
        undecidedFirst: evidence.undecidedFirst,
        sampleEqualsPlainTypeScript: checked,
        scores: Object.fromEntries(
          scores.map((s) => [
            s.metric,
            s.value === null ? s.why : { value: s.value, interval: s.interval, bounds: s.bounds },
          ]),
        ),
      },
      null,
      2,
    ),
  );
}

/** Twenty queries again in plain TypeScript: every count and score must be the same. */
async function checkSample(set: Vectors | Codes, labels: readonly string[]): Promise<boolean> {
  const coded = codeTexts(labels, labels);
  const relevant = relevance({ labels: coded, uids: null, leaveOneOut: true });
  const width = isCodes(set) ? set.bits / 8 : set.dim;
  for (let i = 0; i < 20; i++) {
    const q = Math.floor((i * rows) / 20);
    const { positives, junk } = relevant.of(q, q + 1);
    const data = set.data.subarray(q * width, (q + 1) * width);
    const plain = rankRowsPlain({
      queries: data,
      gallery: set.data,
      dim: width,
      markedStart: positives.start,
      marked: positives.rows,
      excludedStart: junk.start,
      excluded: junk.rows,
      top: 10,
    });
    const native = await rankRows({
      queries: { ...set, data } as Vectors,
      gallery: set,
      marked: positives,
      excluded: junk,
      top: 10,
      threads,
    });
    for (const key of Object.keys(plain) as (keyof typeof plain)[])
      if (plain[key].some((v, j) => v !== native[key][j])) return false;
  }
  return true;
}

if (values.step === "generate") await generate(values.file!);
else if (values.step === "measure") await measure(values.file!);
else {
  const folder = mkdtempSync(join(tmpdir(), "retrieval-scale-"));
  try {
    for (const step of ["generate", "measure"]) {
      const args = [
        "--import",
        "tsx",
        fileURLToPath(import.meta.url),
        ...process.argv.slice(2),
        "--step",
        step,
        "--file",
        join(folder, "set.npy"),
      ];
      const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
      if (status !== 0) process.exit(status ?? 3);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}
