import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../../src/pipeline/root.js";
import { importFolder, numbered, relativeDifference, runImported } from "./run-imported.js";

/** Cases made by test/golden/paddle/make.py: every operator family, in both of Paddle's formats. */
const golden = join(projectRoot, "test", "golden", "paddle");
const cases = readdirSync(golden, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

/** Needs DeformConv, which ONNX has from 19 on. */
const opsets: Readonly<Record<string, readonly number[]>> = { deformed: [19, 21] };

/** Whose loops or suppression run over a batch that must be known. */
const batches: Readonly<Record<string, number>> = { loop: 2 };

describe.each(cases)("Paddle's operators: %s", (name) => {
  describe.each(["old", "pir"])("%s format", (format) => {
    it.each(opsets[name] ?? [13, 17, 18, 21])(
      "gives Paddle's outputs with opset %i",
      async (opset) => {
        const folder = join(golden, name, format);
        const imported = await importFolder(folder, { opset, batch: batches[name] ?? null });
        const found = await runImported(imported, numbered(join(golden, name), "x"));
        const references = numbered(folder, "y");
        expect(references.length).toBeGreaterThan(0);
        expect(found.map((t) => t.dims.join())).toEqual(references.map((t) => t.dims.join()));
        const differences = found.map((t, i) => relativeDifference(t, references[i]!));
        expect(Math.max(...differences)).toBeLessThan(1e-5);
      },
    );
  });
});
