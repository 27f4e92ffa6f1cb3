import { join } from "node:path";
import { ESLint } from "eslint";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../src/pipeline/root.js";

/** The arrows need no types, and types take a minute. */
const untyped = {
  languageOptions: { parserOptions: { projectService: false } },
  rules: {
    "@typescript-eslint/no-floating-promises": "off",
    "@typescript-eslint/no-misused-promises": "off",
  },
} as const;
const eslint = new ESLint({ cwd: projectRoot, overrideConfig: untyped });

/** What the arrows' rule says of one import, made in a file of that path. */
async function verdict(path: string, imported: string): Promise<string[]> {
  const filePath = join(projectRoot, path);
  const [result] = await eslint.lintText(`import "${imported}";\n`, { filePath });
  return result!.messages
    .filter((m) => m.ruleId === "import-x/no-restricted-paths")
    .map((m) => m.message);
}

describe("the arrows of the house", () => {
  it("hold for pages that name our modules as a package", async () => {
    const page = "reports/components/chart.ts";
    expect(await verdict(page, "npm:shitu-bench/src/cli/main")).toHaveLength(1);
    expect(await verdict(page, "npm:shitu-bench/src/eval/run/runner")).toHaveLength(1);
    expect(await verdict(page, "npm:shitu-bench/src/eval/paper/paper-matrix")).toEqual([]);
  });

  it("hold between rooms, and between the floors of one room", async () => {
    expect(await verdict("src/pipeline/box.ts", "../eval/types.js")).toHaveLength(1);
    expect(await verdict("src/pipeline/box.ts", "./image/image.js")).toHaveLength(1);
    expect(await verdict("src/eval/stats/holm.ts", "../run/runner.js")).toHaveLength(1);
    expect(await verdict("src/eval/run/runner.ts", "../stats/holm.js")).toEqual([]);
  });
});
