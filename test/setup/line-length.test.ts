import { ESLint } from "eslint";
import { describe, expect, it } from "vitest";
import { wideLines } from "../../setup/line-length.mjs";
import { projectRoot } from "../../src/pipeline/root.js";

const word = "wide ".repeat(20);

describe("lines over 100 columns", () => {
  it("are named in styles, YAML, C++ and pages, by characters and not bytes", () => {
    expect(wideLines(`${"é".repeat(100)}\n# ${"é".repeat(99)}\n\n  ${word}\n`)).toEqual([2, 4]);
  });

  it("may hold an address, or be a row of a table", () => {
    expect(wideLines(`# see https://example.org/${"a".repeat(100)}\n| ${word} |\n`)).toEqual([]);
  });

  it("are an error of the lint in scripts, unless an import's path makes them", async () => {
    const overrideConfig = {
      languageOptions: { parserOptions: { projectService: false } },
      rules: {
        "@typescript-eslint/no-floating-promises": "off",
        "@typescript-eslint/no-misused-promises": "off",
      },
    } as const;
    const eslint = new ESLint({ cwd: projectRoot, overrideConfig });
    const text =
      `// ${word}\nexport const a = "${word}";\n` +
      `export { type B } from "./${"a".repeat(100)}.js";\n`;
    const [result] = await eslint.lintText(text, { filePath: `${projectRoot}/bench/wide.ts` });
    const wide = result!.messages.filter(({ ruleId }) => ruleId === "max-len");
    expect(wide.map(({ line }) => line)).toEqual([1, 2]);
  });
});
