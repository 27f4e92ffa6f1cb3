import type { Clock, Stage } from "./types.js";

export const monotonicClock: Clock = () => performance.now();

/** Adds up the time of each stage of one picture, in milliseconds. The clock is injected. */
export class Stopwatch {
  readonly #clock: Clock;
  readonly #stageMs: Partial<Record<Stage, number>> = {};
  readonly #start: number;

  constructor(clock: Clock = monotonicClock) {
    this.#clock = clock;
    this.#start = clock();
  }

  async time<T>(stage: Stage, work: () => T | Promise<T>): Promise<T> {
    const start = this.#clock();
    try {
      return await work();
    } finally {
      this.add(stage, this.#clock() - start);
    }
  }

  timeSync<T>(stage: Stage, work: () => T): T {
    const start = this.#clock();
    try {
      return work();
    } finally {
      this.add(stage, this.#clock() - start);
    }
  }

  add(stage: Stage, ms: number): void {
    this.#stageMs[stage] = (this.#stageMs[stage] ?? 0) + ms;
  }

  /** Milliseconds since the stopwatch was made. */
  get overallMs(): number {
    return this.#clock() - this.#start;
  }

  get stageMs(): Readonly<Partial<Record<Stage, number>>> {
    return this.#stageMs;
  }
}
