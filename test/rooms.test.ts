import { readdirSync, readFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../src/pipeline/root.js";

const isSource = (name: string): boolean => name.endsWith(".ts") && !name.endsWith(".d.ts");

/** Folders with several sources, and those sources. */
function roomsUnder(folder: string): { readonly room: string; readonly files: string[] }[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  const files = entries.filter((e) => e.isFile() && isSource(e.name)).map(({ name }) => name);
  const inner = entries.filter((e) => e.isDirectory() && !/^[.]|^(dist|build)$/.test(e.name));
  return [
    ...(files.length > 1 ? [{ room: folder, files }] : []),
    ...inner.flatMap(({ name }) => roomsUnder(join(folder, name))),
  ];
}

/** What lies at a room's root is ground for all; the verbs are told of in main.ts. */
const without = new Set([
  "src/pipeline",
  "src/eval",
  "src/eval/metrics",
  "src/import",
  "src/cli/verbs",
]);
const rooms = ["src", "datasets", "models/networks", "reports/analysis", "reports/components"]
  .flatMap((folder) => roomsUnder(join(projectRoot, folder)))
  .map(({ room, files }) => ({ room: relative(projectRoot, room), files }))
  .filter(({ room }) => !without.has(room));

describe("a room", () => {
  it.each(rooms)("$room: one file says what comes in, goes out, and is never seen", (found) => {
    const name = basename(found.room);
    const heads = found.files.flatMap((file) => {
      const text = readFileSync(join(projectRoot, found.room, file), "utf8");
      const head = /^(\/\/ .*\n)+/.exec(text)?.[0].replaceAll("\n// ", " ") ?? "";
      return head.startsWith(`// ${name}/: `) || head.includes(`/${name}/: `) ? [head] : [];
    });
    expect(heads).toHaveLength(1);
    expect(heads[0]).toMatch(/ in[,;:.]? .* out\b.*never/);
    expect(heads[0]!.split("\n").length).toBeLessThanOrEqual(4);
  });
});
