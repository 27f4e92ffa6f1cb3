import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Box, Interpolation, Pixels, Preprocessing } from "../src/pipeline/types.js";

export interface Answer {
  readonly [key: string]: unknown;
  readonly bytes: number;
  readonly payload: Uint8Array;
}

/**
 * A Python that has cv2: SHITU_PYTHON, else Debian's, else the first on the path; null where none
 * has.
 */
export function findPython(): string | null {
  for (const python of [process.env.SHITU_PYTHON, "/usr/bin/python3", "python3"]) {
    if (python === undefined) continue;
    if (spawnSync(python, ["-c", "import cv2, numpy"], { stdio: "ignore" }).status === 0)
      return python;
  }
  return null;
}

/**
 * OpenCV and NumPy in a child process, one thread, asked through pipes: one request, one answer.
 */
export class Reference {
  readonly #child: ChildProcessWithoutNullStreams;
  #pending: Buffer[] = [];
  #held = 0;
  #wake: (() => void) | null = null;
  #ended = false;

  constructor(python: string) {
    const script = fileURLToPath(new URL("preprocess-reference.py", import.meta.url));
    const single = { OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" };
    this.#child = spawn(python, [script], { env: { ...process.env, ...single } });
    this.#child.stderr.pipe(process.stderr);
    this.#child.stdout.on("data", (chunk: Buffer) => {
      this.#pending.push(chunk);
      this.#held += chunk.length;
      this.#wake?.();
    });
    this.#child.on("close", () => {
      this.#ended = true;
      this.#wake?.();
    });
  }

  async #more(): Promise<void> {
    if (this.#ended) throw new Error("the reference process ended early");
    await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#wake = null;
  }

  async #take(count: number): Promise<Buffer> {
    while (this.#held < count) await this.#more();
    const all = this.#pending.length === 1 ? this.#pending[0]! : Buffer.concat(this.#pending);
    this.#pending = [all.subarray(count)];
    this.#held -= count;
    return all.subarray(0, count);
  }

  async #line(): Promise<string> {
    for (;;) {
      const all = Buffer.concat(this.#pending);
      this.#pending = [all];
      const end = all.indexOf(10);
      if (end >= 0) return (await this.#take(end + 1)).toString("utf8");
      await this.#more();
    }
  }

  async ask(request: Readonly<Record<string, unknown>>, payload?: Uint8Array): Promise<Answer> {
    this.#child.stdin.write(`${JSON.stringify({ ...request, bytes: payload?.length ?? 0 })}\n`);
    if (payload) this.#child.stdin.write(payload);
    const header = JSON.parse(await this.#line()) as { bytes: number };
    return { ...header, payload: new Uint8Array(await this.#take(header.bytes)) };
  }

  async load(pixels: Pixels): Promise<void> {
    await this.ask({ op: "load", width: pixels.width, height: pixels.height }, pixels.data);
  }

  async resize(
    window: Box,
    width: number,
    height: number,
    interpolation: Interpolation,
  ): Promise<Uint8Array> {
    return (await this.ask({ op: "resize", window: corners(window), width, height, interpolation }))
      .payload;
  }

  async chain(
    window: Box,
    spec: Preprocessing,
    want = false,
  ): Promise<{ ms: number; tensor: Float32Array }> {
    const { ms, payload } = await this.ask({ op: "chain", ...spec, window: corners(window), want });
    return { ms: ms as number, tensor: new Float32Array(payload.buffer as ArrayBuffer) };
  }

  close(): void {
    this.#child.stdin.end();
  }
}

function corners({ x0, y0, x1, y1 }: Box): number[] {
  return [x0, y0, x1, y1];
}
