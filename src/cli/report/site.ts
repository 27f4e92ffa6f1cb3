// report/: records in; the built site, its server, or one file of it out. It never sees what a page
// computes.
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { UserError } from "../../pipeline/errors.js";
import { asWriteError } from "../../pipeline/atomic-file.js";
import { withFolderLock } from "../../pipeline/folder-lock.js";
import { projectRoot } from "../../pipeline/root.js";
import { scratchBeside, sweepScratch } from "../../pipeline/scratch.js";
import { Interrupted } from "../interrupted.js";

const framework = join(
  projectRoot,
  "node_modules",
  "@observablehq",
  "framework",
  "dist",
  "bin",
  "observable.js",
);

const watcher = pathToFileURL(
  join(projectRoot, "dist", "src", "cli", "report", "end-with-report.js"),
).href;
/** Longest that a build takes, or is waited for. */
const mostBuildMs = 600_000;

export interface SiteOptions {
  readonly runs: string;
  readonly out: string;
  /** Told once where another build has to be waited for, and whose. */
  readonly waiting?: (owner: string) => void;
}

/**
 * Builds the report site of a folder of run records. The finished site takes the place of what
 * `out` held in one step.
 *
 * @throws UserError where the folder of records is none, `out` is not a site of ours, another build
 * does not end, or the disk refuses; Interrupted on Ctrl-C.
 */
export async function buildSite({ runs, out, waiting }: SiteOptions): Promise<void> {
  if (!existsSync(framework))
    throw new UserError({
      code: "not-set-up",
      message: "Observable Framework is not installed",
      file: framework,
      fix: "run: node setup.mjs",
    });
  const folder = await stat(runs).catch(() => null);
  if (folder !== null && !folder.isDirectory())
    throw new UserError({
      code: "runs-folder",
      message: "is a file, not a folder of run records",
      file: runs,
      fix: "give the folder that holds the records",
    });
  if (
    existsSync(out) &&
    !existsSync(join(out, "_observablehq")) &&
    (await readdir(out).catch(() => [""])).length > 0
  ) {
    throw new UserError({
      code: "report-out",
      message: "holds something that is not a report site, and would be replaced",
      file: out,
      fix: "choose a new or empty folder, or remove it",
    });
  }
  const cache = join(projectRoot, "reports", ".observablehq");
  // Framework keeps one cache a checkout, so that two builds at once would mix.
  await withFolderLock(cache, () => replaceSite(runs, out), {
    patienceMs: mostBuildMs,
    ...(waiting && { waiting }),
  });
}

async function replaceSite(runs: string, out: string): Promise<void> {
  const fresh = scratchBeside(out);
  const old = scratchBeside(out);
  try {
    await mkdir(dirname(out), { recursive: true });
    await sweepScratch(dirname(out));
    await runFramework(runs, fresh);
    if (existsSync(out)) await rename(out, old);
    await rename(fresh, out);
  } catch (error) {
    // Between the two renames: what was there is put back.
    if (existsSync(old) && !existsSync(out)) await rename(old, out).catch(() => undefined);
    throw asWriteError(out, error);
  } finally {
    await rm(fresh, { recursive: true, force: true });
    await rm(old, { recursive: true, force: true });
  }
}

async function runFramework(runs: string, out: string): Promise<void> {
  const child = spawn(process.execPath, ["--import", watcher, framework, "build"], {
    cwd: projectRoot,
    // A group of its own, with the loaders that it starts: it ends whole.
    detached: true,
    env: {
      ...process.env,
      SHITU_REPORT_PID: String(process.pid),
      SHITU_RUNS: runs,
      SHITU_REPORT_OUT: out,
      OBSERVABLE_TELEMETRY_DISABLE: "true",
      NO_COLOR: "1",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stopped = false;
  const stop = (): void => {
    stopped = true;
    endGroup(child);
  };
  const late = setTimeout(stop, mostBuildMs);
  process.once("SIGINT", stop).once("SIGTERM", stop);
  try {
    const { code, log } = await ended(child);
    if (stopped) throw new Interrupted();
    if (code !== 0) throw brokenBuild(code, log);
  } finally {
    clearTimeout(late);
    process.off("SIGINT", stop).off("SIGTERM", stop);
  }
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // it has ended
  }
}

function ended(child: ChildProcess): Promise<{ readonly code: number | null; log: string }> {
  return new Promise((resolve, reject) => {
    let log = "";
    const collect = (data: Buffer): void => {
      log = (log + data.toString()).slice(-20_000);
    };
    child.stdout?.on("data", collect);
    child.stderr?.on("data", collect);
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, log }));
  });
}

/** Framework's own message for a page or loader that failed is among its last lines. */
function brokenBuild(code: number | null, log: string): Error {
  const lines = log.trimEnd().split("\n").slice(-25).join("\n");
  const system = /\b(ENOSPC|EDQUOT|EACCES|EMFILE|ENFILE|EROFS|EIO)\b/.exec(lines)?.[1];
  const error = new Error(`the report site could not be built (exit code ${code}):\n${lines}`);
  return system === undefined ? error : Object.assign(error, { code: system });
}
