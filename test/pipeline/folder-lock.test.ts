import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { takeLock, withFolderLock } from "../../src/pipeline/folder-lock.js";
import { complaintOf } from "../complaint.js";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lock-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});
const lockFile = (): string => join(folder, ".lock");

describe("withFolderLock", () => {
  it("lets one at a time in, and leaves nothing behind", async () => {
    const order: string[] = [];
    const job = (name: string) =>
      withFolderLock(folder, async () => {
        order.push(`${name} in`);
        await new Promise((done) => setTimeout(done, 20));
        order.push(`${name} out`);
      });
    await Promise.all(["a", "b", "c", "d"].map(job));
    for (let i = 0; i < order.length; i += 2)
      expect(order[i + 1]).toBe(order[i]!.replace("in", "out"));
    expect(existsSync(lockFile())).toBe(false);
  });

  it("opens again after work that failed", async () => {
    await expect(withFolderLock(folder, () => Promise.reject(new Error("no")))).rejects.toThrow();
    expect(await withFolderLock(folder, () => Promise.resolve(1))).toBe(1);
  });

  it("refuses after its patience, naming the owner", async () => {
    await withFolderLock(folder, async () => {
      const second = withFolderLock(folder, () => Promise.resolve(), { patienceMs: 100 });
      expect(await complaintOf(() => second)).toMatchObject({
        code: "folder-locked",
        file: lockFile(),
        message: `process ${process.pid} on ${hostname()} is writing here`,
      });
    });
  });

  it.each([
    ["of a process that ended", async () => ({ pid: await endedPid(), started: "1" })],
    [
      "of this process's number, given to another before",
      () => ({ pid: process.pid, started: "1" }),
    ],
  ])("takes a lock over %s", async (_, owner) => {
    writeFileSync(lockFile(), JSON.stringify({ ...(await owner()), host: hostname() }));
    expect(await withFolderLock(folder, () => Promise.resolve("in"), { patienceMs: 0 })).toBe("in");
  });

  it("takes an empty lock over, which a kill left", async () => {
    writeFileSync(lockFile(), "");
    expect(await withFolderLock(folder, () => Promise.resolve("in"))).toBe("in");
  });

  it("takes over from an owner that is a zombie", async () => {
    // The child ends when its shell has become a sleep, which takes note of no child.
    const shell = spawn("sh", ["-c", "sleep 0.3 & echo $!; exec sleep 20"]);
    const pid = Number(String((await once(shell.stdout, "data"))[0]));
    const stat = (): string => readFileSync(`/proc/${pid}/stat`, "utf8");
    await vi.waitFor(() => expect(stat()).toMatch(/\) Z /), { timeout: 5000 });
    writeFileSync(
      lockFile(),
      JSON.stringify({ pid, started: stat().split(" ")[21], host: hostname() }),
    );
    expect(await withFolderLock(folder, () => Promise.resolve("in"), { patienceMs: 0 })).toBe("in");
    shell.kill();
  });

  it("waits for the child of an owner that was killed", async () => {
    const child = spawn("sleep", ["0.5"]);
    const ended = once(child, "exit");
    writeFileSync(
      lockFile(),
      JSON.stringify({
        ...(await endedOwner()),
        child: { pid: child.pid, started: null },
      }),
    );
    const lock = await takeLock(lockFile());
    expect(child.exitCode).toBe(0);
    await ended;
    await lock.release();
    expect(existsSync(lockFile())).toBe(false);
  });

  it("is held for a child that was admitted", async () => {
    const lock = await takeLock(lockFile());
    await lock.admit(process.pid);
    expect(JSON.parse(readFileSync(lockFile(), "utf8"))).toMatchObject({
      pid: process.pid,
      child: { pid: process.pid },
    });
    await expect(takeLock(lockFile())).rejects.toThrow(/is writing here/);
    await lock.release();
  });

  it("does not judge an owner on another machine", async () => {
    writeFileSync(lockFile(), JSON.stringify({ pid: 1, started: "1", host: "elsewhere" }));
    const second = withFolderLock(folder, () => Promise.resolve(), { patienceMs: 50 });
    expect(await complaintOf(() => second)).toMatchObject({ code: "folder-locked" });
  });
});

async function endedOwner(): Promise<{ pid: number; started: string; host: string }> {
  return { pid: await endedPid(), started: "1", host: hostname() };
}

/** A process number that was given, and is free again. */
async function endedPid(): Promise<number> {
  const child = fork("-e", ["0"], { execArgv: ["-e", "0"], stdio: "ignore" });
  await new Promise((done) => child.once("exit", done));
  return child.pid!;
}
