import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { Workspace, type KeptCell } from "../../../src/eval/run/workspace.js";

const folder = (): string => join(mkdtempSync(join(tmpdir(), "workspace-")), ".toy.partial");
const begin = { resume: false, fresh: false, now: "2026-01-01T00:00:00.000Z" };
const later = "2026-02-02T00:00:00.000Z";
const cell = (id: string, state: "completed" | "failed" = "completed"): KeptCell => ({
  done: {
    cell:
      state === "completed"
        ? { id, kind: "toy", labels: {}, versions: {}, state, scores: [], errors: [], notes: [] }
        : { id, kind: "toy", labels: {}, versions: {}, state, code: "x", message: "y" },
    cases: [],
  },
  sources: { "lists of toy": "12ab" },
});

/** A sealed file with a part replaced, and sealed again. */
function sealed(text: string, part: string, by: string): string {
  const body = text.split("\n")[1]!.replace(part, by);
  return `${createHash("sha256").update(body).digest("hex")}\n${body}\n`;
}

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
      now: later,
    });
    expect(again.kept("a")).toEqual(cell("a"));
    expect(again.kept("b")).toBeUndefined(); // what failed is tried again
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
    expect(fresh.kept("a")).toBeUndefined();
    expect(readdirSync(at).filter((f) => f.startsWith("cell-"))).toEqual([]);
    await fresh.release();
  });

  it.each([
    ["emptied", () => ""],
    ["cut off", (text: string) => text.slice(0, text.length / 2)],
    ["changed by a digit", (text: string) => text.replace("12ab", "12ac")],
    ["without scores, and with a checksum", (text: string) => sealed(text, '"scores":[],', "")],
    [
      "of another name, and with a checksum",
      (text: string) => sealed(text, '"id":"a"', '"id":"../../evil"'),
    ],
  ])("measures a finished cell again whose file is %s, and says so", async (_, damage) => {
    const at = folder();
    const first = await Workspace.open(at, begin);
    await first.finish(cell("a"));
    await first.finish(cell("b"));
    await first.release();
    const file = join(at, "cell-a.json");
    writeFileSync(file, damage(readFileSync(file, "utf8")));
    const again = await Workspace.open(at, { ...begin, resume: true });
    expect([again.kept("a"), again.kept("b")]).toEqual([undefined, cell("b")]);
    expect(again.damaged).toEqual(["cell-a.json"]);
    await again.release();
  });

  it("does not take a start for one that is damaged", async () => {
    const at = folder();
    const first = await Workspace.open(at, begin);
    await first.finish(cell("a"));
    await first.release();
    writeFileSync(join(at, "started"), "../../evil");
    const again = await Workspace.open(at, { resume: true, fresh: false, now: later });
    expect([again.startedAt, again.damaged]).toEqual([later, ["started"]]);
    await again.release();
  });

  it("leaves nothing where no cell was finished, and asks nothing of the next run", async () => {
    const at = folder();
    const first = await Workspace.open(at, begin);
    await first.finish(cell("b", "failed"));
    await first.release();
    expect(readdirSync(dirname(at))).toEqual([]);
    mkdirSync(at);
    writeFileSync(join(at, "started"), "of a kill");
    const second = await Workspace.open(at, begin);
    expect(second.resumed).toBe(false);
    await second.release();
  });

  it("refuses a second process and takes over from one that was killed", async () => {
    const at = folder();
    const first = await Workspace.open(at, begin);
    await expect(Workspace.open(at, { ...begin, resume: true })).rejects.toThrow(/another process/);
    await first.finish(cell("a"));
    await first.release();
    writeFileSync(join(at, "lock"), ""); // of a kill
    const second = await Workspace.open(at, { ...begin, resume: true });
    await second.release();
  });
});
