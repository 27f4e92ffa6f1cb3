import type { Crew } from "./crew.js";
import { storeReady, writeStore, type Rendered } from "./drawings.js";
import { expressions, people, seed, type Part } from "./people.js";
import { openSource, packageVersion, sources } from "./sources.js";
import type { Progress } from "../../src/pipeline/types.js";

const batch = 64;

/**
 * Renders what is missing of the drawings; finished stores are kept. `parts` says whose heads are
 * wanted.
 */
export async function drawStores(
  folder: string,
  crew: Crew,
  parts: readonly Part[],
  progress: Progress = () => undefined,
): Promise<void> {
  const jobs: { name: string; version: string; tasks: Parameters<Crew["do"]>[0][] }[] = [];
  for (const source of sources) {
    const version = packageVersion(source.npm);
    if (storeReady(folder, source.name, version)) continue;
    const { keys } = openSource(source);
    jobs.push({
      name: source.name,
      version,
      tasks: batches(keys).map((part) => ({ kind: "rasterise", source: source.name, keys: part })),
    });
  }
  const version = packageVersion("@dicebear/collection");
  const missing = parts.filter((part) => !storeReady(folder, `head-${part}`, version));
  const persons = missing.length > 0 ? people() : null;
  for (const part of missing) {
    const heads = persons![part].flatMap((person) =>
      Array.from({ length: expressions[part] }, (_, e): [number, number] => [person, e]),
    );
    jobs.push({
      name: `head-${part}`,
      version,
      tasks: batches(heads).map((list) => ({ kind: "heads", seed, heads: list })),
    });
  }
  const total = jobs.reduce((n, job) => n + job.tasks.length, 0);
  let done = 0;
  await Promise.all(
    jobs.map(async ({ name, version: made, tasks }) => {
      const results = await Promise.all(
        tasks.map(async (task) => {
          const result = (await crew.do(task)) as (Rendered | null)[];
          progress(++done * batch, total * batch);
          return result;
        }),
      );
      await writeStore(folder, name, made, results.flat());
    }),
  );
}

function batches<T>(list: readonly T[]): T[][] {
  const out: T[][] = [];
  for (let i = 0; i < list.length; i += batch) out.push(list.slice(i, i + batch));
  return out;
}
