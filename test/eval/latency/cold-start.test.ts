import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { measureColdStart } from "../../../src/eval/latency/cold-start.js";
import { UserError } from "../../../src/pipeline/errors.js";
import { projectRoot } from "../../../src/pipeline/root.js";

// Processes are started, maybe on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const fixture = (name: string): string =>
  join(projectRoot, "test", "fixtures", "cold-start", `${name}.mjs`);
const MiB = 2 ** 20;

async function failure(promise: Promise<unknown>): Promise<UserError> {
  const error: unknown = await promise.then(
    () => new Error("should have failed"),
    (e: unknown) => e,
  );
  if (!(error instanceof UserError)) throw error;
  return error;
}

describe("measureColdStart", () => {
  test("measures the parts in order, and memory of the child alone", async () => {
    // resident here; an exec'd child must not inherit it as its peak
    const ballast = Buffer.alloc(400 * MiB, 1);
    const { samples, medians, peakRssSource } = await measureColdStart(
      fixture("loads"),
      [96 * MiB],
      { rounds: 2 },
    );
    expect(ballast[5]).toBe(1);
    expect(samples.length).toBe(2);
    for (const s of samples) {
      expect(s.processMs).toBeGreaterThan(0);
      expect(s.importMs).toBeGreaterThan(0);
      // the fixture waits 20 ms; a timer may fire a little early, never much
      expect(s.loadMs).toBeGreaterThan(15);
      expect(s.firstMs).toBeGreaterThan(0);
      expect(s.totalMs).toBeCloseTo(s.processMs + s.importMs + s.loadMs + s.firstMs!, 6);
      expect(s.peakRssBytes - s.startRssBytes).toBeGreaterThan(90 * MiB);
      if (peakRssSource === "VmHWM") expect(s.peakRssBytes).toBeLessThan(400 * MiB);
    }
    expect(peakRssSource).toBe(process.platform === "linux" ? "VmHWM" : "ru_maxrss");
    expect(medians.loadMs).toMatchObject({ n: 2, interval: null });
  });

  test("without first work there is no time for it", async () => {
    const { samples, medians } = await measureColdStart(fixture("only-loads"), [], { rounds: 1 });
    expect(samples[0]!.firstMs).toBeNull();
    expect(medians.firstMs).toEqual({ value: null, why: "no samples" });
  });

  test("says what failed, in the child's words", async () => {
    expect(
      (await failure(measureColdStart(fixture("fails"), [], { rounds: 1 }))).message,
    ).toContain("the model is not there");
    expect(
      (await failure(measureColdStart(fixture("exports-nothing"), [], { rounds: 1 }))).message,
    ).toContain("exports no function coldStart");
    const missing = await failure(measureColdStart(fixture("no-such-file"), [], { rounds: 1 }));
    expect(missing.code).toBe("cold-start-failed");
    expect(missing.message).toContain("Cannot find module");
    expect(
      (await failure(measureColdStart(fixture("crashes"), [], { rounds: 1 }))).complaint,
    ).toMatchObject({ message: "ended without a word", found: "signal SIGKILL" });
  });

  test("kills what takes too long", async () => {
    const error = await failure(
      measureColdStart(fixture("hangs"), [], { rounds: 1, timeoutMs: 1500 }),
    );
    expect(error.code).toBe("cold-start-timeout");
    await expect(measureColdStart(fixture("hangs"), [], { rounds: 0 })).rejects.toThrow(RangeError);
  });
});
