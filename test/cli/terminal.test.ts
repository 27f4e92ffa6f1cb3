import { describe, expect, it } from "vitest";
import { visible } from "../../src/cli/terminal.js";
import { UserError } from "../../src/pipeline/errors.js";

describe("what goes to the terminal", () => {
  it.each([
    ["\u202e", "\\u202e"],
    ["\u2066", "\\u2066"],
    ["\u200f", "\\u200f"],
    ["\u001b", "\\x1b"],
    ["\u009b", "\\x9b"],
  ])("shows a mark that would turn or drive it: %j", (mark, shown) => {
    const name = `photos${mark}gpj.exe`;
    expect(visible(name)).toBe(`photos${shown}gpj.exe`);
    const { message } = new UserError({ code: "x", message: "no such file", file: name });
    expect(message).toBe(`photos${shown}gpj.exe: no such file`);
  });

  it("leaves letters of all scripts as they are", () => {
    expect(visible("脉动 קפה قهوة é")).toBe("脉动 קפה قهوة é");
  });
});
