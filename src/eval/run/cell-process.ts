import { fork, spawnSync, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { UserError, type Complaint } from "../../pipeline/errors.js";
import { projectRoot } from "../../pipeline/root.js";
import type { Progress } from "../../pipeline/types.js";
import type { LoadedConfig } from "../config/config.js";
import type { TimedBlock } from "../experiments/model-cost.js";
import type { MeasuredCell } from "./measured-cell.js";

/** What the parent asks of the process that measures. */
export type CellRequest =
  | {
      readonly ask: "measure";
      readonly loaded: LoadedConfig;
      readonly cache: string;
      readonly cell: string;
      /** This block of times of the cell's model is asked for, and not the cell. */
      readonly block?: number;
    }
  | { readonly ask: "stop" };

/** What it answers. */
export type CellAnswer =
  | { readonly say: "progress"; readonly done: number; readonly total: number }
  | ({ readonly say: "outcome" } & MeasuredCell)
  | { readonly say: "times"; readonly times: TimedBlock }
  | { readonly say: "complaint"; readonly complaint: Complaint }
  | { readonly say: "stopped" }
  | { readonly say: "fault"; readonly stack: string };

const largeHeap: readonly string[] = ["--initial-old-space-size=256"];
let known: boolean | undefined;

/**
 * V8's options for that process; none where this Node refuses them. Decoded pictures lie outside of
 * V8's heap but count towards its limit, which starts so low that it marks the whole heap every
 * hundred pictures (22 times in 2,400, and 3 times with this). From 256 MB on it grows as ever.
 */
export function heapOptions(): readonly string[] {
  known ??= spawnSync(process.execPath, [...largeHeap, "--version"]).status === 0;
  return known ? largeHeap : [];
}

/**
 * A process of its own for what is measured, so that a crash of native code, or the system's
 * shortage of memory, ends one cell and not the sweep. It is started when the first cell needs it,
 * goes on from cell to cell and from config to config, and is started anew after a crash.
 */
export class CellProcess {
  #child: ChildProcess | null = null;

  /** Its process id, for the lock of a run; null while there is none. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Starts it, where it is not there. */
  start(): void {
    if (this.#child) return;
    const child = fork(
      join(projectRoot, "dist", "src", "eval", "run", "cell-child.js"),
      [String(process.pid)],
      {
        execArgv: [...process.execArgv, ...heapOptions()],
        serialization: "advanced",
        stdio: ["ignore", "inherit", "inherit", "ipc"],
      },
    );
    this.#child = child;
    child.once("exit", () => {
      if (this.#child === child) this.#child = null;
    });
  }

  /**
   * Measures one cell of a config.
   *
   * @throws UserError `cell-crashed` where the process ends before it answers, or what the cell
   * complains of; the signal's reason when it is aborted.
   */
  async measure(
    request: Omit<Extract<CellRequest, { ask: "measure" }>, "ask" | "block">,
    context: { signal: AbortSignal; progress: Progress },
  ): Promise<MeasuredCell> {
    const answer = await this.#ask(request, context);
    if (answer.say !== "outcome") throw new Error(`a cell was answered with ${answer.say}`);
    return answer;
  }

  /** Takes one block of times of a cell's model; throws as `measure` does. */
  async time(
    request: Omit<Extract<CellRequest, { ask: "measure" }>, "ask"> & { readonly block: number },
    signal: AbortSignal,
  ): Promise<TimedBlock> {
    const answer = await this.#ask(request, { signal, progress: () => undefined });
    if (answer.say !== "times") throw new Error(`a block was answered with ${answer.say}`);
    return answer.times;
  }

  async #ask(
    request: Omit<Extract<CellRequest, { ask: "measure" }>, "ask">,
    { signal, progress }: { signal: AbortSignal; progress: Progress },
  ): Promise<CellAnswer> {
    signal.throwIfAborted();
    this.start();
    const child = this.#child!;
    const stop = (): void => {
      if (child.connected) child.send({ ask: "stop" } satisfies CellRequest);
    };
    signal.addEventListener("abort", stop, { once: true });
    let take: ((answer: CellAnswer) => void) | undefined;
    let gone: ((code: number | null, by: string | null) => void) | undefined;
    try {
      return await new Promise<CellAnswer>((resolve, reject) => {
        take = (answer) => {
          switch (answer.say) {
            case "progress":
              progress(answer.done, answer.total);
              return;
            case "outcome":
            case "times":
              resolve(answer);
              return;
            case "complaint":
              reject(new UserError(answer.complaint));
              return;
            case "stopped":
              reject(signal.reason as Error);
              return;
            case "fault":
              reject(
                Object.assign(new Error("a cell failed by a fault of this program"), {
                  stack: answer.stack,
                }),
              );
              return;
          }
        };
        gone = (code, by) => {
          reject(signal.aborted ? (signal.reason as Error) : crashed(code, by));
        };
        child.on("message", take);
        child.once("exit", gone);
        child.send({ ask: "measure", ...request } satisfies CellRequest, (error) => {
          if (error) child.kill("SIGKILL");
        });
      });
    } finally {
      signal.removeEventListener("abort", stop);
      if (take) child.off("message", take);
      if (gone) child.off("exit", gone);
    }
  }

  /** Ends it at once, whatever it has in hand. */
  kill(): void {
    this.#child?.kill("SIGKILL");
  }

  /** Ends it after the cell in hand. */
  async close(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    const exited = new Promise<void>((resolve) => {
      child.once("exit", () => {
        resolve();
      });
    });
    if (child.connected) child.disconnect();
    await exited;
  }
}

function crashed(code: number | null, by: string | null): UserError {
  return new UserError({
    code: "cell-crashed",
    message: "the process that measured this cell ended before it answered",
    found:
      by === null
        ? `exit code ${code}`
        : by === "SIGKILL"
          ? "SIGKILL: killed from outside, as the system does where memory runs out"
          : by,
    fix:
      by === "SIGKILL"
        ? "give it more memory or a smaller model or gallery"
        : "run this cell alone; shitu doctor says whether the native parts are sound",
  });
}
