import { fork } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "../../pipeline/errors.js";

import { quantiles } from "../stats/quantile.js";
import type { Score } from "../types.js";

/**
 * What a module must export to be measured from nothing: `coldStart(...args, lap)` loads (a model,
 * an index) and returns the first piece of work, which may be omitted.
 */
export interface ColdStartable {
  coldStart(...args: unknown[]): ColdWork | undefined | Promise<ColdWork | undefined>;
}

/**
 * Comes after the arguments: ends a part of the loading, which began where the one before ended.
 */
export type Lap = (part: string) => void;

export type ColdWork = () => unknown;

/** One fresh process. Times in milliseconds, each following the one before. */
export interface ColdStartSample {
  /** From the start of the process to the first line of ours. */
  readonly processMs: number;
  /** Importing the module and all that it imports. */
  readonly importMs: number;
  /** `coldStart`: loading. */
  readonly loadMs: number;
  /** Parts of the loading by name, where the module tells of them. */
  readonly partsMs: Readonly<Record<string, number>>;
  /** The first piece of work; null where there was none. */
  readonly firstMs: number | null;
  /** Start of the process to the end of the first work. */
  readonly totalMs: number;
  /** Largest resident set of the process, and what it was before the import. */
  readonly peakRssBytes: number;
  readonly startRssBytes: number;
}

export interface ColdStart {
  readonly samples: readonly ColdStartSample[];
  /**
   * Where the peak came from. `VmHWM` (Linux) belongs to the process alone. `ru_maxrss` may start
   * from the parent's resident set, which Linux carries over an exec: then it is an upper bound.
   */
  readonly peakRssSource: "VmHWM" | "ru_maxrss";
  /** Medians with distribution-free intervals (from six samples on). */
  readonly medians: Readonly<Record<ColdStartKey, Score>>;
}

export type ColdStartKey = Exclude<keyof ColdStartSample, "partsMs">;

export interface ColdStartOptions {
  readonly signal?: AbortSignal;
  readonly rounds?: number;
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** What the child sends. */
export type ColdStartMessage = Measured | { readonly error: string };

interface Measured {
  readonly sample: ColdStartSample;
  readonly peakRssSource: ColdStart["peakRssSource"];
}

/**
 * Starts `modulePath` in fresh processes, one after the other, and measures start, import, load,
 * first work and peak memory. The disk's cache is warm from the second round on: it is a cold
 * process, not a cold machine.
 *
 * @param args passed to `coldStart`, through JSON.
 * @throws UserError `cold-start-failed` where a process fails, and `cold-start-timeout` where it
 * takes too long (it is killed).
 */
export async function measureColdStart(
  modulePath: string,
  args: readonly unknown[] = [],
  { rounds = 5, timeoutMs = 120_000, env, signal }: ColdStartOptions = {},
): Promise<ColdStart> {
  if (!(Number.isInteger(rounds) && rounds >= 1))
    throw new RangeError(`rounds are counted from 1, got ${rounds}`);
  const messages: Measured[] = [];
  for (let i = 0; i < rounds; i++) {
    signal?.throwIfAborted();
    messages.push(await once(modulePath, args, timeoutMs, env));
  }
  const samples = messages.map((m) => m.sample);
  const median = (key: ColdStartKey): Score =>
    quantiles(
      samples.flatMap((s) => (s[key] === null ? [] : [s[key]])),
      [0.5],
    )[0]!;
  const keys = [
    "processMs",
    "importMs",
    "loadMs",
    "firstMs",
    "totalMs",
    "peakRssBytes",
    "startRssBytes",
  ] as const;
  return {
    samples,
    peakRssSource: messages[0]!.peakRssSource,
    medians: Object.fromEntries(keys.map((key) => [key, median(key)])) as ColdStart["medians"],
  };
}

const self = fileURLToPath(import.meta.url);
const child = self.replace(/cold-start(\.[jt]s)$/, "cold-start-child$1");

function once(
  modulePath: string,
  args: readonly unknown[],
  timeoutMs: number,
  env: ColdStartOptions["env"],
): Promise<Measured> {
  return new Promise((resolve, reject) => {
    // From source, a loader for TypeScript is needed; dist/ is plain JavaScript and pays for none.
    const execArgv = extname(self) === ".ts" ? ["--import", "tsx"] : [];
    const process_ = fork(child, [modulePath, JSON.stringify(args)], {
      execArgv,
      env: { ...process.env, ...env },
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    let message: ColdStartMessage | undefined;
    let errors = "";
    let timedOut = false;
    const timeout = setTimeout(() => {
      timedOut = true;
      process_.kill("SIGKILL");
    }, timeoutMs);
    process_.stderr!.setEncoding("utf8").on("data", (text: string) => {
      errors = (errors + text).slice(-4000);
    });
    process_.on("message", (m) => {
      message = m as ColdStartMessage;
    });
    process_.on("error", (error) => {
      clearTimeout(timeout);
      reject(error);
    });
    process_.on("close", (code, signal) => {
      clearTimeout(timeout);
      if (timedOut) {
        reject(
          new UserError({
            code: "cold-start-timeout",
            message: "did not start in time",
            file: modulePath,
            expected: `less than ${timeoutMs} ms`,
            fix: "allow more time, or see what it waits for",
          }),
        );
      } else if (message && "sample" in message) {
        resolve(message);
      } else {
        // A crash outside JavaScript leaves no message, at best a last word.
        const found = message ? {} : { found: signal ? `signal ${signal}` : `exit code ${code}` };
        const why = message?.error ?? errors.trim().split("\n").at(-1);
        reject(
          new UserError({
            code: "cold-start-failed",
            message: why || "ended without a word",
            file: modulePath,
            ...found,
            fix: "call its coldStart once in this process to see the whole error",
          }),
        );
      }
    });
  });
}
