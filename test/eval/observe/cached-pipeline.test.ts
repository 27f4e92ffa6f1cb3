import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { casesFromArrow } from "../../../src/eval/record/cases.js";
import { loadConfig } from "../../../src/eval/config/config.js";
import { runExperiment } from "../../../src/eval/run/runner.js";
import { makeTiny, type Tiny } from "../tiny-benchmark.js";

/**
 * What a pipeline recognised is cached whole: each thing that it depends on must make it another
 * entry.
 */

const made: string[] = [];
const fresh = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "cached-pipeline-"));
  made.push(folder);
  return folder;
};
let tiny: Tiny;
beforeEach(async () => {
  tiny = await makeTiny();
  made.push(tiny.folder);
});
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

const body = ({ k = "Flat", threshold = 0.5 } = {}): string => `
measure:
  - kind: pipeline
    systems:
      - name: plain
        detector: "\${baselines}/whole-image.yaml"
        embedder: "\${baselines}/pixels-32.yaml"
        index: { factory: ${k} }
    datasets: [scenes.yaml]
    threshold: ${threshold}
`;

async function outcome(cache: string, settings: Parameters<typeof body>[0] = {}): Promise<string> {
  const { record, folder } = await runExperiment(
    await loadConfig(tiny.config("scenes-of", body(settings))),
    { runs: fresh(), cache },
  );
  const cells = record.cells.map((c) =>
    c.state === "completed"
      ? { ...c, scores: c.scores.filter((s) => s.unit !== "ms"), findings: [] }
      : c,
  );
  const cases = casesFromArrow(readFileSync(join(folder, "cases.arrow"))).map(
    ({ stageMs: _, ...rest }) => rest,
  );
  return JSON.stringify({ cells, cases });
}

const boxes = (
  change: (json: { annotations: { category_id: number; bbox: number[] }[] }) => void,
): void => {
  const file = join(tiny.folder, "boxes.json");
  const json = JSON.parse(readFileSync(file, "utf8")) as Parameters<typeof change>[0];
  change(json);
  writeFileSync(file, JSON.stringify(json));
};
const picture = (i: number): string => join(tiny.folder, "images", `${i}.png`);

describe("recognised scenes in the cache", () => {
  it("are served again where nothing changed", async () => {
    const cache = fresh();
    expect(await outcome(cache)).toBe(await outcome(cache));
  });

  // The second half of the pictures is the gallery; all of them are queries.
  it.each<[string, () => void]>([
    [
      "a gallery picture",
      () => {
        copyFileSync(picture(1), picture(20));
      },
    ],
    [
      "a query picture",
      () => {
        copyFileSync(picture(2), picture(3));
      },
    ],
    [
      "a label of the gallery",
      () => {
        const list = join(tiny.folder, "gallery.txt");
        writeFileSync(list, readFileSync(list, "utf8").replace("class 2", "class 5"));
      },
    ],
    [
      "the order of the gallery",
      () => {
        const list = join(tiny.folder, "gallery.txt");
        writeFileSync(
          list,
          `${readFileSync(list, "utf8").trim().split("\n").reverse().join("\n")}\n`.replace(
            "class 1",
            "class 4",
          ),
        );
      },
    ],
    [
      "a true label",
      () => {
        boxes(({ annotations }) => {
          annotations[4]!.category_id = 1;
        });
      },
    ],
    [
      "a true box",
      () => {
        boxes(({ annotations }) => {
          annotations[5]!.bbox = [30, 30, 5, 5];
        });
      },
    ],
  ])("are recognised again after a change of %s", async (_, change) => {
    const cache = fresh();
    const before = await outcome(cache);
    change();
    const after = await outcome(cache);
    expect(after).not.toBe(before);
    expect(after).toBe(await outcome(fresh()));
  });

  it("are recognised again with another index", async () => {
    const cache = fresh();
    const flat = await outcome(cache);
    const graph = await outcome(cache, { k: "HNSW32" });
    expect(graph).not.toBe(flat);
    expect(graph).toBe(await outcome(fresh(), { k: "HNSW32" }));
  });

  it("serve another threshold, which is no part of them", async () => {
    const cache = fresh();
    await outcome(cache);
    expect(await outcome(cache, { threshold: 0.9 })).toBe(
      await outcome(fresh(), { threshold: 0.9 }),
    );
  });
});
