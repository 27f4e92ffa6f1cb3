import { parentPort, workerData } from "node:worker_threads";
import { openEmbedder } from "./embedder.js";
import { UserError, type Complaint } from "../errors.js";
import type { WindowEmbedder } from "./feature-embedder.js";
import { decode } from "../image/image.js";
import type { InputSize, Slot } from "../image/picture-store.js";
import { resize } from "../image/resize.js";
import type { Pixels } from "../types.js";
import { isCodes } from "../types.js";

/**
 * One thread of the pool: takes chunks of picture files, answers with their vectors, decodes the
 * next chunk meanwhile.
 */
export interface WorkerSettings {
  /** Where resized pictures are shared. */
  readonly memory?: SharedArrayBuffer;
}

export interface WorkerModel {
  readonly card: string;
  readonly modelFolder?: string;
  readonly maxPixels?: number;
  readonly batch: number;
}

export interface Chunk {
  readonly chunk: number;
  readonly model: WorkerModel;
  readonly files: readonly string[];
  /** The model's input size, and room for each picture at that size. */
  readonly size?: InputSize;
  readonly slots?: readonly (Slot | null)[];
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
  readonly chunk: number;
  readonly fatal: Complaint;
}

type Decoded = readonly (Pixels | Complaint)[];

/**
 * Models kept open: the one in use, and the one before, whose last chunk may still be under way.
 */
const openModels = 2;

function serve(port: NonNullable<typeof parentPort>, { memory }: WorkerSettings): void {
  const models = new Map<string, Promise<WindowEmbedder>>();

  async function embedderOf({ card, modelFolder, batch }: WorkerModel): Promise<WindowEmbedder> {
    const name = JSON.stringify([card, modelFolder, batch]);
    const before = models.get(name);
    if (before) return before;
    const opening = openEmbedder(card, {
      threads: 1,
      batch,
      ...(modelFolder !== undefined && { modelFolder }),
    });
    models.set(name, opening);
    opening.catch(() => models.delete(name));
    const embedder = await opening;
    while (models.size > openModels) {
      const [oldest, old] = models.entries().next().value!;
      models.delete(oldest);
      await (await old).close();
    }
    return embedder;
  }

  async function picture(
    { model: { maxPixels }, files, size, slots }: Chunk,
    place: number,
  ): Promise<Pixels | Complaint> {
    const slot = slots?.[place];
    const room =
      slot && size && memory
        ? new Uint8Array(memory, slot.offset, size.width * size.height * 3)
        : null;
    if (room && slot!.filled) return { data: room, width: size!.width, height: size!.height };
    try {
      const pixels = await decode(files[place]!, maxPixels === undefined ? {} : { maxPixels });
      if (!room) return pixels;
      // What the model's preprocessing does first; to resize it to the same size once more changes
      // no byte.
      const resized = resize(pixels, size!.width, size!.height, size!.interpolation);
      room.set(resized.data);
      return resized;
    } catch (error) {
      if (error instanceof UserError) return error.complaint;
      throw error;
    }
  }

  // Chunks are answered in order of arrival; the decoding of a chunk starts as soon as it arrives,
  // so it overlaps the inference of the one before.
  let queue: Promise<void> = Promise.resolve();
  port.on("message", (message: Chunk | "close") => {
    if (message === "close") {
      queue = queue.then(async () => {
        for (const model of models.values()) await (await model).close();
        port.close();
      });
      return;
    }
    const decoding = Promise.all(message.files.map((_, place) => picture(message, place)));
    decoding.catch(() => undefined); // reported below, when its turn comes
    queue = queue
      .then(async () => {
        let embedder: WindowEmbedder;
        try {
          embedder = await embedderOf(message.model);
        } catch (error) {
          // An error's class does not cross a thread boundary: a complaint does.
          if (!(error instanceof UserError)) throw error;
          port.postMessage({
            chunk: message.chunk,
            fatal: error.complaint,
          } satisfies WorkerFailure);
          return;
        }
        const result = await embedChunk(embedder, message, await decoding);
        port.postMessage(result, [result.rows.buffer as ArrayBuffer]);
      })
      .catch((error: unknown) => {
        setImmediate(() => {
          throw error;
        });
      });
  });
}

async function embedChunk(
  embedder: WindowEmbedder,
  { chunk, model: { batch } }: Chunk,
  decoded: Decoded,
): Promise<ChunkResult> {
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
  const rows =
    embedder.kind === "real"
      ? new Float32Array(crops.length * width)
      : new Uint8Array(crops.length * width);
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
  for (let from = 0; from < crops.length; from += batch)
    await embedInto(from, Math.min(from + batch, crops.length));
  return { chunk, rows: rows.slice(0, written * width), failures };
}

if (parentPort) serve(parentPort, workerData as WorkerSettings);
