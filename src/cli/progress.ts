import { SingleBar } from "cli-progress";
import type { Progress } from "../pipeline/types.js";

export interface ProgressBar {
  readonly report: Progress;
  stop(): void;
}

/**
 * A bar with rate and ETA on a terminal's standard error, shown only once the work has taken two
 * seconds; elsewhere a line every 10%.
 */
export function progressBar(
  what: string,
  unit = "images",
  clock: () => number = () => performance.now(),
): ProgressBar {
  const start = clock();
  const terminal = process.stderr.isTTY === true;
  let bar: SingleBar | undefined;
  let nextTenth = 1;
  return {
    report(done, total) {
      const elapsedMs = clock() - start;
      if (elapsedMs < 2000 || total <= 0) return;
      const rate = (done / elapsedMs) * 1000;
      if (terminal) {
        if (!bar) {
          bar = new SingleBar({
            format:
              `${what} {bar} {percentage}% | {value}/{total} ${unit} | {rate}/s | ETA ` +
              "{eta_formatted}",
            stream: process.stderr,
            hideCursor: true,
            clearOnComplete: true,
          });
          bar.start(total, done, { rate: rate.toFixed(1) });
        }
        bar.setTotal(total);
        bar.update(done, { rate: rate.toFixed(1) });
      } else if (done / total >= nextTenth / 10) {
        nextTenth = Math.floor((done / total) * 10) + 1;
        const eta = rate > 0 ? Math.round((total - done) / rate) : 0;
        process.stderr.write(
          `${what}: ${done}/${total} ${unit}, ${rate.toFixed(1)}/s, ETA ${eta} s\n`,
        );
      }
    },
    stop() {
      bar?.stop();
    },
  };
}
