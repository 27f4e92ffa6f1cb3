import { ensureBuilt } from "../build.mjs";

/**
 * Worker threads and child processes run the transpiled code: it is brought up to date before any
 * test.
 */
export default async function setup(): Promise<void> {
  await ensureBuilt();
}
