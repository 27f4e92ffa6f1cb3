import { parentPort, workerData } from "node:worker_threads";
import { openEmbedder } from "./embedder.js";
import { UserError, type Complaint } from "./errors.js";
import { decode } from "./image.js";
import type { Pixels } from "./types.js";
import { isCodes } from "./types.js";

/** One thread of the pool: takes chunks of picture files, answers with their vectors, decodes the next chunk meanwhile. */
export interface WorkerSettings {
  readonly card: string;
  readonly modelFolder?: string;
  readonly maxPixels?: number;
  readonly batch: number;
}

export interface Chunk {
  readonly chunk: number;
  readonly files: readonly string[];
}

export interface ChunkResult {
  readonly chunk: number;
  /** Rows of the pictures that worked, in order; Float32Array or packed codes. */
  readonly rows: Float32Array | Uint8Array;
  /** A place in the chunk for each picture that did not. */
  readonly failures: readonly { readonly place: number; readonly complaint: Complaint }[];
}

/** The model itself could not be opened. */
export interface WorkerFailure {
  readonly fatal: Complaint;
}

type Decoded = readonly (Pixels | Complaint)[];

async function serve(port: NonNullable<typeof parentPort>, settings: WorkerSettings): Promise<void> {
  const embedder = await openEmbedder(settings.card, {
    threads: 1,
    ...(settings.modelFolder !== undefined && { modelFolder: settings.modelFolder }),
  });
  const decodeAll = (files: readonly string[]): Promise<Decoded> => Promise.all(files.map((file) =>
    decode(file, settings.maxPixels === undefined ? {} : { maxPixels: settings.maxPixels }).catch((error: unknown) => {
      if (error instanceof UserError) return error.complaint;
      throw error;
    })));

  // Chunks are answered in order of arrival; the decoding of a chunk starts as soon as it arrives, so it overlaps the inference of the one before.
  let queue: Promise<void> = Promise.resolve();
  port.on("message", (message: Chunk | "close") => {
    if (message === "close") {
      queue = queue.then(async () => {
        await embedder.close();
        port.close();
      });
      return;
    }
    const decoding = decodeAll(message.files);
    decoding.catch(() => undefined); // reported below, when its turn comes
    queue = queue
      .then(async () => {
        const result = await embedChunk(message.chunk, await decoding);
        port.postMessage(result, [result.rows.buffer as ArrayBuffer]);
      })
      .catch((error: unknown) => { setImmediate(() => { throw error; }); });
  });
  port.postMessage("ready");

  async function embedChunk(chunk: number, decoded: Decoded): Promise<ChunkResult> {
    const failures: { place: number; complaint: Complaint }[] = [];
    const crops: Pixels[] = [];
    const places: number[] = [];
    decoded.forEach((item, place) => {
      if ("code" in item) failures.push({ place, complaint: item });
      else {
        crops.push(item);
        places.push(place);
      }
    });
    const width = embedder.kind === "real" ? embedder.dim : embedder.dim / 8;
    const rows = embedder.kind === "real" ? new Float32Array(crops.length * width) : new Uint8Array(crops.length * width);
    let written = 0;
    const embedInto = async (from: number, to: number): Promise<void> => {
      try {
        const out = await embedder.embed(crops.slice(from, to));
        rows.set(isCodes(out) ? out.data : out.data, written * width);
        written += to - from;
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        // One bad picture must not take its batch along: find it by halves.
        if (to - from === 1) failures.push({ place: places[from]!, complaint: error.complaint });
        else {
          const middle = (from + to) >> 1;
          await embedInto(from, middle);
          await embedInto(middle, to);
        }
      }
    };
    for (let from = 0; from < crops.length; from += settings.batch) await embedInto(from, Math.min(from + settings.batch, crops.length));
    return { chunk, rows: rows.slice(0, written * width), failures };
  }
}

if (parentPort) {
  try {
    await serve(parentPort, workerData as WorkerSettings);
  } catch (error) {
    // An error's class does not cross a thread boundary: a complaint does.
    if (!(error instanceof UserError)) throw error;
    parentPort.postMessage({ fatal: error.complaint } satisfies WorkerFailure);
    parentPort.close();
  }
}
