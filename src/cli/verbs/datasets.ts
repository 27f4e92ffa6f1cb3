import { readdirSync, existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { parse } from "yaml";
import { buildFolder, type MiniManifest } from "../../../datasets/mini/prepare.js";
import { planners } from "../../../datasets/mini/render.js";
import { releases } from "../../../datasets/releases/releases.js";
import { oneOf, UserError } from "../../pipeline/errors.js";
import { projectRoot } from "../../pipeline/root.js";
import { prepareMiniWithBars } from "../mini-preparation.js";
import { whole } from "../options.js";
import { checkRelease, prepareRelease } from "../releases.js";
import { print, printJson, table, warn } from "../terminal.js";
import type { Verb } from "../verb.js";

export const verb: Verb = {
  build(command) {
    command.description("List, describe or prepare the data sets that configs can name.");
    command
      .command("list")
      .description("Every data set, and whether it is ready.")
      .option("--json", "machine output")
      .action(list);
    command
      .command("info")
      .description(
        "What a data set is, where it comes from and in what it differs from the paper's.",
      )
      .argument("<name>", "a data set, or mini")
      .option("--json", "machine output")
      .action(info);
    command
      .command("prepare")
      .description(
        "Render the embedded benchmark, or cut the crops that a release does not have. What is " +
          "finished is kept; a broken-off run goes on where it stopped.",
      )
      .argument("<name>", `mini, ${oneOf(Object.keys(releases))}`)
      .option("--data <folder>", "where the releases are, one folder each")
      .option("--workers <n>", "rendering threads (default: as many as there are cores)")
      .option("--only <sets>", "some sets only, comma separated")
      .option("--json", "machine output")
      .action(prepare);
    command
      .command("check")
      .description(
        "What is there of a release and what is missing, counted against the paper's Tables 1 " +
          "and 2.",
      )
      .argument("<name>", "a data set of `shitu datasets list`")
      .requiredOption("--data <folder>", "where the releases are, one folder each")
      .option("--json", "machine output")
      .action(checkRelease);
  },
};

interface Entry {
  readonly name: string;
  readonly task: string;
  readonly standsFor: string | null;
  readonly manifest: string;
  readonly ready: boolean | null;
}

const isRendered = (name: string) => existsSync(join(buildFolder, name, "outcomes.json"));

/** The manifests under datasets/: one folder a set, and mini's many. */
async function entries(): Promise<Entry[]> {
  const root = join(projectRoot, "datasets");
  const folders = readdirSync(root, { withFileTypes: true })
    .filter((f) => f.isDirectory())
    .map((f) => join(root, f.name));
  const files = [
    ...folders.map((f) => join(f, "manifest.yaml")),
    ...readdirSync(join(root, "mini", "sets"))
      .sort()
      .map((f) => join(root, "mini", "sets", f)),
  ].filter((f) => existsSync(f));
  return Promise.all(
    files.map(async (file): Promise<Entry> => {
      const { name, task, title } = parse(await readFile(file, "utf8")) as {
        name: string;
        task: string;
        title: string;
      };
      const mini = name in planners;
      return {
        name,
        task,
        standsFor: title,
        manifest: relative(projectRoot, file),
        ready: mini ? isRendered(name) : null,
      };
    }),
  );
}

async function list({ json }: { json?: boolean }): Promise<void> {
  const all = await entries();
  if (json) {
    printJson(all);
    return;
  }
  print(
    table(
      [
        { head: "data set" },
        { head: "task" },
        { head: "ready" },
        { head: "what it is" },
        { head: "manifest" },
      ],
      all.map((e) => [
        e.name,
        e.task,
        e.ready === null ? "your own pictures" : e.ready ? "yes" : "no",
        e.standsFor,
        e.manifest,
      ]),
    ),
  );
  if (all.some((e) => e.ready === false))
    print("\nshitu datasets prepare mini renders what is not ready.");
}

async function info(name: string, { json }: { json?: boolean }): Promise<void> {
  const manifest = await miniManifest();
  if (name === "mini") {
    if (!manifest) throw notPrepared(name);
    if (json) printJson(manifest);
    else describeMini(manifest);
    return;
  }
  const all = await entries();
  const entry = all.find((e) => e.name === name);
  if (!entry)
    throw new UserError({
      code: "unknown-dataset",
      message: "no data set of this name",
      expected: oneOf(["mini", ...all.map((e) => e.name)]),
      found: JSON.stringify(name),
    });
  const set = manifest?.sets.find((s) => s.name === name) ?? null;
  if (json) {
    printJson({ ...entry, set });
    return;
  }
  print(
    `${entry.name}: ${entry.standsFor ?? ""}\ntask      ${entry.task}\nmanifest  ${entry.manifest}`,
  );
  if (set)
    print(
      `stands for ${set.standsFor}\ndiffers   ${set.differs}\ncounts    ${Object.entries(set.counts)
        .map(([k, n]) => `${k} ${n}`)
        .join(", ")}\ndigest    ${set.digest}`,
    );
  else if (entry.ready !== null) throw notPrepared(name);
}

function describeMini({
  hash,
  seed,
  generator,
  renderer,
  splits,
  sources,
  heads,
  sets,
}: MiniManifest): void {
  print(
    `mini, generator ${generator}, seed ${seed}, hash ${hash.slice(0, 16)}\n` +
      `rendered with ${versions(renderer)}\n`,
  );
  print(
    table(
      [
        { head: "set" },
        { head: "stands for" },
        { head: "counts" },
        { head: "pictures that differ from the committed ones", align: "right" },
      ],
      sets.map((s) => [
        s.name,
        s.standsFor,
        Object.entries(s.counts)
          .map(([k, n]) => `${k} ${n}`)
          .join(", "),
        s.differing,
      ]),
    ),
  );
  print(
    `\nthings by part: ${Object.entries(splits)
      .map(([k, n]) => `${k} ${n}`)
      .join(", ")}\n`,
  );
  print(
    table(
      [
        { head: "drawn from" },
        { head: "version" },
        { head: "licence" },
        { head: "author" },
        { head: "drawings", align: "right" },
        { head: "duplicates", align: "right" },
      ],
      [
        ...sources.map((s) => [s.npm, s.version, s.licence, s.author, s.drawings, s.duplicates]),
        ...heads.map((h) => [h.style, null, h.licence, h.author, null, null]),
      ],
    ),
  );
}

async function prepare(
  name: string,
  { workers, only, data, json }: { workers?: string; only?: string; data?: string; json?: boolean },
): Promise<void> {
  if (name !== "mini") return prepareRelease(name, { data, json });
  const sets = only?.split(",").map((s) => s.trim());
  const unknown = sets?.find((s) => !(s in planners));
  if (unknown !== undefined)
    throw new UserError({
      code: "unknown-dataset",
      message: "no such set in the embedded benchmark",
      expected: oneOf(Object.keys(planners)),
      found: JSON.stringify(unknown),
    });
  const start = performance.now();
  const manifest = await prepareMiniWithBars({
    ...(workers !== undefined && { workers: whole("--workers", workers) }),
    ...(sets && { sets }),
  });
  const pictures = manifest.sets.reduce((n, s) => n + pictureCount(s.counts), 0);
  if (json) printJson(manifest);
  else
    print(
      `mini is ready: ${manifest.sets.length} sets, ${pictures} pictures, ` +
        `${((performance.now() - start) / 1000).toFixed(1)} s, hash ` +
        `${manifest.hash.slice(0, 16)}`,
    );
  for (const set of manifest.sets) {
    if (set.differing !== null && set.differing > 0) {
      warn(
        `${set.name}: ${set.differing} of ${pictureCount(set.counts)} pictures differ from those ` +
          "that the committed figures were measured on (rendered here with " +
          `${versions(manifest.renderer)}); figures on it are comparable with each other, not to ` +
          "the last digit with the committed ones",
      );
    }
  }
}

const versions = (renderer: Readonly<Record<string, string>>): string =>
  Object.entries(renderer)
    .map(([k, v]) => `${k} ${v}`)
    .join(", ");

const pictureCount = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts).reduce((n, [key, count]) => (key === "classes" ? n : n + count), 0);

async function miniManifest(): Promise<MiniManifest | null> {
  const file = join(buildFolder, "manifest.json");
  return existsSync(file) ? (JSON.parse(await readFile(file, "utf8")) as MiniManifest) : null;
}

function notPrepared(name: string): UserError {
  return new UserError({
    code: "dataset-not-prepared",
    message: `${name} is not rendered yet`,
    fix: "run shitu datasets prepare mini",
  });
}
