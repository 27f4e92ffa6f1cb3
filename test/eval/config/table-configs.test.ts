import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../src/eval/config/config.js";
import { paperLabels } from "../../../src/eval/record/paper-labels.js";
import { cellsOf, readPaper } from "../../../src/eval/paper/paper-tables.js";
import { Resources } from "../../../src/eval/observe/resources.js";
import { planExperiment } from "../../../src/eval/run/runner.js";
import { projectRoot } from "../../../src/pipeline/root.js";

const paper = await readPaper(join(projectRoot, "configs", "paper", "tables.yaml"));
const files = ["mini", "paper"].flatMap((folder) =>
  readdirSync(join(projectRoot, "configs", folder))
    .filter((f) => /^table\d.*\.yaml$/.test(f))
    .map((f) => `${folder}/${f}`),
);

describe("configs of the paper's tables", () => {
  it("are there for each table that can be measured", () => {
    for (const n of [4, 5, 6, 7, 8, 9]) expect(files).toContain(`mini/table${n}.yaml`);
    for (const n of [3, 4, 5, 6, 7, 8, 9]) expect(files).toContain(`paper/table${n}.yaml`);
  });

  it.each(files)(
    "%s: every model, system and data set that it joins with the paper is one of that table, " +
      "and none of the table's is left out",
    async (name) => {
      const loaded = await loadConfig(join(projectRoot, "configs", name));
      const { table, paper: names } = loaded.config;
      expect(String(table)).toBe(/\d/.exec(name.split("/")[1]!)![0]);
      // vectors that are drawn are of no data set
      const generated = loaded.config.measure.every((m) => m.kind === "index");
      const of = paper.tables.find((t) => t.table === table)!;
      const cells = cellsOf(of)
        .flat()
        .map((c) => c.is);
      const known = (key: "model" | "system" | "dataset"): Set<string> =>
        new Set(cells.flatMap((c) => c[key] ?? []));
      // Nothing need be there: a sweep is planned with what is missing, too.
      const plans = await planExperiment(loaded, new Resources(loaded, "nowhere"));
      const joined = plans
        .map((p) => paperLabels(p, loaded.config))
        .filter((l) => l.paperTable !== undefined);
      expect(joined.length).toBeGreaterThan(0);
      for (const [label, key] of [
        ["paperModel", "model"],
        ["paperSystem", "system"],
        ["paperDataset", "dataset"],
      ] as const) {
        const used = new Set(joined.flatMap((l) => l[label] ?? []));
        // Test and classification sets are no coordinate of Tables 6 and 9; mini has fewer
        // classifiers than Table 6.
        if (known(key).size > 0)
          for (const value of used) expect([...known(key)], `${label} of ${name}`).toContain(value);
        const whole = name.startsWith("paper/") || table !== 6;
        if (whole && !(generated && key === "dataset") && !(table === 3 && key === "dataset"))
          for (const value of known(key)) expect([...used], `${label} of ${name}`).toContain(value);
      }
      if (name.startsWith("mini/") && !generated) expect(names?.notComparable).toMatch(/rendered/);
    },
  );
});
