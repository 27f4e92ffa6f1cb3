import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Chunk, ChunkResult, WorkerFailure, WorkerSettings } from "./embed-worker.js";
import { UserError, type Complaint } from "./errors.js";
import { projectRoot } from "./root.js";
import type { Progress } from "./types.js";

export interface PoolOptions {
  /** Path of the embedding model's card. */
  readonly card: string;
  readonly modelFolder?: string;
  readonly maxPixels?: number;
  /** Threads, each with a session of its own on one core. Default: all cores. */
  readonly workers?: number;
  /** Pictures a forward pass. */
  readonly batch?: number;
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
}

export interface PoolResult {
  /** In the order of the files, as results come in; exactly one of the two is set. */
  readonly index: number;
  readonly row?: Float32Array | Uint8Array;
  readonly complaint?: Complaint;
}

/** Chunks that a worker holds at once: one in inference, one in decoding. */
const inFlight = 2;

/**
 * Embeds picture files on all cores: ONNX Runtime's `run` blocks its JavaScript thread, so each worker thread has its own
 * session. Memory is bounded by workers x in-flight chunks, whatever the number of files. `deliver` is called once a file, in
 * the order in which chunks finish.
 *
 * @throws whatever a worker dies of, other than a picture's own UserError (those arrive as `complaint`).
 */
export async function embedFiles(files: readonly string[], options: PoolOptions, deliver: (result: PoolResult) => void): Promise<void> {
  const batch = options.batch ?? 8;
  const chunks = Math.ceil(files.length / batch);
  const count = Math.max(1, Math.min(options.workers ?? availableParallelism(), chunks));
  if (files.length === 0) return;
  const settings: WorkerSettings = {
    card: options.card,
    batch,
    ...(options.modelFolder !== undefined && { modelFolder: options.modelFolder }),
    ...(options.maxPixels !== undefined && { maxPixels: options.maxPixels }),
  };
  let next = 0;
  let done = 0;

  const runWorker = (): Promise<void> => new Promise((resolve, reject) => {
    const worker = new Worker(join(projectRoot, "dist", "src", "pipeline", "embed-worker.js"), { workerData: settings });
    let pending = 0;
    const stop = (error: unknown): void => {
      void worker.terminate();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    const feed = (): void => {
      if (options.signal?.aborted) {
        stop(options.signal.reason);
        return;
      }
      while (pending < inFlight && next < chunks) {
        const chunk = next++;
        pending++;
        worker.postMessage({ chunk, files: files.slice(chunk * batch, (chunk + 1) * batch) } satisfies Chunk);
      }
      if (pending === 0) worker.postMessage("close");
    };
    worker.on("message", (message: ChunkResult | WorkerFailure | "ready") => {
      if (message !== "ready" && "fatal" in message) {
        stop(new UserError(message.fatal));
        return;
      }
      if (message !== "ready") {
        pending--;
        const size = Math.min(batch, files.length - message.chunk * batch);
        unpack(message, size, message.chunk * batch, deliver);
        done += size;
        options.progress?.(done, files.length);
      }
      feed();
    });
    worker.on("error", stop);
    worker.on("exit", (code) => {
      if (code === 0) resolve();
      else stop(new Error(`an embedding worker stopped with code ${code}`));
    });
  });

  await Promise.all(Array.from({ length: count }, runWorker));
}

function unpack(result: ChunkResult, size: number, base: number, deliver: (result: PoolResult) => void): void {
  const failed = new Map(result.failures.map((f) => [f.place, f.complaint]));
  const worked = size - failed.size;
  const width = worked === 0 ? 0 : result.rows.length / worked;
  let row = 0;
  for (let place = 0; place < size; place++) {
    const complaint = failed.get(place);
    if (complaint) deliver({ index: base + place, complaint });
    else {
      deliver({ index: base + place, row: result.rows.subarray(row * width, (row + 1) * width) });
      row++;
    }
  }
}
