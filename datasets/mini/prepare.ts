// mini/: drawings of installed packages and a seed in; pictures, lists and annotations of every set
// out. It never sees a model or a metric.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { asWriteError, writeAtomic } from "../../src/pipeline/atomic-file.js";
import { projectRoot } from "../../src/pipeline/root.js";
import type { Progress } from "../../src/pipeline/types.js";
import type { Catalogue } from "./catalogue.js";
import { Crew } from "./crew.js";
import { headStyles } from "./heads.js";
import type { Outcome, SetPlan } from "./plan.js";
import { plannerOf, planners } from "./render.js";
import { sources, packageVersion } from "./sources.js";
import { packageStores, seed } from "./people.js";
import { drawStores } from "./stores.js";
import { stock } from "./tasks.js";

/**
 * Counted up when the generator is changed in a way that changes pictures: a folder made by another
 * number is made anew.
 */
export const generator = 1;

/** Where the rendered benchmark lies, ignored by git. */
export const buildFolder = join(projectRoot, "datasets", "mini", "build");
/** Hashes of the pictures as they were when the committed figures were measured. */
export const expectedFile = join(projectRoot, "datasets", "mini", "expected.json");

export interface SetRecord {
  readonly name: string;
  readonly task: SetPlan["task"];
  readonly standsFor: string;
  readonly differs: string;
  readonly counts: Readonly<Record<string, number>>;
  /** SHA-256 over the lists, annotations and the hashes of all pictures. */
  readonly digest: string;
  /**
   * Pictures whose pixels differ from the committed ones; null where nothing is committed for this
   * set.
   */
  readonly differing: number | null;
}

export interface MiniManifest {
  readonly schema: 1;
  readonly generator: number;
  readonly seed: string;
  /** Versions of what turned drawings into pixels. */
  readonly renderer: Readonly<Record<string, string>>;
  readonly hash: string;
  readonly splits: Readonly<Record<string, number>>;
  readonly sources: readonly {
    readonly name: string;
    readonly npm: string;
    readonly version: string;
    readonly licence: string;
    readonly author: string;
    readonly origin: string;
    readonly drawings: number;
    readonly duplicates: number;
    readonly unusable: number;
  }[];
  readonly heads: readonly {
    readonly style: string;
    readonly licence: string;
    readonly author: string;
  }[];
  readonly sets: readonly SetRecord[];
}

export interface PrepareOptions {
  readonly folder?: string;
  /** Worker threads; as many as there are cores where left out. */
  readonly workers?: number;
  /** Sets to make; all where left out. */
  readonly sets?: readonly string[];
  readonly progress?: (what: string) => Progress;
}

const chunk = 50;

