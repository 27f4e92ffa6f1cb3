import { fork } from "node:child_process";
import { join } from "node:path";
import { projectRoot } from "../../../pipeline/root.js";
import type { SavedBuild } from "./build-store.js";

/** What a fresh process finds when it loads an index. */
export interface Footprint {
  /** From the file's name to the first answer possible. */
  readonly coldLoadMs: number;
  /** Growth of the process's resident memory. */
  readonly memoryBytes: number;
}

export type FootprintAnswer = Footprint | { readonly failed: string };

/** Longer than that, and the process is taken to hang. */
const mostMs = 120_000;

/**
 * Loads a saved index in a process of its own, which holds nothing else: memory that is free but
 * not yet returned would hide growth here.
 */
export async function measureFootprint(saved: SavedBuild): Promise<FootprintAnswer> {
  const script = join(
    projectRoot,
    "dist",
    "src",
    "eval",
    "choose",
    "building",
    "footprint-child.js",
  );
  const child = fork(script, [JSON.stringify(saved)], {
    execArgv: ["--expose-gc"],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    timeout: mostMs,
  });
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-2000)));
  return new Promise((resolve) => {
    let answer: FootprintAnswer | null = null;
    child.on("message", (message) => (answer = message as FootprintAnswer));
    child.on("error", (error) => resolve({ failed: error.message }));
    child.on("exit", (code, signal) => {
      const end = signal ?? `exit code ${code}`;
      const last = said.trim().split("\n").at(-1) ?? "";
      resolve(answer ?? { failed: `the process that loaded it ended with ${end}. ${last}`.trim() });
    });
  });
}
