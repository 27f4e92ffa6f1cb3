import type { Timer } from "../../../src/eval/latency/timer.js";

/**
 * Time that passes only when all wait for it, or when told: an hour of arrivals runs in a moment,
 * and always alike.
 */
export class VirtualTimer implements Timer {
  #now = 0;
  readonly #sleepers: { at: number; wake: () => void }[] = [];

  readonly now = (): number => this.#now;

  /** Work that keeps the thread busy for so long. */
  advance(ms: number): void {
    this.#now += ms;
  }

  sleepUntil(atMs: number): Promise<void> {
    if (atMs <= this.#now) return Promise.resolve();
    return new Promise((wake) => {
      // Sorted insertion from the end: nearly all sleepers come in order.
      let place = this.#sleepers.length;
      while (place > 0 && this.#sleepers[place - 1]!.at > atMs) place--;
      this.#sleepers.splice(place, 0, { at: atMs, wake });
    });
  }

  /** Runs work to its end, waking one sleeper at a time. */
  async run<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const end = (): void => {
      done = true;
    };
    work.then(end, end);
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve)); // lets all that can go on go on
      if (done) return work;
      const next = this.#sleepers.shift();
      if (!next)
        throw new Error("virtual time stands still: nobody sleeps, and the work has not ended");
      this.#now = Math.max(this.#now, next.at);
      next.wake();
    }
  }
}
