import { Worker } from "node:worker_threads";
import { perform, type Result, type Task } from "./tasks.js";

/**
 * Renders tasks on worker threads; `workers` 0 does it all on this thread (tests run from source,
 * where no worker can start).
 */
export class Crew {
  readonly #workers: Worker[];
  readonly #idle: Worker[];
  readonly #queue: {
    task: Task;
    resolve: (result: Result) => void;
    reject: (error: unknown) => void;
  }[] = [];
  readonly #running = new Map<
    Worker,
    { resolve: (result: Result) => void; reject: (error: unknown) => void }
  >();

  constructor(workers: number) {
    this.#workers = Array.from(
      { length: workers },
      () => new Worker(new URL("./worker.js", import.meta.url)),
    );
    this.#idle = [...this.#workers];
    for (const worker of this.#workers) {
      worker.on("message", (reply: { result: Result } | { error: unknown }) => {
        const job = this.#running.get(worker)!;
        this.#running.delete(worker);
        this.#idle.push(worker);
        if ("error" in reply) job.reject(reply.error);
        else job.resolve(reply.result);
        this.#next();
      });
      worker.on("error", (error) => {
        this.#running.get(worker)?.reject(error);
      });
    }
  }

  /** Does one task, as soon as a worker is free. */
  async do(task: Task): Promise<Result> {
    if (this.#workers.length === 0) return perform(task);
    return new Promise((resolve, reject) => {
      this.#queue.push({ task, resolve, reject });
      this.#next();
    });
  }

  #next(): void {
    while (this.#queue.length > 0 && this.#idle.length > 0) {
      const worker = this.#idle.pop()!;
      const { task, resolve, reject } = this.#queue.shift()!;
      this.#running.set(worker, { resolve, reject });
      worker.postMessage(task);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}
