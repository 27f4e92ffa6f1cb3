/**
 * Building a gallery from photos: how busy the cores are kept, the peak of memory, and whether
 * memory grows with the gallery.
 *
 *   npx tsx bench/gallery.ts --photos FOLDER [--json]
 *
 * FOLDER holds drink/ and models/ as for configs/first-light.yaml. Three child processes build
 * galleries of the first half of the photos, of all, and of all listed twice. Busy is CPU time over
 * wall time and cores, from when the first picture is done, so that a core taken by something else
 * counts against it. Ends with exit code 1 where the middle one keeps the cores under 90% busy or
 * needs 1 GB or more.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { ensureBuilt } from "../build.mjs";
import { bytes, print, printJson, table } from "../src/cli/terminal.js";
import { embedFiles } from "../src/pipeline/embedding/embed-pool.js";
import { projectRoot } from "../src/pipeline/root.js";
import { writeResult } from "./result.js";

const { values: options } = parseArgs({
  options: {
    photos: { type: "string" },
    list: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
if (options.photos === undefined) throw new Error("give --photos FOLDER");
const photos = options.photos;

interface Measured {
  readonly pictures: number;
  readonly wallMs: number;
  /** CPU seconds of user and system over wall seconds and cores, start-up left out. */
  readonly busy: number;
  readonly peakBytes: number;
  readonly vectorBytes: number;
}

/** In a child process: embeds the listed photos, with nothing else in its memory. */
async function measure(list: string): Promise<Measured> {
  const files = readFileSync(list, "utf8").split("\n").filter(Boolean);
  let startMs = 0;
  let start = process.cpuUsage();
  let dim = 0;
  await embedFiles(
    files,
    {
      card: join(projectRoot, "configs/first-light/mobilenet-v2.yaml"),
      modelFolder: join(photos, "models/mobilenet"),
    },
    ({ row }) => {
      dim = row?.length ?? dim;
      if (startMs !== 0) return;
      startMs = performance.now();
      start = process.cpuUsage();
    },
  );
  const wallMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(start);
  return {
    pictures: files.length,
    wallMs,
    busy: (user + system) / 1000 / wallMs / availableParallelism(),
    peakBytes: process.resourceUsage().maxRSS * 1024,
    vectorBytes: files.length * dim * 4,
  };
}

if (options.list !== undefined) {
  process.stdout.write(JSON.stringify(await measure(options.list)));
} else {
  await ensureBuilt();
  const folder = mkdtempSync(join(tmpdir(), "bench-gallery-"));
  const listed = readFileSync(join(photos, "drink/gallery/drink_label_all.txt"), "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => join(photos, "drink/gallery", line.split("\t")[0]!));
  const results: Measured[] = [];
  for (const [i, files] of [
    listed.slice(0, listed.length / 2),
    listed,
    [...listed, ...listed],
  ].entries()) {
    const list = join(folder, `${i}.txt`);
    writeFileSync(list, files.join("\n"));
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--import", "tsx", fileURLToPath(import.meta.url), "--photos", photos, "--list", list],
      { cwd: projectRoot },
    );
    results.push(JSON.parse(stdout) as Measured);
  }
  rmSync(folder, { recursive: true });
  if (options.json) printJson(results);
  else {
    print(
      table(
        [
          { head: "photos", align: "right" },
          { head: "photos/s", align: "right" },
          { head: "cores busy", align: "right" },
          { head: "peak memory", align: "right" },
          { head: "of that vectors", align: "right" },
        ],
        results.map((r) => [
          r.pictures,
          ((r.pictures / r.wallMs) * 1000).toFixed(1),
          `${(100 * r.busy).toFixed(1)}%`,
          bytes(r.peakBytes),
          bytes(r.vectorBytes),
        ]),
      ),
    );
  }
  await writeResult({
    name: "gallery",
    title: "Building a gallery",
    subject: "experiments",
    findings: ["Half of the photos, all of them, and all listed twice, each in its own process."],
    tables: [
      {
        columns: [
          { head: "photos", unit: "count" },
          { head: "cores busy", unit: "share" },
          { head: "peak memory", unit: "bytes" },
          { head: "of that vectors", unit: "bytes" },
        ],
        rows: results.map((r) => [r.pictures, r.busy, r.peakBytes, r.vectorBytes]),
      },
    ],
  });
  const all = results[1]!;
  if (all.busy < 0.9 || all.peakBytes >= 1e9) process.exitCode = 1;
}
