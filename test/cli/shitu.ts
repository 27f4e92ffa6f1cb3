import { execFile } from "node:child_process";
import { join } from "node:path";
import { main } from "../../src/cli/main.js";
import { projectRoot } from "../../src/pipeline/root.js";

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Where {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Calls wait for each other: the folder, the environment and both streams are the process's. */
let last: Promise<unknown> = Promise.resolve();

/**
 * Runs the command line in this process: most of what a small command costs in a process of its own
 * is the start. What computes much is slower here, where every import is a call.
 */
export function shitu(args: readonly string[], where: Where = {}): Promise<Outcome> {
  const run = last.then(() => runHere(args, where));
  last = run.catch(() => undefined);
  return run;
}

async function runHere(args: readonly string[], { cwd, env = {} }: Where): Promise<Outcome> {
  const before = { cwd: process.cwd(), env: process.env, exitCode: process.exitCode };
  const [stdout, stderr] = [process.stdout, process.stderr].map(captured) as [Captured, Captured];
  process.env = { ...process.env, ...env };
  process.chdir(cwd ?? projectRoot);
  try {
    const code = await main(args);
    return { code, stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    for (const stream of [stdout, stderr]) stream.restore();
    process.chdir(before.cwd);
    process.env = before.env;
    process.exitCode = before.exitCode;
  }
}

interface Captured {
  text(): string;
  restore(): void;
}

/** What is written to a stream from now on is kept, and shown nowhere. */
function captured(stream: NodeJS.WriteStream): Captured {
  const { write } = stream;
  let kept = "";
  stream.write = ((chunk: string | Uint8Array, ...rest: unknown[]) => {
    kept += Buffer.from(chunk as string).toString();
    for (const done of rest) if (typeof done === "function") (done as () => void)();
    return true;
  }) as typeof stream.write;
  return { text: () => kept, restore: () => void (stream.write = write) };
}

/** Runs the command line as a person would, in a process of its own. */
export function shituProcess(args: readonly string[], where: Where = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(projectRoot, "bin", "shitu.mjs"), ...args],
      {
        cwd: where.cwd ?? projectRoot,
        env: { ...process.env, ...where.env },
        maxBuffer: 1 << 28,
      },
      (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr });
      },
    );
  });
}
