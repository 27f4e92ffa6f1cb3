import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CellProcess } from "../../../src/eval/run/cell-process.js";
import { loadConfig } from "../../../src/eval/config/config.js";
import type { RunRecord } from "../../../src/eval/record/record.js";
import { runExperiment, type CellTime } from "../../../src/eval/run/runner.js";
import { projectRoot } from "../../../src/pipeline/root.js";
import { everyKind, makeTiny, type Tiny } from "../tiny-benchmark.js";

let tiny: Tiny;
beforeAll(async () => {
  tiny = await makeTiny({ pictures: 60 });
});
afterAll(() => {
  rmSync(tiny.folder, { recursive: true, force: true });
});
const fresh = (name: string): string => mkdtempSync(join(tmpdir(), `${name}-`));

/** The process that a run's lock names as its child. */
function childOf(lock: string): number | undefined {
  try {
    return (JSON.parse(readFileSync(lock, "utf8")) as { child?: { pid: number } }).child?.pid;
  } catch {
    return undefined; // being written, or gone
  }
}

const untimed = (record: RunRecord): unknown =>
  record.cells.map((c) =>
    c.state === "completed"
      ? { ...c, scores: c.scores.filter((s) => s.unit !== "ms"), findings: undefined }
      : c,
  );

describe("cells measured in a process of their own", { timeout: 120_000 }, () => {
  it(
    "are those measured in this one, to the last bit, from any number of configs; progress " +
      "and times come back",
    async () => {
      const process_ = new CellProcess();
      try {
        const loaded = await loadConfig(tiny.config("apart", everyKind));
        const here = await runExperiment(loaded, { runs: fresh("runs"), cache: fresh("cache") });
        const times: (CellTime | undefined)[] = [];
        const told: number[] = [];
        const events = {
          cellStarted: () => (done: number) => {
            told.push(done);
          },
          cellFinished: (_: unknown, __: boolean, took?: CellTime) => {
            times.push(took);
          },
        };
        const apart = await runExperiment(loaded, {
          runs: fresh("runs"),
          cache: fresh("cache"),
          process: process_,
          events,
        });
        expect(untimed(apart.record)).toEqual(untimed(here.record));
        expect(Math.max(...told)).toBe(60);
        expect(times.every((t) => t && t.ms > 0 && t.loopMs >= 0 && t.loopMs < t.ms)).toBe(true);
        const pid = process_.pid;
        const other = await runExperiment(
          await loadConfig(tiny.config("apart-too", everyKind.replace("[real, sign]", "[sign]"))),
          { runs: fresh("runs"), cache: fresh("cache"), process: process_ },
        );
        expect([other.record.state, process_.pid]).toEqual(["completed", pid]);
      } finally {
        await process_.close();
      }
      expect(process_.pid).toBeNull();
    },
  );

  it.each([
    ["SIGSEGV", /SIGSEGV/],
    ["SIGKILL", /memory/],
  ] as const)(
    "fail alone when the process dies of %s: the sweep goes on with another",
    async (signal, said) => {
      const process_ = new CellProcess();
      try {
        let victim: number | null = null;
        const events = {
          cellStarted: (_: unknown, __: string, place: number) => {
            if (place !== 3) return () => undefined;
            victim = process_.pid;
            process.kill(victim!, signal);
            return () => undefined;
          },
        };
        const runs = fresh("runs");
        const { record } = await runExperiment(
          await loadConfig(tiny.config(`dies-${signal.toLowerCase()}`, everyKind)),
          { runs, cache: fresh("cache"), process: process_, events },
        );
        expect(record.state).toBe("failed");
        expect(record.cells.map((c) => (c.state === "failed" ? c.code : c.state))).toEqual(
          record.cells.map((_, i) => (i === 3 ? "cell-crashed" : "completed")),
        );
        expect(record.cells[3]).toMatchObject({ message: expect.stringMatching(said) as string });
        expect(process_.pid).not.toBe(victim);
      } finally {
        await process_.close();
      }
    },
  );
});

describe("shitu run", { timeout: 120_000 }, () => {
  it("writes the record and exits with 1 when the process of a cell is killed", async () => {
    const runs = fresh("runs");
    const child = spawn(
      process.execPath,
      [
        join(projectRoot, "bin", "shitu.mjs"),
        "run",
        tiny.config("shot", everyKind),
        "--runs",
        runs,
        "--cache",
        fresh("cache"),
      ],
      { stdio: "ignore" },
    );
    const exited = new Promise<number | null>((resolve) => {
      child.once("exit", resolve);
    });
    let killed = false;
    for (let i = 0; i < 3000 && !killed; i++) {
      await wait(10);
      const lock = readdirSync(runs)
        .map((name) => join(runs, name, "lock"))
        .find((file) => existsSync(file));
      const worker = lock === undefined ? undefined : childOf(lock);
      if (!worker) continue;
      // The runner's own child, and nothing else.
      expect(
        Number(execFileSync("ps", ["-o", "ppid=", "-p", String(worker)], { encoding: "utf8" })),
      ).toBe(child.pid);
      process.kill(worker, "SIGKILL");
      killed = true;
    }
    expect(await exited).toBe(1);
    const [name] = readdirSync(runs).filter((n) => !n.startsWith("."));
    const { cells } = JSON.parse(readFileSync(join(runs, name!, "run.json"), "utf8")) as RunRecord;
    expect(
      cells.filter((c) => c.state === "failed").map((c) => c.state === "failed" && c.code),
    ).toEqual(["cell-crashed"]);
  });
});
