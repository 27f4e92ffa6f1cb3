import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { isAlive, ownerOf } from "../../src/pipeline/process-owner.js";
import { projectRoot } from "../../src/pipeline/root.js";

const module = pathToFileURL(
  join(projectRoot, "dist", "src", "pipeline", "end-with-parent.js"),
).href;
/** Its main thread is held as native code holds it: no event reaches it. */
const child = `
  const { endWithParent } = await import(${JSON.stringify(module)});
  endWithParent(process.ppid);
  console.log(process.pid);
  setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0), 100);
`;
const parent = `
  const { spawn } = await import("node:child_process");
  spawn(process.execPath, ["--input-type=module", "-e", ${JSON.stringify(child)}], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  setInterval(() => {}, 1000);
`;

describe("endWithParent", () => {
  it("ends a child whose parent was killed, while its main thread is held", async () => {
    const first = spawn(process.execPath, ["--input-type=module", "-e", parent], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const owner = ownerOf(Number(String((await once(first.stdout, "data"))[0])));
    await wait(700);
    expect(isAlive(owner)).toBe(true);
    first.kill("SIGKILL");
    const start = performance.now();
    while (isAlive(owner) && performance.now() - start < 15_000) await wait(50);
    expect(isAlive(owner)).toBe(false);
  });
});
