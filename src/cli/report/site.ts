import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { UserError } from "../../pipeline/errors.js";
import { asWriteError } from "../../pipeline/atomic-file.js";
import { projectRoot } from "../../pipeline/root.js";

const framework = join(
  projectRoot,
  "node_modules",
  "@observablehq",
  "framework",
  "dist",
  "bin",
  "observable.js",
);

export interface SiteOptions {
  readonly runs: string;
  readonly out: string;
  /** Told once where another build has to be waited for. */
  readonly waiting?: () => void;
}

/**
 * Builds the report site of a folder of run records. The finished site takes the place of what
 * `out` held in one step.
 *
 * @throws UserError where the folder of records is none, `out` is not a site of ours, or the disk
 * refuses.
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
  const release = await lock(waiting);
  const fresh = `${out}.${process.pid}.new`;
  try {
    await mkdir(dirname(out), { recursive: true });
    await rm(fresh, { recursive: true, force: true });
    await runFramework(runs, fresh);
    const old = `${out}.${process.pid}.old`;
    if (existsSync(out)) await rename(out, old);
    await rename(fresh, out);
    await rm(old, { recursive: true, force: true });
  } catch (error) {
    throw asWriteError(out, error);
  } finally {
    await rm(fresh, { recursive: true, force: true });
    await release();
  }
}

function runFramework(runs: string, out: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [framework, "build"], {
      cwd: projectRoot,
      env: {
        ...process.env,
        SHITU_RUNS: runs,
        SHITU_REPORT_OUT: out,
        OBSERVABLE_TELEMETRY_DISABLE: "true",
        NO_COLOR: "1",
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let log = "";
    const collect = (data: Buffer): void => {
      log = (log + data.toString()).slice(-20_000);
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.on("error", reject);
    child.on("close", (code) => {
      // Framework's own message for a page or loader that failed is among its last lines.
      if (code === 0) resolve();
      else
        reject(
          new Error(
            "the report site could not be built (exit code " +
              `${code}):\n${log.trimEnd().split("\n").slice(-25).join("\n")}`,
          ),
        );
    });
  });
}

/**
 * Framework keeps one cache a checkout, so that two builds at once would mix: the second waits for
 * the first, if that is alive.
 */
async function lock(waiting?: () => void): Promise<() => Promise<void>> {
  const file = join(projectRoot, "reports", ".observablehq", "building.pid");
  await mkdir(dirname(file), { recursive: true });
  for (let told = false; ;) {
    try {
      const handle = await open(file, "wx");
      await handle.writeFile(String(process.pid));
      await handle.close();
      return () => rm(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw asWriteError(file, error);
      const owner = Number(await readFile(file, "utf8").catch(() => ""));
      if (owner > 0 && !isAlive(owner)) {
        await rm(file, { force: true });
        continue;
      }
      if (!told) waiting?.();
      told = true;
      await new Promise((wake) => setTimeout(wake, 250));
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
