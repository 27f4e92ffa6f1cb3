import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { ColdStart, ColdStartable, ColdStartMessage, Lap } from "./cold-start.js";

/**
 * The process that `measureColdStart` forks. `performance.now()` counts from the start of the
 * process.
 */

const processMs = performance.now();
const startRssBytes = process.memoryUsage.rss();

/** Whatever the module keeps open must not keep the process. */
function leave(message: ColdStartMessage): void {
  process.send!(message, () => process.exit(0));
}

try {
  const [modulePath, args] = process.argv.slice(2) as [string, string];
  const module = (await import(pathToFileURL(modulePath).href)) as Partial<ColdStartable>;
  const imported = performance.now();
  if (typeof module.coldStart !== "function")
    throw new TypeError("exports no function coldStart(...args)");
  const partsMs: Record<string, number> = {};
  let lapped = imported;
  const lap: Lap = (part) => {
    const now = performance.now();
    partsMs[part] = now - lapped;
    lapped = now;
  };
  const first = await module.coldStart(...(JSON.parse(args) as unknown[]), lap);
  const loaded = performance.now();
  if (first) await first();
  const done = performance.now();
  const { bytes, source } = peakRss();
  leave({
    sample: {
      processMs,
      importMs: imported - processMs,
      loadMs: loaded - imported,
      partsMs,
      firstMs: first ? done - loaded : null,
      totalMs: done,
      peakRssBytes: bytes,
      startRssBytes,
    },
    peakRssSource: source,
  });
} catch (error) {
  leave({ error: error instanceof Error ? error.message : String(error) });
}

/**
 * `ru_maxrss` outlives an exec on Linux: a child of a process with 2 GiB resident starts with that
 * as its peak. The high-water mark of the address space starts afresh.
 */
function peakRss(): { bytes: number; source: ColdStart["peakRssSource"] } {
  try {
    const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"));
    if (line) return { bytes: Number(line[1]) * 1024, source: "VmHWM" };
  } catch {
    // not Linux
  }
  return { bytes: process.resourceUsage().maxRSS * 1024, source: "ru_maxrss" };
}
