import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cacheInfo } from "../../../src/eval/observe/cache.js";
import { casesFromArrow } from "../../../src/eval/record/cases.js";
import type { RunRecord } from "../../../src/eval/record/record.js";
import { Random } from "../../../src/eval/stats/random.js";
import { projectRoot } from "../../../src/pipeline/root.js";
import { baselines, makeTiny, type Tiny } from "../tiny-benchmark.js";

/** The runner in a process of its own, killed, stopped and run twice at once. */

let tiny: Tiny;
const made: string[] = [];
const fresh = (name: string): string => {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  made.push(folder);
  return folder;
};
beforeAll(async () => {
  tiny = await makeTiny({ pictures: 60 });
});
afterAll(() => {
  for (const folder of [tiny.folder, ...made]) rmSync(folder, { recursive: true, force: true });
});

const body = `
measure:
  - kind: detection
    models: ["\${baselines}/whole-image.yaml"]
    datasets: [boxes.yaml]
  - kind: retrieval
    models: ["\${baselines}/pixels-32.yaml", "\${baselines}/colour-histogram.yaml"]
    datasets: [rows.yaml]
    codes: [sign]
    indexes: [{ factory: Flat }]
`;

function start(
  config: string,
  runs: string,
  cache: string,
  ...more: string[]
): ChildProcess & {
  done: Promise<{ code: number | null; signal: string | null; stderr: string }>;
} {
  const child = spawn(
    process.execPath,
    [
      join(projectRoot, "bin", "shitu.mjs"),
      "run",
      config,
      "--runs",
      runs,
      "--cache",
      cache,
      ...more,
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let stderr = "";
  child.stderr!.on("data", (chunk: Buffer) => {
    stderr += String(chunk);
  });
  const done = new Promise<{ code: number | null; signal: string | null; stderr: string }>(
    (resolve) => {
      child.once("close", (code, signal) => {
        resolve({ code, signal, stderr });
      });
    },
  );
  return Object.assign(child, { done });
}

/** All of a record that measures no time; its findings are about times. */
function outcome(runs: string): unknown {
  const [name] = readdirSync(runs).filter((n) => !n.startsWith("."));
  const record = JSON.parse(readFileSync(join(runs, name!, "run.json"), "utf8")) as RunRecord;
  const cells = record.cells.map((c) =>
    c.state === "completed"
      ? { ...c, scores: c.scores.filter((s) => s.unit !== "ms"), findings: [] }
      : c,
  );
  return {
    state: record.state,
    cells,
    cases: casesFromArrow(readFileSync(join(runs, name!, "cases.arrow"))),
    curves: readFileSync(join(runs, name!, "curves.json"), "utf8"),
  };
}

/** Entries written to the logs of a cache, repeated ones counted again. */
async function puts(
  cache: string,
): Promise<{ written: number; distinct: number; damaged: number }> {
  const infos = await cacheInfo(cache);
  let written = 0;
  for (const { folder } of infos) {
    const log = readFileSync(join(folder, "entries.log"));
    for (let i = log.indexOf("STB2"); i >= 0; i = log.indexOf("STB2", i + 4)) written++;
  }
  return {
    written,
    distinct: infos.reduce((n, i) => n + i.entries, 0),
    damaged: infos.reduce((n, i) => n + i.damagedBytes, 0),
  };
}

/** By hand: SHITU_TEST_KILLS=20. */
const wanted = Number(process.env.SHITU_TEST_KILLS ?? 6);

describe("a run that is killed", () => {
  it(
    `${wanted} times at random points, and resumed, gives the record of an uninterrupted one; ` +
      "nothing finished is done again",
    { timeout: 600_000 },
    async () => {
      const config = tiny.config("killed", body);
      const [runs, cache] = [fresh("runs"), fresh("cache")];
      const begun = performance.now();
      expect((await start(config, runs, cache).done).code).toBe(0);
      const wholeMs = performance.now() - begun;
      const expected = outcome(runs);
      const whole = await puts(cache);
      expect(whole).toMatchObject({ damaged: 0, written: whole.distinct });

      const random = new Random(process.env.SHITU_TEST_SEED ?? "kill");
      let [attemptRuns, attemptCache] = [fresh("runs"), fresh("cache")];
      let kills = 0;
      let resumed = false;
      for (let attempt = 0; kills < wanted && attempt < 5 * wanted; attempt++) {
        const child = start(config, attemptRuns, attemptCache, "--resume");
        // From the first moment to past the end of a whole run: start-up, both pools, the record's
        // own writing. What goes on with a run is over sooner, so it is killed sooner.
        const point = resumed ? random.next() ** 2 : random.next();
        const timer = setTimeout(
          () => {
            child.kill("SIGKILL");
          },
          wholeMs * (0.05 + 0.95 * point),
        );
        const { code, signal, stderr } = await child.done;
        clearTimeout(timer);
        if (signal === "SIGKILL") {
          kills++;
          // Killed before the record was renamed into place: go on with it. After that the record
          // is there, and must be whole.
          if (readdirSync(attemptRuns).every((n) => n.startsWith("."))) {
            resumed = true;
            continue;
          }
        } else {
          expect(code, stderr).toBe(0);
        }
        await check();
        resumed = false;
        // it got through: the next kills go to a run of their own
        [attemptRuns, attemptCache] = [fresh("runs"), fresh("cache")];
      }
      expect(kills).toBe(wanted);
      expect((await start(config, attemptRuns, attemptCache, "--resume").done).code).toBe(0);
      await check();

      async function check(): Promise<void> {
        expect(outcome(attemptRuns)).toEqual(expected);
        const { written, distinct, damaged } = await puts(attemptCache);
        expect(distinct).toBe(whole.distinct);
        // An entry that a kill tore in two is written again; a whole one never.
        expect(written - distinct).toBeLessThanOrEqual(damaged > 0 ? wanted : 0);
      }
    },
  );
});

describe("a run that is stopped or shared", { timeout: 300_000 }, () => {
  it("stops on Ctrl-C with code 130 and goes on with --resume", async () => {
    const many = await makeTiny({ pictures: 240 });
    made.push(many.folder);
    const config = many.config("stopped", body);
    const [runs, cache] = [fresh("runs"), fresh("cache")];
    const child = start(config, runs, cache);
    await until(() =>
      readdirSync(runs).some((name) =>
        readdirSync(join(runs, name)).some((file) => file.startsWith("cell-")),
      ),
    );
    child.kill("SIGINT");
    const { code, stderr } = await child.done;
    expect([code, stderr]).toEqual([
      130,
      expect.stringMatching(/stopping: waiting for .*Ctrl-C again[\s\S]*stopped.*--resume/),
    ]);
    expect(readdirSync(runs).filter((n) => !n.startsWith("."))).toEqual([]);
    const before = await puts(cache);
    expect(before).toMatchObject({ damaged: 0 });
    expect(before.written).toBeGreaterThan(0);
    expect(await start(config, runs, cache).done).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/cut off.*--resume.*--fresh/) as string,
    });
    expect((await start(config, runs, cache, "--resume").done).code).toBe(0);
    const after = await puts(cache);
    expect(after).toMatchObject({ written: after.distinct });
  });

  it("refuses a second runner on the same run", async () => {
    const config = tiny.config("shared", body);
    const [runs, cache] = [fresh("runs"), fresh("cache")];
    const first = start(config, runs, cache);
    await until(() => readdirSync(runs).some((name) => existsSync(join(runs, name, "started"))));
    first.kill("SIGSTOP"); // the second one has all the time it needs to start
    const second = await start(config, runs, cache).done;
    first.kill("SIGCONT");
    expect([second.code, second.stderr]).toEqual([
      2,
      expect.stringMatching(/another process is running this config: process \d+ on/),
    ]);
    expect((await first.done).code).toBe(0);
  });
});

