import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeAtomic } from "../../src/pipeline/atomic-file.js";
import { ownerOf } from "../../src/pipeline/process-owner.js";
import { scratchBeside, sweepScratch } from "../../src/pipeline/scratch.js";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "scratch-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** A name as a process that has ended would have given it. */
function ofTheDead(): string {
  const { pid } = spawnSync(process.execPath, ["-e", "0"]);
  const own = ownerOf(process.pid);
  return scratchBeside(join(folder, "x")).replace(`${own.pid}-`, `${pid}-`);
}

describe("scratch", () => {
  it("sweeps what a process that is gone left, before the next write", async () => {
    const [file, tree] = [ofTheDead(), ofTheDead()];
    writeFileSync(file, "half");
    mkdirSync(join(tree, "deep"), { recursive: true });
    await writeAtomic(join(folder, "result"), "whole");
    expect(readdirSync(folder)).toEqual(["result"]);
  });

  it("sweeps what bears the number of a process that started at another time", async () => {
    const own = ownerOf(process.pid);
    const path = scratchBeside(join(folder, "x")).replace(`${own.started}-`, "1-");
    writeFileSync(path, "half");
    await sweepScratch(folder);
    expect(existsSync(path)).toBe(false);
  });

  it("leaves what a living process or another machine writes, and all else", async () => {
    const living = scratchBeside(join(folder, "x"));
    const [lately, longAgo] = ["aaaaaaaa", "bbbbbbbb"].map((hex) =>
      join(folder, `.shitu-1-1-elsewhere-${hex}.tmp`),
    );
    const other = join(folder, "other.tmp");
    for (const path of [living, lately!, longAgo!, other]) writeFileSync(path, "");
    const then = new Date(Date.now() - 25 * 3600 * 1000);
    utimesSync(longAgo!, then, then);
    await sweepScratch(folder);
    expect(readdirSync(folder).sort()).toEqual(
      [living, lately!, other].map((path) => basename(path)).sort(),
    );
  });

  it("writes a file whose name is as long as a name may be", async () => {
    const name = "n".repeat(255);
    await writeAtomic(join(folder, name), "whole");
    expect(readdirSync(folder)).toEqual([name]);
    await expect(writeAtomic(join(folder, `${name}n`), "")).rejects.toMatchObject({
      complaint: {
        code: "write-failed",
        found: "ENAMETOOLONG",
        fix: "give a shorter name or path",
      },
    });
  });
});
