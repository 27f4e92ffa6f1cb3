import { describe, expect, it } from "vitest";
import { shituProcess } from "./shitu.js";

describe("command line", () => {
  it("lists its verbs", async () => {
    const { code, stdout } = await shituProcess(["--help"]);
    expect(code).toBe(0);
    for (const verb of ["gallery", "recognize", "run", "list", "show", "cache", "eval"])
      expect(stdout).toContain(verb);
  });

  it("describes each verb without running it", async () => {
    for (const verb of ["gallery", "recognize", "run", "list", "show", "cache"]) {
      const { code, stdout } = await shituProcess([verb, "--help"]);
      expect(code, verb).toBe(0);
      expect(stdout).toContain("Usage: shitu");
    }
  });

  it.each([
    [["nonsense"], /unknown command|too many arguments/],
    [["run"], /missing required argument/],
    [["run", "nowhere.yaml"], /nowhere\.yaml: no such file/],
    [["run", "configs/first-light.yaml", "--colour"], /unknown option/],
    [["show", "nowhere"], /no record/],
    [["gallery", "info", "--gallery", "nowhere"], /no gallery in this folder/],
    [["gallery", "remove", "--gallery", "nowhere"], /say what to remove/],
    [["cache", "prune", "--older-than", "x"], /--older-than takes a whole number/],
  ] as [string[], RegExp][])("refuses %j with exit code 2 and no stack", async (args, message) => {
    const { code, stderr } = await shituProcess(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it("says errors as JSON under --json", async () => {
    const { code, stderr } = await shituProcess(["run", "nowhere.yaml", "--json"]);
    expect(code).toBe(2);
    expect(JSON.parse(stderr)).toMatchObject({
      error: {
        code: "file-unreadable",
        file: expect.stringContaining("nowhere.yaml"),
        fix: expect.any(String),
      },
    });
  });

  it("passes no terminal escape from a name to the screen", async () => {
    const { stderr } = await shituProcess(["run", "a\u001b[31mb.yaml"]);
    expect(stderr).not.toContain("\u001b");
    expect(stderr).toContain("\\x1b");
  });
});
