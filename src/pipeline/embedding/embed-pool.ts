import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type {
  Chunk,
  ChunkResult,
  WorkerFailure,
  WorkerModel,
  WorkerSettings,
} from "./embed-worker.js";
import { UserError, type Complaint } from "../errors.js";
import type { InputSize, PictureStore } from "../image/picture-store.js";
import { projectRoot } from "../root.js";
import type { Progress } from "../types.js";

export interface PoolOptions extends PooledModel {
  /** Threads, each with a session of its own on one core. Default: all cores. */
  readonly workers?: number;
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
}

export interface PooledModel {
  /** Path of the embedding model's card. */
  readonly card: string;
  readonly modelFolder?: string;
  readonly maxPixels?: number;
  /** Pictures a forward pass. */
  readonly batch?: number;
}

/**
 * A picture file to embed; with `hash` and `size` its resized pixels are shared with the other
 * models of the pool.
 */
export interface PooledPicture {
  readonly file: string;
  /** sha256 of the content. */
  readonly hash?: string;
}

export interface PoolResult {
  /** In the order of the files, as results come in; exactly one of the two is set. */
  readonly index: number;
  readonly row?: Float32Array | Uint8Array;
  readonly complaint?: Complaint;
}

export interface EmbedRun {
  readonly signal?: AbortSignal | undefined;
  readonly progress?: Progress | undefined;
  /** What the model's card says, for the store of resized pictures. */
  readonly size?: InputSize | undefined;
}

/** Chunks that a worker holds at once: one in inference, one in decoding. */
const inFlight = 2;

/**
 * Threads that embed picture files on all cores: ONNX Runtime's `run` blocks its JavaScript thread,
 * so each has its own session. They stay between calls, so that a sweep over models starts them
 * once. Memory is bounded by workers x in-flight chunks and the store, whatever the number of
 * files.
 */
export class EmbedPool {
  readonly #most: number;
  readonly #store: PictureStore | null;
  readonly #threads: Thread[] = [];
  #chunks = 0;

  constructor({
    workers = availableParallelism(),
    store = null,
  }: { workers?: number; store?: PictureStore | null } = {}) {
    this.#most = Math.max(1, workers);
    this.#store = store;
  }

  /**
   * Embeds files; `deliver` is called once a file, in the order in which chunks finish.
   *
   * @throws whatever a worker dies of, other than a picture's own UserError (those arrive as
   * `complaint`); the signal's reason when it is aborted.
   */
  async embed(
    pictures: readonly PooledPicture[],
    model: PooledModel,
    { signal, progress, size }: EmbedRun,
    deliver: (result: PoolResult) => void,
  ): Promise<void> {
    const batch = model.batch ?? 8;
    const chunks = Math.ceil(pictures.length / batch);
    if (chunks === 0) return;
    signal?.throwIfAborted();
    while (this.#threads.length < Math.min(this.#most, chunks)) {
      const thread = new Thread({ ...(this.#store && { memory: this.#store.memory }) }, () => {
        this.#threads.splice(this.#threads.indexOf(thread), 1);
      });
      this.#threads.push(thread);
    }
    const asked: WorkerModel = {
      card: model.card,
      batch,
      ...(model.modelFolder !== undefined && { modelFolder: model.modelFolder }),
      ...(model.maxPixels !== undefined && { maxPixels: model.maxPixels }),
    };
    const store = size && this.#store;
    let next = 0;
    let done = 0;
    let over = false;
    const serve = async (thread: Thread): Promise<void> => {
      while (next < chunks && !over) {
        signal?.throwIfAborted();
        const base = next++ * batch;
        const part = pictures.slice(base, base + batch);
        const slots = part.map(({ hash }) =>
          store && hash !== undefined ? store.slot(hash, size) : null,
        );
        const result = await thread.embed({
          chunk: this.#chunks++,
          model: asked,
          files: part.map(({ file }) => file),
          ...(store && { size, slots }),
        });
        if (over) return;
        const failed = new Set(result.failures.map((f) => f.place));
        if (store)
          part.forEach(({ hash }, place) => {
            if (slots[place] && !failed.has(place)) store.fill(hash!, size);
          });
        unpack(result, part.length, base, deliver);
        done += part.length;
        progress?.(done, pictures.length);
      }
    };
    let onAbort: (() => void) | undefined;
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => {
        reject(signal!.reason as Error);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
    });
    try {
      await Promise.race([
        aborted,
        Promise.all(
          this.#threads.flatMap((thread) => Array.from({ length: inFlight }, () => serve(thread))),
        ),
      ]);
    } finally {
      over = true; // what is under way elsewhere is dropped
      signal?.removeEventListener("abort", onAbort!);
    }
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    await Promise.all(this.#threads.splice(0).map((thread) => thread.close()));
  }
}

/** One worker thread, which answers chunks in order. */
class Thread {
  readonly #worker: Worker;
  readonly #waiting = new Map<
    number,
    { readonly resolve: (result: ChunkResult) => void; readonly reject: (error: Error) => void }
  >();
  readonly #exited: Promise<void>;

  constructor(settings: WorkerSettings, gone: () => void) {
    this.#worker = new Worker(
      join(projectRoot, "dist", "src", "pipeline", "embedding", "embed-worker.js"),
      {
        workerData: settings,
      },
    );
    this.#worker.unref(); // idle threads keep no process alive; waiting calls do
    const fail = (error: Error): void => {
      gone();
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    };
    this.#worker.on("message", (message: ChunkResult | WorkerFailure) => {
      const { resolve, reject } = this.#waiting.get(message.chunk)!;
      this.#waiting.delete(message.chunk);
      if (this.#waiting.size === 0) this.#worker.unref();
      if ("fatal" in message) reject(new UserError(message.fatal));
      else resolve(message);
    });
    this.#worker.on("error", (error) => {
      fail(error instanceof Error ? error : new Error(String(error)));
    });
    this.#exited = new Promise((resolve) => {
      this.#worker.on("exit", (code) => {
        fail(new Error(`an embedding worker stopped with code ${code}`));
        resolve();
      });
    });
  }

  embed(chunk: Chunk): Promise<ChunkResult> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(chunk.chunk, { resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage(chunk);
    });
  }

  async close(): Promise<void> {
    this.#worker.ref();
    this.#worker.postMessage("close");
    await this.#exited;
  }
}

/**
 * Embeds picture files on all cores, with threads of its own for this one call; as
 * `EmbedPool.embed`.
 *
 * @throws of `EmbedPool.embed`.
 */
export async function embedFiles(
  files: readonly string[],
  { workers, progress, signal, ...model }: PoolOptions,
  deliver: (result: PoolResult) => void,
): Promise<void> {
  const pool = new EmbedPool({ ...(workers !== undefined && { workers }) });
  try {
    await pool.embed(
      files.map((file) => ({ file })),
      model,
      { signal, progress },
      deliver,
    );
  } finally {
    await pool.close();
  }
}

function unpack(
  result: ChunkResult,
  size: number,
  base: number,
  deliver: (result: PoolResult) => void,
): void {
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
