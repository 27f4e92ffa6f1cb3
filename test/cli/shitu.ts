import { execFile } from "node:child_process";
import { join } from "node:path";
import { projectRoot } from "../../src/pipeline/root.js";

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line as a person would, in a process of its own. */
export function shitu(
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(projectRoot, "bin", "shitu.mjs"), ...args],
      {
        cwd: options.cwd ?? projectRoot,
        env: { ...process.env, ...options.env },
        maxBuffer: 1 << 28,
      },
      (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr });
      },
    );
  });
}