async function until(true_: () => boolean): Promise<void> {
  for (let i = 0; i < 6000 && !true_(); i++) await wait(10);
}

/** A disk of 96 KiB, where this process may mount one. */
const smallDisk = ((): string | null => {
  const folder = mkdtempSync(join(tmpdir(), "disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=96k", "tmpfs", folder], { stdio: "ignore" });
    return folder;
  } catch {
    rmSync(folder, { recursive: true, force: true });
    return null;
  }
})();
afterAll(() => {
  if (smallDisk === null) return;
  execFileSync("umount", [smallDisk]);
  rmSync(smallDisk, { recursive: true, force: true });
});

describe.skipIf(smallDisk === null)("a disk that is full", { timeout: 300_000 }, () => {
  it.each(["cache", "runs"] as const)(
    "of the %s ends the run with code 2 and the file's name; pictures are not blamed, and it " +
      "goes on elsewhere",
    async (which) => {
      const config = tiny.config(`full-${which}`, body);
      // 60 embeddings of 3,072 floats do not fit on it; nor does a record beside a file that fills
      // it.
      const folders = {
        runs: fresh("runs"),
        cache: fresh("cache"),
        [which]: join(smallDisk!, which),
      };
      for (const name of readdirSync(smallDisk!))
        rmSync(join(smallDisk!, name), { recursive: true });
      if (which === "runs") writeFileSync(join(smallDisk!, "ballast"), Buffer.alloc(80_000));
      const { code, stderr } = await start(config, folders.runs, folders.cache).done;
      expect([code, stderr]).toEqual([
        2,
        expect.stringMatching(/cannot be written \(found ENOSPC\)\. Fix: free some space/),
      ]);
      expect(stderr).toContain(folders[which]);
      expect(
        existsSync(folders.runs) ? readdirSync(folders.runs).filter((n) => !n.startsWith(".")) : [],
      ).toEqual([]);
      if (which === "runs") return;
      // The finished cells are kept with the runs; the rest is measured on another disk.
      expect(await start(config, folders.runs, fresh("cache"), "--resume").done).toMatchObject({
        code: 0,
      });
      expect(
        (outcome(folders.runs) as { cells: { errors?: unknown[] }[] }).cells.map((c) => c.errors),
      ).toEqual([[], [], []]);
    },
  );
});

