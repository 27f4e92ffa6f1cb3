// One query at a time, one thread, 145,235 x 512 (the gallery of the paper's Table 7): Faiss called
// from C++ (search-native.cc, a process without Node), the same Faiss through the addon, and the
// packages faiss-node and usearch. The engines take turns, a block of queries each, in an order
// that changes from round to round, so that what disturbs the machine disturbs all. Where in memory
// an index comes to lie makes a scan up to a tenth faster or slower for as long as it lies there,
// whoever scans: every placement therefore loads all indexes anew, in C++ in a new process, and
// intervals are over placements. Ratios are of medians; the ratio of 10th percentiles compares the
// queries that other programs disturbed least. Beside wall time stands CPU time, of the whole
// process (in Node with its compiler and garbage collector), which other programs disturb less.
//
//   npx tsx bench/search.ts [--placements 10] [--rounds 6] [--block 8] [--rows 145235] [--k 10]
//   [--json]
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import {
  faissBuildDetails,
  loadIndex,
  openIndex,
  saveIndex,
  setFaissThreads,
} from "../src/pipeline/index/engine.js";
import { packageVersion } from "../src/pipeline/package-version.js";
import { projectRoot } from "../src/pipeline/root.js";
import type { Codes, VectorIndex, Vectors } from "../src/pipeline/types.js";
import { writeResult, type BenchCell, type Measured } from "./result.js";

const { values } = parseArgs({
  options: {
    placements: { type: "string", default: "10" },
    rounds: { type: "string", default: "6" },
    block: { type: "string", default: "8" },
    rows: { type: "string", default: "145235" },
    k: { type: "string", default: "10" },
    json: { type: "boolean", default: false },
  },
});
const [placements, rounds, realBlock, rows, k] = [
  values.placements,
  values.rounds,
  values.block,
  values.rows,
  values.k,
].map(Number) as [number, number, number, number, number];
const dim = 512;
/**
 * A binary query takes a tenth of the time: its blocks are longer, so that starting one weighs as
 * little.
 */
const binaryBlock = realBlock * 10;

/** Milliseconds of each query of a block, their best rows, and the CPU milliseconds a query. */
interface Answer {
  readonly ms: readonly number[];
  readonly best: readonly number[];
  readonly cpuMs: number;
}

interface Engine {
  readonly name: string;
  ask(first: number, count: number): Promise<Answer>;
  close(): void;
}

interface Ratio {
  readonly ratio: number;
  readonly ci: readonly [number, number];
}

interface Line {
  readonly engine: string;
  readonly medianMs: number;
  /** 25th and 75th percentile of all queries. */
  readonly quartilesMs: readonly [number, number];
  readonly medianCpuMs: number;
  /** Medians over those of C++, with their 95% intervals; null for C++ itself. */
  readonly wall: Ratio | null;
  /** Of the 10th percentiles. */
  readonly fastest: Ratio | null;
  readonly cpu: Ratio | null;
}

