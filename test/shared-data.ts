import { existsSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../src/pipeline/root.js";

/**
 * Third-party test data, looked for in ../shared/data (or SHITU_TEST_DATA). Tests that need it are
 * made with `describe.skipIf(!sharedData)`; where it is absent they show as skipped.
 */
const folder = process.env.SHITU_TEST_DATA ?? join(projectRoot, "..", "shared", "data");
export const sharedData: string | null = existsSync(join(folder, "README.md")) ? folder : null;
if (sharedData === null) console.warn(`skipping tests on third-party data: ${folder} is absent`);

/** A path inside the test data; only call where `sharedData` is set. */
export function shared(...path: string[]): string {
  return join(folder, ...path);
}
