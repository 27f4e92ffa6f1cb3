import { Crew } from "./crew.js";
import { storeReady, writeStore, type Rendered } from "./drawings.js";
import { peopleOf } from "./heads.js";
import { openSource, packageVersion, sources } from "./sources.js";
import type { Progress } from "../../src/pipeline/types.js";

/** Part of every seed: another number is another benchmark. */
export const seed = "mini/1";

/** People by part: numbers of `heads.ts`, each with so many expressions. No person is in two parts. */
export const crowd = { test: 450, dev: 100, train: 900 } as const;
export const expressions = { test: 5, dev: 5, train: 8 } as const;

export type Part = keyof typeof crowd;

/** The person numbers of each part. Deterministic, and distinct in their traits. */
export function people(): Record<Part, number[]> {
  const all = peopleOf(seed, 0, crowd.test + crowd.dev + crowd.train);
  return { test: all.slice(0, crowd.test), dev: all.slice(crowd.test, crowd.test + crowd.dev), train: all.slice(crowd.test + crowd.dev) };
}

export const packageStores: readonly string[] = sources.map((s) => s.name);

const batch = 64;

/** Renders what is missing of the drawings; finished stores are kept. `parts` says whose heads are wanted. */
export async function drawStores(folder: string, crew: Crew, parts: readonly Part[], progress: Progress = () => undefined): Promise<void> {
  const jobs: { name: string; version: string; tasks: Parameters<Crew["do"]>[0][] }[] = [];
  for (const source of sources) {
    const version = packageVersion(source.npm);
    if (storeReady(folder, source.name, version)) continue;
    const { keys } = openSource(source);
    jobs.push({ name: source.name, version, tasks: batches(keys).map((part) => ({ kind: "rasterise", source: source.name, keys: part })) });
  }
  const version = packageVersion("@dicebear/collection");
  const missing = parts.filter((part) => !storeReady(folder, `head-${part}`, version));
  const persons = missing.length > 0 ? people() : null;
  for (const part of missing) {
    const heads = persons![part].flatMap((person) => Array.from({ length: expressions[part] }, (_, e): [number, number] => [person, e]));
    jobs.push({ name: `head-${part}`, version, tasks: batches(heads).map((list) => ({ kind: "heads", seed, heads: list })) });
  }
  const total = jobs.reduce((n, job) => n + job.tasks.length, 0);
  let done = 0;
  await Promise.all(jobs.map(async ({ name, version: made, tasks }) => {
    const results = await Promise.all(tasks.map(async (task) => {
      const result = await crew.do(task) as (Rendered | null)[];
      progress(++done * batch, total * batch);
      return result;
    }));
    await writeStore(folder, name, made, results.flat());
  }));
}

function batches<T>(list: readonly T[]): T[][] {
  const out: T[][] = [];
  for (let i = 0; i < list.length; i += batch) out.push(list.slice(i, i + batch));
  return out;
}