describe("what is wrong with the data", { timeout: 300_000 }, () => {
  it("counts duplicates and unreadable pictures where they belong", async () => {
    const list = readFileSync(join(tiny.folder, "all.txt"), "utf8").split("\n").filter(Boolean);
    writeFileSync(
      join(tiny.folder, "images", "torn.png"),
      readFileSync(join(tiny.folder, "images", "0.png")).subarray(0, 200),
    );
    writeFileSync(
      join(tiny.folder, "flawed.txt"),
      [
        ...list,
        "images/torn.png\tclass 0\t900",
        "images/absent.png\tclass 1\t901",
        "../../etc/passwd\tclass 2\t902",
        `images/0.png\tclass 0\t903`,
      ].join("\n") + "\n",
    );
    writeFileSync(
      join(tiny.folder, "flawed.yaml"),
      readFileSync(join(tiny.folder, "rows.yaml"), "utf8")
        .replace("name: rows", "name: flawed")
        .replace("all.txt", "flawed.txt"),
    );
    const runs = fresh("runs");
    const config = tiny.config(
      "flawed-run",
      `measure:\n  - { kind: retrieval, models: ["${baselines}/pixels-32.yaml"], datasets: ` +
        `[flawed.yaml], indexes: [{ factory: Flat }] }\n`,
    );
    const { code, stderr } = await start(config, runs, fresh("cache")).done;
    expect(code, stderr).toBe(0);
    const { cells, cases } = outcome(runs) as {
      cells: {
        errors: { item: string; message: string }[];
        scores: { metric: string; n: number }[];
      }[];
      cases: { item: string; outcome: string }[];
    };
    expect(cells[0]!.errors.map((e) => e.item).sort()).toEqual([
      "../../etc/passwd",
      "images/absent.png",
      "images/torn.png",
    ]);
    expect(
      cases
        .filter((c) => c.outcome === "error")
        .map((c) => c.item)
        .sort(),
    ).toEqual(["../../etc/passwd", "images/absent.png", "images/torn.png"]);
    // In the denominator as misses: 60 pictures, one listed twice, three that cannot be read.
    expect(cells[0]!.scores.find((s) => s.metric === "recall@1")!.n).toBe(64);
  });
});
