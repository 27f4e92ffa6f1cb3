import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { safePath } from "../../../src/pipeline/image/image-root.js";

let folder: string;
let root: string;
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "root-")));
  root = join(folder, "images");
  mkdirSync(join(root, "a"), { recursive: true });
  mkdirSync(join(folder, "images-2"));
  writeFileSync(join(root, "a", "1.jpg"), "x");
  writeFileSync(join(folder, "secret.jpg"), "x");
  symlinkSync(folder, join(root, "up"));
  symlinkSync(join(folder, "secret.jpg"), join(root, "secret.jpg"));
  symlinkSync("a", join(root, "same"));
  symlinkSync(join(folder, "not-there.jpg"), join(root, "dangling-out.jpg"));
  symlinkSync("not-there.jpg", join(root, "dangling-in.jpg"));
  symlinkSync("../images/a", join(root, "round"));
  symlinkSync("loop", join(root, "loop"));
  symlinkSync(root, join(folder, "alias"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  ["a/1.jpg", "a/1.jpg"],
  ["./a//1.jpg", "a/1.jpg"],
  ["a/../a/1.jpg", "a/1.jpg"],
  ["same/1.jpg", "a/1.jpg"],
  ["round/1.jpg", "a/1.jpg"],
  ["a/missing.jpg", "a/missing.jpg"],
  ["missing/1.jpg", "missing/1.jpg"],
  ["dangling-in.jpg", "not-there.jpg"],
  ["a/..b.jpg", "a/..b.jpg"],
  ["...", "..."],
  ["a/1.jpg/below", "a/1.jpg/below"],
])("%s stays inside", (path, expected) => {
  expect(safePath(root, path)).toBe(join(root, expected));
});

test("a root that is itself a link is followed", () => {
  expect(safePath(join(folder, "alias"), "a/1.jpg")).toBe(join(root, "a", "1.jpg"));
});

test("a root that is missing is left to the reader", () => {
  expect(safePath(join(folder, "gone"), "1.jpg")).toBe(join(folder, "gone", "1.jpg"));
});

function refusal(path: string): unknown {
  try {
    return safePath(root, path);
  } catch (error) {
    return error;
  }
}

test.each([
  ["../secret.jpg", /climbs/],
  ["a/../../secret.jpg", /climbs/],
  ["..", /climbs/],
  ["../images-2/1.jpg", /climbs/],
  ["/etc/passwd", /absolute/],
  ["up/secret.jpg", /link/],
  ["up/missing.jpg", /link/],
  ["secret.jpg", /link/],
  ["dangling-out.jpg", /link/],
  ["", /empty/],
  ["a\0.jpg", /null/],
])("%j is refused", (path, found) => {
  expect(refusal(path)).toMatchObject({
    code: "path-outside-root",
    complaint: { file: path, found: expect.stringMatching(found) as string },
  });
});

test("a loop of links is reported", () => {
  expect(refusal("loop/1.jpg")).toMatchObject({ code: "image-unreadable" });
});
