/** SIGINT or SIGTERM came. */
export class Interrupted extends Error {}

/** What an interrupted verb says and exits with: 128 + SIGINT, as shells have it. */
export function sayInterrupted(kept = "what was finished is kept: go on with --resume"): void {
  process.stderr.write(`\nstopped; ${kept}\n`);
  process.exitCode = 130;
}
