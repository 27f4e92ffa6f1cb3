import { Command } from "commander";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verb } from "../../src/cli/verbs/datasets.js";

let printed = "";
beforeEach(() => {
  printed = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

async function shitu(...args: string[]): Promise<void> {
  const command = new Command("datasets").exitOverride();
  verb.build(command);
  await command.parseAsync(args, { from: "user" });
}

describe("shitu datasets", () => {
  it("lists the sets of the embedded benchmark with what they stand for", async () => {
    await shitu("list", "--json");
    const sets = JSON.parse(printed) as {
      name: string;
      task: string;
      standsFor: string;
      manifest: string;
      ready: boolean | null;
    }[];
    const mini = sets.filter((s) => s.name.startsWith("mini-"));
    expect(mini).toHaveLength(13);
    expect(mini.filter((s) => s.task === "recognition")).toHaveLength(6);
    expect(mini.filter((s) => s.task === "detection")).toHaveLength(5);
    expect(sets.find((s) => s.name === "mini-tokens")).toMatchObject({
      standsFor: "Stands in for VeRI-Wild",
      manifest: "datasets/mini/sets/mini-tokens.yaml",
    });
    for (const s of mini) expect(typeof s.ready).toBe("boolean");
  });

  it("refuses a name that there is not, and says which there are", async () => {
    await expect(shitu("prepare", "coco")).rejects.toMatchObject({
      complaint: {
        code: "unknown-dataset",
        expected: expect.stringMatching(/^mini/),
        found: '"coco"',
      },
    });
    await expect(shitu("prepare", "mini", "--only", "mini-goods,mini-good")).rejects.toThrow(
      /mini-tokens/,
    );
    await expect(shitu("prepare", "mini", "--workers", "0")).rejects.toMatchObject({
      complaint: { code: "bad-option" },
    });
    await expect(shitu("info", "nothing")).rejects.toThrow(/mini/);
  });
});
