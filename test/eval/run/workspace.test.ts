import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { FinishedCell } from "../../../src/eval/record/finished-cell.js";
import { Workspace } from "../../../src/eval/run/workspace.js";

const folder = (): string => join(mkdtempSync(join(tmpdir(), "workspace-")), ".toy.partial");
const begin = { resume: false, fresh: false, now: "2026-01-01T00:00:00.000Z" };
const cell = (id: string, state: "completed" | "failed" = "completed"): FinishedCell => ({
  cell:
    state === "completed"
      ? { id, kind: "toy", labels: {}, versions: {}, state, scores: [], errors: [], notes: [] }
      : { id, kind: "toy", labels: {}, versions: {}, state, code: "x", message: "y" },
  cases: [],
});

describe("workspace of a run", () => {
  it("keeps finished cells for --resume, and the first start", async () => {
    const at = folder();
    const first = await Workspace.open(at, begin);
    await first.finish(cell("a"));
    await first.finish(cell("b", "failed"));
    await first.release();
    const again = await Workspace.open(at, {
      resume: true,
      fresh: false,
      now: "2026-02-02T00:00:00.000Z",
    });
    expect(again.finished("a")).toEqual(cell("a"));
    expect(again.finished("b")).toBeUndefined(); // what failed is tried again
    expect(again.startedAt).toBe(begin.now);
    await again.remove();
    expect(existsSync(at)).toBe(false);
  });

  it("asks what to do with a run that was cut off, and throws it away on --fresh", async () => {
    const at = folder();
    const first = await Workspace.open(at, begin);
    await first.finish(cell("a"));
    await first.release();
    await expect(Workspace.open(at, begin)).rejects.toThrow(/1 cells finished.*--resume.*--fresh/);
    const fresh = await Workspace.open(at, { ...begin, fresh: true });
    expect(fresh.finished("a")).toBeUndefined();
    expect(readdirSync(at).filter((f) => f.startsWith("cell-"))).toEqual([]);
    await fresh.release();
  });

  it("measures a finished cell again that a power cut left empty", async () => {
    const at = folder();
    const first = await Workspace.open(at, begin);
    await first.finish(cell("a"));
    await first.finish(cell("b"));
    await first.release();
    writeFileSync(join(at, "cell-a.json"), "");
    const again = await Workspace.open(at, { ...begin, resume: true });
    expect([again.finished("a"), again.finished("b")]).toEqual([undefined, cell("b")]);
    await again.release();
  });

  it("waits until what measured for a killed owner has ended, too", async () => {
    const at = folder();
    const first = await Workspace.open(at, begin);
    await first.release();
    const worker = spawn(process.execPath, ["-e", "setTimeout(() => {}, 400)"]);
    const ended = new Promise((resolve) => {
      worker.once("exit", resolve);
    });
    writeFileSync(join(at, "lock"), `999999999 ${worker.pid}`);
    const second = await Workspace.open(at, { ...begin, resume: true });
    expect(
      worker.exitCode ??
        worker.signalCode ??
        (await Promise.race([ended, Promise.resolve("still there")])),
    ).not.toBe("still there");
    await second.release();
  });

  it("refuses a second process and takes over from one that was killed", async () => {
    const at = folder();
    const first = await Workspace.open(at, begin);
    await expect(Workspace.open(at, { ...begin, resume: true })).rejects.toThrow(/another process/);
    await first.release();
    writeFileSync(join(at, "lock"), "999999999"); // no such process
    const second = await Workspace.open(at, { ...begin, resume: true });
    await second.release();
  });
});
