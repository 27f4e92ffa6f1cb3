import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { verb as gallery } from "../../src/cli/verbs/gallery.js";
import { verb as recognize } from "../../src/cli/verbs/recognize.js";

/**
 * One name for one thing: what takes pictures by a model says `--embedder`, wherever it does, and
 * takes it from the gallery where there is one.
 */
function optionsOf(verb: keyof typeof verbs, sub?: string): Map<string, boolean> {
  const command = new Command(verb);
  verbs[verb].build(command);
  const found = sub === undefined ? command : command.commands.find((c) => c.name() === sub)!;
  return new Map(found.options.filter((o) => !o.hidden).map((o) => [o.long!, o.mandatory]));
}

const verbs = { gallery, recognize };
const table: readonly (readonly [keyof typeof verbs, string | undefined, readonly string[]])[] = [
  ["gallery", "build", ["--embedder", "--embedder-folder", "--list", "--images", "--cache"]],
  ["gallery", "append", ["--gallery", "--embedder", "--embedder-folder", "--list", "--images"]],
  ["recognize", undefined, ["--gallery", "--embedder", "--embedder-folder", "--detector"]],
];

describe("options of the gallery's verbs", () => {
  it.each(table)("%s %s", (verb, sub, names) => {
    const options = optionsOf(verb, sub);
    for (const name of names) expect(options.has(name), name).toBe(true);
    // Never needed: a gallery knows its model.
    if (names.includes("--gallery")) expect(options.get("--embedder")).toBe(false);
  });

  it("have no other name for the model on show", () => {
    for (const [verb, sub] of table)
      for (const old of ["--card", "--model-folder"])
        expect(optionsOf(verb, sub).has(old), `${verb} ${old}`).toBe(false);
  });
});
