import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { main } from "../../src/cli/main.js";
import { asSystemError } from "../../src/pipeline/system-errors.js";

/** What the system throws at each verb, at the first file that it touches. */
const fault = vi.hoisted(() => ({ code: "" }));
const faulty = vi.hoisted(() => (actual: Record<string, unknown>, sync: boolean) => {
  const guarded = (name: string, call: (...args: unknown[]) => unknown) =>
    Object.assign((...args: unknown[]): unknown => {
      if (!args.some((arg) => typeof arg === "string" && arg.includes("FAULTY")))
        return call(...args);
      const error = Object.assign(new Error(`${fault.code}: thrown by the test, ${name}`), {
        code: fault.code,
        syscall: name,
        path: args[0],
      });
      if (name === "existsSync") return true;
      if (sync) throw error;
      return Promise.reject(error);
    }, call);
  return Object.fromEntries(
    Object.entries(actual).map(([name, value]) => [
      name,
      typeof value === "function" && /^[a-z]/.test(name) && (sync ? /Sync$/.test(name) : true)
        ? guarded(name, value as (...args: unknown[]) => unknown)
        : value,
    ]),
  );
});
vi.mock("node:fs", async (original) => faulty(await original(), true));
vi.mock("node:fs/promises", async (original) => faulty(await original(), false));

let said = "";
beforeEach(() => {
  said = "";
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    said += String(text);
    return true;
  });
  vi.spyOn(process.stdout, "write").mockImplementation(() => true);
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = 0;
});

const at = (name: string): string => `/FAULTY/${name}`;
const card = "models/baselines/pixels-32.yaml";
const verbs: readonly (readonly string[])[] = [
  ["run", at("config.yaml")],
  ["verify", at("config.yaml")],
  ["show", at("record")],
  ["list", "--runs", at("runs")],
  ["compare", at("a"), at("b")],
  ["cache", "info", "--cache", at("cache")],
  ["cache", "prune", "--cache", at("cache")],
  ["export", "--table", "4", "--runs", at("runs")],
  ["gallery", "info", "--gallery", at("gallery")],
  ["gallery", "remove", "--gallery", at("gallery"), "--label", "x"],
  ["gallery", "append", "--gallery", at("g"), "--card", card, "--list", "l", "--images", "."],
  ["gallery", "build", "--out", at("g"), "--card", card, "--list", at("l"), "--images", "."],
  ["gate", "--baseline", at("a.yaml"), "--candidate", at("b.yaml"), "--data", at("d.yaml")],
  ["diagnose", "--baseline", at("a.yaml"), "--candidate", at("b.yaml"), "--data", at("d.yaml")],
  ["import", at("model"), "--out", at("out")],
  ["inspect", at("model.onnx")],
  ["lint", "--gallery-list", at("list.txt")],
  ["recognize", at("picture.jpg"), "--detector", at("card.yaml"), "--gallery", at("gallery")],
  ["choose", at("vectors.npy")],
  ["eval", "coco", "--truth", at("truth.json"), "--detections", at("found.json")],
  ["eval", "retrieval", "--gallery", at("g.npy"), "--gallery-list", at("l.txt"), "--leave-one-out"],
  ["eval", "f1", "--evidence", at("evidence.json")],
  ["report", "--runs", at("runs"), "--out", at("site")],
];
const codes = [
  ..."EACCES EPERM EMFILE ENFILE ENAMETOOLONG ENOSPC EDQUOT EISDIR ENOTDIR EIO EROFS".split(" "),
  ..."ELOOP ENOENT ERR_FS_FILE_TOO_LARGE".split(" "),
];

describe("what the system refuses", { timeout: 60_000 }, () => {
  it.each(verbs.map((args) => [args.filter((a) => /^[a-z0-9]+$/.test(a)).join(" "), args]))(
    "is the user's to mend, whatever it is, in shitu %s",
    async (_, args) => {
      // What lists what is there takes a folder that is not there for an empty one.
      const lists = /^(list|cache|export)$/.test(args[0]!);
      for (const code of codes.filter((c) => !lists || c !== "ENOENT")) {
        fault.code = code;
        said = "";
        const exit = await main(args as string[]);
        expect([code, exit, said]).toEqual([code, 2, expect.stringContaining("FAULTY")]);
        expect(said).not.toMatch(/internal error|\n\s+at /);
        expect(said.trimEnd().split("\n")).toHaveLength(1);
      }
    },
  );

  it("is told from our own faults", () => {
    const coded = (code: string): Error => Object.assign(new Error("no"), { code });
    expect(asSystemError(coded("EACCES"))?.complaint).toMatchObject({ code: "system-error" });
    expect(asSystemError(coded("ENOSPC"))?.complaint).toMatchObject({ code: "write-failed" });
    expect(asSystemError(new Error("a", { cause: coded("EIO") }))).not.toBeNull();
    expect(asSystemError(new Error("std::bad_alloc"))?.message).toMatch(/memory/);
    for (const ours of [new Error("no"), new TypeError("no"), coded("toString"), "EACCES"])
      expect(asSystemError(ours)).toBeNull();
  });
});
