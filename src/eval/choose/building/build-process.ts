import { fork, type ChildProcess } from "node:child_process";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asWriteError } from "../../../pipeline/atomic-file.js";
import type { Complaint } from "../../../pipeline/errors.js";
import { projectRoot } from "../../../pipeline/root.js";
import { isCodes, type Codes, type IndexMetric, type Vectors } from "../../../pipeline/types.js";
import type { Setting } from "../point.js";
import type { Note } from "./build-store.js";

/** What a process of builds is started with: where the vectors lie, and what they are. */
export interface BuildSource {
  readonly file: string;
  /** Floats a vector, or bits a code. */
  readonly dim: number;
  readonly kind: "real" | "binary";
  readonly metric: IndexMetric;
}

/** One index to be built of the first `size` vectors, and saved to a file. */
export interface BuildOrder {
  readonly setting: Setting;
  readonly size: number;
  readonly file: string;
}

/** What the process says of an order; `failed` where it ended over it. */
export type BuildReport =
  { readonly done: Note } | { readonly refused: Complaint } | { readonly failed: string };
export type BuildOutcome = BuildReport | { readonly lateMs: number };

/**
 * Builds indexes in a process of its own, which is ended where a build takes longer than it may: a
 * native call cannot be stopped in any other way. The process goes on from build to build, and is
 * started anew after it was ended.
 */
export class BuildProcess {
  readonly #rows: Vectors | Codes;
  readonly #metric: IndexMetric;
  #folder: string | null = null;
  #child: ChildProcess | null = null;

  constructor(rows: Vectors | Codes, metric: IndexMetric) {
    this.#rows = rows;
    this.#metric = metric;
  }

  /**
   * @param mostMs after which the build is given up.
   * @throws UserError `write-failed` where the vectors cannot be handed over.
   */
  async build(order: BuildOrder, mostMs: number): Promise<BuildOutcome> {
    const child = (this.#child ??= await this.#start());
    const outcome = await answerTo(child, order, mostMs);
    if ("lateMs" in outcome || "failed" in outcome) await this.#end();
    return outcome;
  }

  async close(): Promise<void> {
    await this.#end();
    if (this.#folder !== null) await rm(this.#folder, { recursive: true, force: true });
    this.#folder = null;
  }

  async #start(): Promise<ChildProcess> {
    const rows = this.#rows;
    const folder = (this.#folder ??= await writeRows(rows));
    const source: BuildSource = {
      file: join(folder, rowsName),
      metric: this.#metric,
      ...(isCodes(rows) ? { kind: "binary", dim: rows.bits } : { kind: "real", dim: rows.dim }),
    };
    const script = join(projectRoot, "dist", "src", "eval", "choose", "building", "build-child.js");
    return fork(script, [JSON.stringify(source)], {
      execArgv: [],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
  }

  async #end(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }
}

const rowsName = "rows.bin";

/** Hands the vectors over in a file: a message that long would be copied several times. */
async function writeRows({ data }: Vectors | Codes): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "shitu-builds-"));
  const file = join(folder, rowsName);
  try {
    const handle = await open(file, "wx");
    try {
      await handle.writeFile(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    } finally {
      await handle.close();
    }
    return folder;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw asWriteError(file, error);
  }
}

function answerTo(child: ChildProcess, order: BuildOrder, mostMs: number): Promise<BuildOutcome> {
  return new Promise((resolve) => {
    let said = "";
    const hear = (chunk: Buffer): void => void (said = `${said}${chunk.toString()}`.slice(-2000));
    const settle = (outcome: BuildOutcome): void => {
      clearTimeout(timer);
      child.off("message", onMessage).off("exit", onExit).off("error", onError);
      child.stderr?.off("data", hear);
      resolve(outcome);
    };
    const onMessage = (report: unknown): void => settle(report as BuildReport);
    const onError = (error: Error): void => settle({ failed: error.message });
    const onExit = (code: number | null, signal: string | null): void => {
      const lines = said.trim().split("\n");
      const reason = lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? "";
      const end = signal ?? `exit code ${code}`;
      settle({ failed: `the process that built it ended with ${end}. ${reason}`.trim() });
    };
    // A timer of more than 2^31 ms would fire at once.
    const timer = setTimeout(() => settle({ lateMs: mostMs }), Math.min(mostMs, 2 ** 31 - 1));
    child.on("message", onMessage).on("exit", onExit).on("error", onError);
    child.stderr?.on("data", hear);
    child.send(order);
  });
}