const folder = mkdtempSync(join(tmpdir(), "shitu-bench-search-"));
process.env.OMP_NUM_THREADS = "1";
process.env.OPENBLAS_NUM_THREADS = "1";
try {
  setFaissThreads(1);
  const native = await compile();
  const random = seeded(7);
  const vectors = unitVectors(rows, random);
  const queries = unitVectors(rounds * binaryBlock, random);
  const tables = {
    "IDMap2,Flat, inner product": await flat(native, vectors, queries),
    "BFlat, Hamming": await binary(native, sign(vectors), sign(queries)),
  };
  const build = faissBuildDetails();
  const setting = {
    rows,
    dim,
    k,
    threads: 1,
    placements,
    rounds,
    queriesARound: [realBlock, binaryBlock],
    faiss:
      build && `${build.version} ${build.level} ${build.flags}, ${build.blasConfig ?? build.blas}`,
    "faiss-node": packageVersion("faiss-node"),
    usearch: packageVersion("usearch"),
    node: process.version,
  };
  await writeResult(resultOf(tables));
  if (values.json) console.log(JSON.stringify({ setting, tables }, null, 2));
  else report(setting, tables);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function flat(native: string, gallery: Vectors, queries: Vectors): Promise<Line[]> {
  const shape = { kind: "real", metric: "inner-product", dim } as const;
  const filled = async (engine: string, factory: string): Promise<VectorIndex> => {
    const index = await openIndex({ ...shape, engine, factory });
    await index.add(gallery);
    return index;
  };
  const file = await saved(
    await filled("faiss", "IDMap2,Flat"),
    "flat",
    new Uint8Array(queries.data.buffer),
  );
  return race(realBlock, async () => [
    await nativeEngine(native, file),
    inNode(
      "faiss (the addon)",
      await loadIndex({ ...shape, engine: "faiss", factory: "IDMap2,Flat", file: file.index }),
      queries,
    ),
    inNode("faiss-node", await filled("faiss-node", "Flat"), queries),
    inNode("usearch exactSearch", await filled("usearch", "Flat"), queries),
  ]);
}

async function binary(native: string, gallery: Codes, queries: Codes): Promise<Line[]> {
  const shape = {
    kind: "binary",
    metric: "hamming",
    dim,
    engine: "faiss",
    factory: "BFlat",
  } as const;
  const index = await openIndex(shape);
  await index.add(gallery);
  const file = await saved(index, "bflat", queries.data);
  return race(binaryBlock, async () => [
    await nativeEngine(native, file),
    inNode("faiss (the addon)", await loadIndex({ ...shape, file: file.index }), queries),
  ]);
}

async function saved(
  index: VectorIndex,
  name: string,
  queries: Uint8Array,
): Promise<{ index: string; queries: string }> {
  const files = { index: join(folder, `${name}.index`), queries: join(folder, `${name}.queries`) };
  await saveIndex(index, files.index);
  index.close();
  writeFileSync(files.queries, queries);
  return files;
}

function inNode(name: string, index: VectorIndex, queries: Vectors | Codes): Engine {
  const width = "bits" in queries ? queries.bits / 8 : queries.dim;
  return {
    name,
    async ask(first, count) {
      const ms: number[] = [];
      const best: number[] = [];
      const cpu = process.cpuUsage();
      for (let q = first; q < first + count; q++) {
        const one = { ...queries, data: queries.data.subarray(q * width, (q + 1) * width) } as
          Vectors | Codes;
        const start = performance.now();
        const found = index.searchSync(one, k);
        ms.push(performance.now() - start);
        best.push(found.rows[0]!);
      }
      const { user, system } = process.cpuUsage(cpu);
      return { ms, best, cpuMs: (user + system) / 1000 / count };
    },
    close: () => {
      index.close();
    },
  };
}

/** The index that the addon saved, in a process of its own. */
async function nativeEngine(
  program: string,
  files: { index: string; queries: string },
): Promise<Engine> {
  const child: ChildProcessWithoutNullStreams = spawn(program, [
    files.index,
    files.queries,
    String(k),
  ]);
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done) throw new Error("search-native ended early");
    return String(value);
  };
  await next(); // it has read its index
  return {
    name: "faiss (C++)",
    async ask(first, count) {
      child.stdin.write(`${first} ${count}\n`);
      const [cpuNs, ...pairs] = (await next()).trim().split(" ");
      const answers = pairs.map((pair) => pair.split(":").map(Number) as [number, number]);
      return {
        ms: answers.map(([ns]) => ns / 1e6),
        best: answers.map(([, best]) => best),
        cpuMs: Number(cpuNs) / 1e6 / count,
      };
    },
    close: () => {
      child.stdin.end();
    },
  };
}

async function race(block: number, place: () => Promise<readonly Engine[]>): Promise<Line[]> {
  const names: string[] = [];
  /** Of each engine, a list of its samples per placement. */
  const wall: number[][][] = [];
  const cpu: number[][][] = [];
  for (let p = 0; p < placements; p++) {
    const engines = await place();
    const answers = await turns(engines, block);
    for (const [e, engine] of engines.entries()) {
      engine.close();
      names[e] = engine.name;
      (wall[e] ??= []).push(answers[e]!.flatMap((a) => a.ms));
      (cpu[e] ??= []).push(answers[e]!.map((a) => a.cpuMs));
    }
  }
  return names.map((engine, e) => {
    const all = wall[e]!.flat();
    return {
      engine,
      medianMs: quantile(all, 0.5),
      quartilesMs: [quantile(all, 0.25), quantile(all, 0.75)],
      medianCpuMs: quantile(cpu[e]!.flat(), 0.5),
      wall: e === 0 ? null : overNative(wall[e]!, wall[0]!),
      fastest: e === 0 ? null : overNative(wall[e]!, wall[0]!, 0.1),
      cpu: e === 0 ? null : overNative(cpu[e]!, cpu[0]!),
    };
  });
}

/** What each engine answers in `rounds` rounds of one placement. */
async function turns(engines: readonly Engine[], block: number): Promise<Answer[][]> {
  const answers = engines.map((): Answer[] => []);
  for (let i = 0; i < 3; i++) for (const engine of engines) await engine.ask(0, block); // warm-up
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < engines.length; turn++) {
      // Forwards and backwards in turn, from another place each time: no engine always follows the
      // same one.
      const e =
        (round % 2 === 0 ? turn + round : engines.length - 1 - turn + round) % engines.length;
      answers[e]!.push(await engines[e]!.ask(round * block, block));
    }
    // All must find the same (random unit vectors do not tie; codes do): a faster engine that finds
    // less is no engine.
    for (const [e, list] of answers.entries()) {
      const [mine, native] = [list.at(-1)!.best.join(), answers[0]!.at(-1)!.best.join()];
      if (engines.length > 2 && mine !== native)
        throw new Error(`${engines[e]!.name} finds other rows: ${mine} against ${native}`);
    }
  }
  return answers;
}

/**
 * Ratio of quantiles (medians unless said), and the 2.5th and 97.5th percentile of it over
 * placements drawn again with replacement.
 */
