// Loaded before a program by `node --import`: at its end, one line of JSON on file descriptor 3
// says what it cost.
import { writeSync } from "node:fs";

process.on("exit", () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  writeSync(3, JSON.stringify({ cpuS: (userCPUTime + systemCPUTime) / 1e6, peakKiB: maxRSS }));
});