/** Renders the benchmark, or what is missing of it. A set appears whole or not at all. */
export async function prepareMini({
  folder = buildFolder,
  workers = availableParallelism(),
  sets = Object.keys(planners),
  progress = () => () => undefined,
}: PrepareOptions = {}): Promise<MiniManifest> {
  const crew = new Crew(workers);
  try {
    const drawings = join(folder, "drawings");
    await drawStores(drawings, crew, ["test"], progress("drawings"));
    const stores = [...packageStores, "head-test"];
    const { catalogue, drawings: stocked } = await stock(drawings, stores);
    const key = keyOf(stocked.hashes);
    const expected = await readExpected();
    const plans = Object.values(planners).map((planner) => planner(catalogue));
    const wanted = plans.filter((plan) => sets.includes(plan.name));
    const total = wanted.reduce((n, plan) => n + plan.pictures.length, 0);
    const report = progress("pictures");
    let done = 0;
    const records: SetRecord[] = [];
    for (const plan of plans) {
      // The manifest tells of sets of earlier calls as well.
      const outcomes = wanted.includes(plan)
        ? await renderSet(plan, {
            folder,
            key,
            crew,
            drawings,
            stores,
            tick: (n) => {
              report((done += n), total);
            },
          })
        : await finishedSet(plan, folder, key);
      if (outcomes) records.push(recordOf(plan, outcomes, expected));
    }
    const manifest = manifestOf(records, catalogue, stocked.unusable, stocked.hashes.keys());
    await writeAtomic(join(folder, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
    return manifest;
  } finally {
    await crew.close();
  }
}

/** Names everything that a set's pictures depend on: the generator, the seed, the drawings. */
function keyOf(hashes: ReadonlyMap<string, string>): string {
  return createHash("sha256")
    .update(JSON.stringify([generator, seed, [...hashes]]))
    .digest("hex");
}

/**
 * Where and with whose help a set is rendered. `key` names everything that its pictures depend on.
 */
export interface Site {
  readonly folder: string;
  readonly key: string;
  readonly crew: Pick<Crew, "do">;
  readonly drawings: string;
  readonly stores: readonly string[];
  readonly tick: (pictures: number) => void;
}

/** One set, rendered beside its place and renamed when complete; a complete one is kept. */
export async function renderSet(
  plan: SetPlan,
  { folder, key, crew, drawings, stores, tick }: Site,
): Promise<readonly Outcome[]> {
  const finished = await finishedSet(plan, folder, key);
  if (finished) {
    tick(plan.pictures.length);
    return finished;
  }
  const place = join(folder, plan.name);
  const fresh = join(folder, `.${plan.name}.${process.pid}`);
  await dropRemains(folder, plan.name);
  try {
    for (const sub of new Set(plan.pictures.map(({ file }) => dirname(file))))
      await mkdir(join(fresh, sub), { recursive: true });
    const ranges = Array.from(
      { length: Math.ceil(plan.pictures.length / chunk) },
      (_, i) => [i * chunk, Math.min(plan.pictures.length, (i + 1) * chunk)] as const,
    );
    const outcomes = (
      await Promise.all(
        ranges.map(async ([from, to]) => {
          const part = (await crew.do({
            kind: "render",
            drawings,
            stores,
            set: plan.name,
            from,
            to,
            out: fresh,
          })) as Outcome[];
          tick(to - from);
          return part;
        }),
      )
    ).flat();
    for (const [name, text] of Object.entries(plan.files(outcomes)))
      await writeAtomic(join(fresh, name), text);
    await writeAtomic(join(fresh, "outcomes.json"), JSON.stringify({ key, outcomes }));
    await rm(place, { recursive: true, force: true });
    await rename(fresh, place);
    return outcomes;
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    throw asWriteError(place, error);
  }
}

/** The outcomes of a set that is complete and was made from the same things; null otherwise. */
async function finishedSet(
  plan: SetPlan,
  folder: string,
  key: string,
): Promise<readonly Outcome[] | null> {
  const stamp = join(folder, plan.name, "outcomes.json");
  if (!existsSync(stamp)) return null;
  const made = JSON.parse(await readFile(stamp, "utf8")) as { key: string; outcomes: Outcome[] };
  return made.key === key && made.outcomes.length === plan.pictures.length ? made.outcomes : null;
}

/** Removes what killed processes left of a set. */
async function dropRemains(folder: string, name: string): Promise<void> {
  const entries = existsSync(folder) ? await readdir(folder) : [];
  for (const entry of entries) {
    if (!entry.startsWith(`.${name}.`)) continue;
    try {
      process.kill(Number(entry.slice(name.length + 2)), 0);
    } catch {
      await rm(join(folder, entry), { recursive: true, force: true }); // nobody is at work on it
    }
  }
}

/** What is committed of a set: the digest, and three bytes of each picture's hash, in base64. */
type Expected = Readonly<Record<string, { readonly digest: string; readonly pictures: string }>>;

async function readExpected(): Promise<Expected> {
  if (!existsSync(expectedFile)) return {};
  return (JSON.parse(await readFile(expectedFile, "utf8")) as { sets: Expected }).sets;
}

function digestOf(plan: SetPlan, outcomes: readonly Outcome[]): string {
  const hash = createHash("sha256");
  for (const [name, text] of Object.entries(plan.files(outcomes))) hash.update(`${name}\n${text}`);
  for (const outcome of outcomes) hash.update(outcome.hash);
  return hash.digest("hex");
}

const packed = (outcomes: readonly Outcome[]) =>
  Buffer.from(outcomes.map((o) => o.hash).join(""), "hex");

function recordOf(plan: SetPlan, outcomes: readonly Outcome[], expected: Expected): SetRecord {
  const { name, task, standsFor, differs, counts } = plan;
  const digest = digestOf(plan, outcomes);
  const committed = expected[name];
  return {
    name,
    task,
    standsFor,
    differs,
    counts,
    digest,
    differing:
      committed === undefined
        ? null
        : committed.digest === digest
          ? 0
          : differences(Buffer.from(committed.pictures, "base64"), packed(outcomes)),
  };
}

/** How many pictures differ, by three bytes each; another number of pictures counts whole. */
export function differences(committed: Uint8Array, here: Uint8Array): number {
  let count = Math.abs(committed.length - here.length) / 3;
  for (let i = 0; i < Math.min(committed.length, here.length); i += 3) {
    if (
      committed[i] !== here[i] ||
      committed[i + 1] !== here[i + 1] ||
      committed[i + 2] !== here[i + 2]
    )
      count++;
  }
  return count;
}

function manifestOf(
  sets: readonly SetRecord[],
  { emoji, token, logo, icon, duplicates }: Catalogue,
  unusable: ReadonlyMap<string, number>,
  names: Iterable<string>,
): MiniManifest {
  const drawn = new Map<string, number>();
  for (const name of names)
    drawn.set(name.split("/")[0]!, (drawn.get(name.split("/")[0]!) ?? 0) + 1);
  const { vips, rsvg, cairo, mozjpeg, webp, pixman } = sharp.versions as Record<string, string>;
  const splits = {
    ...prefixed("emoji", emoji),
    ...prefixed("token", token),
    ...prefixed("logo", logo),
    ...prefixed("icon", icon),
  };
  return {
    schema: 1,
    generator,
    seed,
    renderer: {
      sharp: sharp.versions.sharp ?? "",
      ...(vips && { vips }),
      ...(rsvg && { rsvg }),
      ...(cairo && { cairo }),
      ...(pixman && { pixman }),
      ...(webp && { webp }),
      ...(mozjpeg && { mozjpeg }),
      platform: `${process.platform}-${process.arch}`,
    },
    hash: createHash("sha256")
      .update(sets.map((s) => s.digest).join())
      .digest("hex"),
    splits,
    sources: sources.map(({ name, npm, spdx, author, origin }) => ({
      name,
      npm,
      version: packageVersion(npm),
      licence: spdx,
      author,
      origin,
      drawings: drawn.get(name) ?? 0,
      duplicates: duplicates.get(name) ?? 0,
      unusable: unusable.get(name) ?? 0,
    })),
    heads: headStyles.map(({ name, spdx, author }) => ({
      style: `@dicebear/collection ${name}`,
      licence: spdx,
      author,
    })),
    sets,
  };
}

function prefixed(
  family: string,
  parts: Readonly<Record<string, readonly unknown[]>>,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(parts).map(([part, things]) => [`${family}.${part}`, things.length]),
  );
}

/**
 * Renders further draws of mini-test beside the benchmark, which stays as it is; returns the names
 * of their folders.
 */
export async function renderDraws(
  draws: readonly number[],
  folder = buildFolder,
): Promise<string[]> {
  const crew = new Crew(availableParallelism());
  try {
    const drawings = join(folder, "drawings");
    const stores = [...packageStores, "head-test"];
    const { catalogue, drawings: stocked } = await stock(drawings, stores);
    const key = keyOf(stocked.hashes);
    const names = draws.map((draw) => `mini-test-draw-${draw}`);
    for (const name of names)
      await renderSet(plannerOf(name)(catalogue), {
        folder,
        key,
        crew,
        drawings,
        stores,
        tick: () => undefined,
      });
    return names;
  } finally {
    await crew.close();
  }
}

/**
 * Commits what is rendered now as what is expected: to be run when the generator is changed on
 * purpose.
 */
export async function writeExpected(folder = buildFolder): Promise<void> {
  const { catalogue } = await stock(join(folder, "drawings"), [...packageStores, "head-test"]);
  const sets: Record<string, { digest: string; pictures: string }> = {};
  for (const [name, planner] of Object.entries(planners)) {
    const plan = planner(catalogue);
    const { outcomes } = JSON.parse(
      await readFile(join(folder, name, "outcomes.json"), "utf8"),
    ) as { outcomes: Outcome[] };
    sets[name] = {
      digest: digestOf(plan, outcomes),
      pictures: packed(outcomes).toString("base64"),
    };
  }
  await writeAtomic(
    expectedFile,
    `${JSON.stringify({ schema: 1, generator, seed, sets }, null, 1)}\n`,
  );
}