function overNative(
  mine: readonly (readonly number[])[],
  native: readonly (readonly number[])[],
  p = 0.5,
): Ratio {
  const random = seeded(1);
  const ratios = Array.from({ length: 2000 }, () => {
    const drawn = Array.from(mine, () => Math.floor(random() * mine.length));
    return (
      quantile(
        drawn.flatMap((r) => mine[r]!),
        p,
      ) /
      quantile(
        drawn.flatMap((r) => native[r]!),
        p,
      )
    );
  });
  return {
    ratio: quantile(mine.flat(), p) / quantile(native.flat(), p),
    ci: [quantile(ratios, 0.025), quantile(ratios, 0.975)],
  };
}

function quantile(samples: readonly number[], p: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = p * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low]! + (at - low) * ((sorted[low + 1] ?? sorted[low]!) - sorted[low]!);
}

function unitVectors(n: number, random: () => number): Vectors {
  const data = new Float32Array(n * dim);
  for (let row = 0; row < n; row++) {
    let sum = 0;
    for (let i = row * dim; i < (row + 1) * dim; i++) {
      data[i] = random() + random() + random() - 1.5; // near enough to normal
      sum += data[i]! ** 2;
    }
    for (let i = row * dim; i < (row + 1) * dim; i++) data[i]! /= Math.sqrt(sum);
  }
  return { data, dim };
}

function sign({ data }: Vectors): Codes {
  const codes = new Uint8Array(data.length / 8);
  for (let i = 0; i < data.length; i++) if (data[i]! > 0) codes[i >> 3]! |= 0x80 >> (i & 7);
  return { data: codes, bits: dim };
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The C++ side, with the flags and the very library that the addon is linked with. */
async function compile(): Promise<string> {
  const { provideFaiss } = (await import(join(projectRoot, "setup", "faiss.mjs"))) as {
    provideFaiss: (
      root: string,
      say: (text: string) => void,
    ) => Promise<{ compileFlags: string[]; linkFlags: string[] }>;
  };
  const { cxx, cpuLevel, machineFlags } = (await import(
    join(projectRoot, "setup", "compiler.mjs")
  )) as { cxx: () => string; cpuLevel: () => string; machineFlags: (level: string) => string[] };
  const faiss = await provideFaiss(projectRoot, () => undefined);
  const program = join(folder, "search-native");
  const child = spawn(
    cxx(),
    [
      "-std=c++17",
      "-O3",
      ...machineFlags(cpuLevel()),
      ...faiss.compileFlags,
      join(projectRoot, "bench", "search-native.cc"),
      "-o",
      program,
      ...faiss.linkFlags,
    ],
    { stdio: "inherit" },
  );
  const [code] = (await once(child, "exit")) as [number];
  if (code !== 0) throw new Error("search-native.cc does not compile");
  return program;
}

function resultOf(tables: Record<string, Line[]>): Measured {
  const ratio = (r: Ratio | null): BenchCell => r && { value: r.ratio, ci: [r.ci[0], r.ci[1]] };
  return {
    name: "search",
    title: "One query beside Faiss called from native code",
    subject: "search-engines",
    findings: [
      `${rows} x ${dim}, one thread, ${placements} placements in memory, ${rounds} rounds; ` +
        "ratios over C++ with their 95% intervals.",
    ],
    tables: Object.entries(tables).map(([caption, lines]) => ({
      caption,
      columns: [
        { head: "engine", unit: "text" },
        { head: "median", unit: "ms" },
        { head: "of medians", unit: "ratio" },
        { head: "of 10th percentiles", unit: "ratio" },
        { head: "of CPU", unit: "ratio" },
      ],
      rows: lines.map((l) => [l.engine, l.medianMs, ratio(l.wall), ratio(l.fastest), ratio(l.cpu)]),
    })),
  };
}

function report(setting: Record<string, unknown>, tables: Record<string, Line[]>): void {
  console.log(
    Object.entries(setting)
      .map(([name, value]) => `${name} ${String(value)}`)
      .join("; "),
  );
  const ratio = (r: Ratio | null): string =>
    r ? `${r.ratio.toFixed(3)} (${r.ci[0].toFixed(3)} - ${r.ci[1].toFixed(3)})` : "1";
  for (const [name, lines] of Object.entries(tables)) {
    const row = (cells: readonly string[]): void => {
      console.log(
        cells
          .map((c, i) => (i === 0 ? c.padEnd(22) : c.padStart([0, 11, 19, 24, 24, 11, 24][i]!)))
          .join(""),
      );
    };
    console.log(`\n${name}; ratios over C++ with their 95% intervals`);
    row(["engine", "wall", "quartiles", "ratio of medians", "of 10th percentiles", "CPU", "ratio"]);
    for (const l of lines)
      row([
        l.engine,
        `${l.medianMs.toFixed(3)} ms`,
        `${l.quartilesMs[0].toFixed(3)} - ${l.quartilesMs[1].toFixed(3)}`,
        ratio(l.wall),
        ratio(l.fastest),
        `${l.medianCpuMs.toFixed(3)} ms`,
        ratio(l.cpu),
      ]);
  }
}
