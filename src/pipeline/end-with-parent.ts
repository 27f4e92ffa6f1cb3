import { Worker } from "node:worker_threads";

/**
 * Ends a child process when its parent is gone, also while native code holds its main thread: a
 * message from the parent would be heard only after that.
 */

/** Milliseconds after which a parent's end is seen, at most. */
const lookEveryMs = 500;

const watch = `
  const { workerData: { parent, group } } = require("node:worker_threads");
  setInterval(() => {
    if (process.ppid !== parent) process.kill(group ? -process.pid : process.pid, "SIGKILL");
  }, ${lookEveryMs});
`;

/** @param group whether the process leads a group of its own, which ends with it. */
export function endWithParent(parent: number, { group = false } = {}): void {
  new Worker(watch, { eval: true, execArgv: [], workerData: { parent, group } }).unref();
}
