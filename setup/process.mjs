// Running other programs, and keeping two set-ups in one checkout from mixing.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, delimiter } from "node:path";

/** A step that cannot go on; `fix` is the exact thing to do. */
export class SetupError extends Error {
  constructor(message, fix, log = "") {
    super(message);
    this.fix = fix;
    this.log = log;
  }
}

/**
 * Runs a program to its end and resolves to its standard output; a failure carries the last lines
 * of what it said.
 */
export function run(program, args, { cwd, env, input } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    let out = "";
    let all = "";
    child.stdout.on("data", (chunk) => {
      out += chunk;
      all += chunk;
    });
    child.stderr.on("data", (chunk) => {
      all += chunk;
    });
    if (input !== undefined) child.stdin.end(input);
    child.on("error", (error) =>
      reject(
        new SetupError(
          `${program} could not be started: ${error.message}`,
          `install ${program} and make sure that it is on the PATH`,
        ),
      ),
    );
    child.on("close", (code, signal) => {
      if (code === 0) resolve(out);
      else
        reject(
          new SetupError(
            `${program} ${args.join(" ").slice(0, 200)} ended with ` +
              `${signal ?? `exit code ${code}`}`,
            "see the lines above",
            excerpt(all),
          ),
        );
    });
  });
}

/** The beginning, where npm says what is wrong, and the end, where compilers do. */
function excerpt(text) {
  const lines = text.trimEnd().split("\n");
  return lines.length <= 40
    ? lines.join("\n")
    : [...lines.slice(0, 15), "…", ...lines.slice(-25)].join("\n");
}

/** Full path of a program on the PATH, or null. */
export function which(program) {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const file = join(folder, program);
    if (folder && existsSync(file) && statSync(file).isFile()) return file;
  }
  return null;
}

/** Maps with at most `width` at work at once; the first failure rejects. */
export async function inParallel(items, width, work) {
  const queue = [...items];
  await Promise.all(
    Array.from({ length: Math.min(width, queue.length) }, async () => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
    }),
  );
}

/**
 * Holds a lock folder while `work` runs; waits for another holder (and says so), and takes over
 * from one that died.
 */
export async function withLock(folder, work, waiting = () => {}) {
  mkdirSync(dirname(folder), { recursive: true });
  for (let tries = 0; ; tries++) {
    try {
      mkdirSync(folder);
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
      if (abandoned(folder)) rmSync(folder, { recursive: true, force: true });
      else if (tries === 10) waiting();
      await new Promise((r) => setTimeout(r, 100));
    }
  }
  try {
    writeFileSync(join(folder, "pid"), String(process.pid));
    return await work();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function abandoned(folder) {
  try {
    const pid = Number(readFileSync(join(folder, "pid"), "utf8"));
    if (pid > 0) {
      process.kill(pid, 0);
      return false;
    }
  } catch (error) {
    if (error.code === "ESRCH") return true;
    if (error.code === "EPERM") return false;
  }
  try {
    // made, but its holder died before it wrote its number
    return Date.now() - statSync(folder).mtimeMs > 5000;
  } catch {
    return false; // just released: try again
  }
}
