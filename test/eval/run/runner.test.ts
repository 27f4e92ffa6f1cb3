import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { casesFromArrow } from "../../../src/eval/record/cases.js";
import { loadConfig } from "../../../src/eval/config/config.js";
import type { RunRecord } from "../../../src/eval/record/record.js";
import { SharedWork } from "../../../src/eval/observe/resources.js";
import { runExperiment } from "../../../src/eval/run/runner.js";
import { loadCard } from "../../../src/pipeline/model/card.js";
import { EmbedPool } from "../../../src/pipeline/embedding/embed-pool.js";
import { openEmbedder } from "../../../src/pipeline/embedding/embedder.js";
import { decode } from "../../../src/pipeline/image/image.js";
import { PictureStore } from "../../../src/pipeline/image/picture-store.js";
import { projectRoot } from "../../../src/pipeline/root.js";
import { everyKind, makeTiny, type Tiny } from "../tiny-benchmark.js";

let tiny: Tiny;
beforeAll(async () => {
  tiny = await makeTiny();
});
afterAll(() => {
  rmSync(tiny.folder, { recursive: true, force: true });
});

async function run(
  name: string,
  body: string,
  cache = mkdtempSync(join(tmpdir(), "cache-")),
): Promise<{ record: RunRecord; folder: string; runs: string; cache: string }> {
  const runs = mkdtempSync(join(tmpdir(), "runs-"));
  return {
    ...(await runExperiment(await loadConfig(tiny.config(name, body)), { runs, cache })),
    runs,
    cache,
  };
}

const retrieval = (models: string, datasets = "[rows.yaml]", more = ""): string =>
  `measure:\n  - { kind: retrieval, models: ${models}, datasets: ${datasets}, indexes: [{ ` +
  `factory: Flat }] }\n${more}`;

describe("what stands in the way of a sweep", { timeout: 120_000 }, () => {
  it(
    "fails the cells that need a missing model, a broken card, a missing data set or one " +
      "for another task, and measures the rest",
    async () => {
      writeFileSync(join(tiny.folder, "broken.yaml"), "schema: 1\nname: broken\n");
      const { record } = await run(
        "missing",
        retrieval(
          '["${baselines}/pixels-32.yaml", nowhere/card.yaml, broken.yaml]',
          "[rows.yaml, gone.yaml, boxes.yaml]",
        ),
      );
      expect(record.state).toBe("failed");
      const states = Object.fromEntries(
        record.cells.map((c) => [
          `${c.labels.model} ${c.labels.dataset}`,
          c.state === "failed" ? c.code : c.state,
        ]),
      );
      expect(states).toEqual({
        "pixels-32 rows": "completed",
        "pixels-32 gone": "file-unreadable",
        "pixels-32 boxes": "wrong-task",
        "nowhere rows": "file-unreadable",
        "nowhere gone": "file-unreadable",
        "nowhere boxes": "file-unreadable",
        "broken rows": "schema",
        "broken gone": "schema",
        "broken boxes": "schema", // the name it gives itself
      });
    },
  );

  it("says so at once where no cell can be measured, and leaves nothing behind", async () => {
    const runs = mkdtempSync(join(tmpdir(), "runs-"));
    const loaded = await loadConfig(tiny.config("nothing", retrieval('["${models}/a.yaml"]')));
    await expect(runExperiment(loaded, { runs, cache: runs })).rejects.toThrow(
      /setting models has no value.*--set settings\.models=/,
    );
    expect(readdirSync(runs)).toEqual([]);
  });

  it(
    "refuses a cell that is listed twice, and tells " + "two uses of one model apart by a name",
    async () => {
      const twice = '["${baselines}/pixels-32.yaml", "${baselines}/pixels-32.yaml"]';
      await expect(run("twice", retrieval(twice))).rejects.toThrow(
        /two cells of the sweep have the same labels.*pixels-32 rows/,
      );
      const { record } = await run(
        "named",
        retrieval(
          '["${baselines}/pixels-32.yaml", { card: "${baselines}/pixels-32.yaml", name: again }]',
        ),
      );
      expect(record.cells.map((c) => c.labels.model)).toEqual(["pixels-32", "again"]);
    },
  );

  it("says that a data set is empty, by cell", async () => {
    writeFileSync(join(tiny.folder, "none.txt"), "");
    writeFileSync(
      join(tiny.folder, "none.yaml"),
      readFileSync(join(tiny.folder, "rows.yaml"), "utf8")
        .replace("name: rows", "name: none")
        .replace("all.txt", "none.txt"),
    );
    writeFileSync(
      join(tiny.folder, "lost.yaml"),
      readFileSync(join(tiny.folder, "rows.yaml"), "utf8")
        .replace("name: rows", "name: lost")
        .replace("images: .", "images: elsewhere"),
    );
    const { record } = await run(
      "empty",
      retrieval('["${baselines}/pixels-32.yaml"]', "[rows.yaml, none.yaml, lost.yaml]"),
    );
    expect(record.cells.map((c) => (c.state === "failed" ? c.code : c.state))).toEqual([
      "completed",
      "list-empty",
      "dataset-empty",
    ]);
  });

  it("writes nothing where no cell could be measured, whenever that is found", async () => {
    const runs = mkdtempSync(join(tmpdir(), "runs-"));
    const none = await loadConfig(
      tiny.config(
        "nothing",
        retrieval('["${baselines}/pixels-32.yaml"]', "[none.yaml, lost.yaml]"),
      ),
    );
    await expect(
      runExperiment(none, { runs, cache: mkdtempSync(join(tmpdir(), "cache-")) }),
    ).rejects.toMatchObject({
      code: "list-empty",
      complaint: { file: join(tiny.folder, "none.txt") },
    });
    expect(readdirSync(runs)).toEqual([]);
    const { record } = await runExperiment(none, {
      runs,
      cache: mkdtempSync(join(tmpdir(), "cache-")),
      keepFailures: true,
    });
    expect(record.cells.map((c) => c.state === "failed" && c.code)).toEqual([
      "list-empty",
      "dataset-empty",
    ]);
  });
});

describe("the join with the paper", { timeout: 120_000 }, () => {
  const names =
    "table: 7\npaper: { model: { pixels-32: Real-Value }, dataset: { rows: Aliproduct }, " +
    "where: { index: [Flat] }, notComparable: tiny }\n";

  it("labels the cells that the paper has, and only those", async () => {
    const { record } = await run(
      "join",
      `${names}measure:\n  - { kind: retrieval, models: ["\${baselines}/pixels-32.yaml", ` +
        `"\${baselines}/colour-histogram.yaml"], datasets: [rows.yaml], indexes: [{ factory: ` +
        `Flat }, { engine: exact, factory: Flat }] }\n`,
    );
    expect(
      record.cells.map((c) => [
        c.labels.model,
        c.labels.index,
        c.labels.paperTable,
        c.labels.paperModel,
        c.labels.paperDataset,
        c.labels.notComparable,
      ]),
    ).toEqual([
      ["pixels-32", "Flat", "7", "Real-Value", "Aliproduct", "tiny"],
      ["pixels-32", "exact Flat", undefined, undefined, undefined, undefined],
      ["colour-histogram", "Flat", undefined, undefined, undefined, undefined],
      ["colour-histogram", "exact Flat", undefined, undefined, undefined, undefined],
    ]);
  });

  it("does not change which cell it is: a run goes on after the names were changed", async () => {
    const body = retrieval('["${baselines}/pixels-32.yaml"]');
    const [plain, joined] = [await run("id", body), await run("id", names + body)];
    expect(joined.record.cells.map((c) => c.id)).toEqual(plain.record.cells.map((c) => c.id));
  });
});

// Generous limits: worker threads start slowly where the machine is busy.
describe("every kind of experiment", { timeout: 120_000 }, () => {
  it(
    "runs without weights, and gives the same accuracy to the last bit from the cache and " +
      "in any order",
    async () => {
      const first = await run("every", everyKind);
      expect(
        first.record.state,
        JSON.stringify(first.record.cells.filter((c) => c.state === "failed")),
      ).toBe("completed");
      expect(first.record.cells).toHaveLength(10);
      const bare = first.record.cells.flatMap((cell) =>
        cell.state === "failed"
          ? []
          : cell.scores.filter((s) => s.value !== null && !s.interval && !s.whyNoInterval),
      );
      expect(bare, "an interval, or the reason why there is none").toEqual([]);
      expect(modelTimes(first.record, "pixels-32")).toEqual([expect.stringMatching(/"n":200/)]);
      const again = await run("every", everyKind, first.cache);
      const reversed = await run(
        "every-reversed",
        everyKind
          .replace(
            /\["\$\{baselines\}\/pixels-32.yaml", "(.*)colour-histogram.yaml"\]/,
            '["$1colour-histogram.yaml", "$1pixels-32.yaml"]',
          )
          .replace("[real, sign]", "[sign, real]"),
      );
      expect(reversed.record.cells.map((c) => c.id)).not.toEqual(
        first.record.cells.map((c) => c.id),
      );
      for (const other of [again, reversed])
        expect(accuracy(other.record)).toEqual(accuracy(first.record));
      expect(existsSync(join(first.folder, "cases.arrow"))).toBe(true);
    },
  );
});

/** What the cells of a model say of its times, each saying once. */
function modelTimes(record: RunRecord, model: string): string[] {
  const said = record.cells.flatMap((cell) =>
    cell.state === "completed" && cell.labels.model === model
      ? [JSON.stringify([cell.timed, cell.scores.filter((s) => s.metric === "latency")])]
      : [],
  );
  return [...new Set(said)];
}

const networks = ["light-general", "light-int8"]
  .map((name) => join(projectRoot, "models", name, "card.yaml"))
  .filter((card) => existsSync(card));

describe.skipIf(networks.length < 2)("whole runs of networks", { timeout: 120_000 }, () => {
  const cards = (order: readonly string[]): string => JSON.stringify(order);
  const body = (order: readonly string[], datasets: string): string =>
    `measure:\n  - { kind: retrieval, models: ${cards(order)}, datasets: [${datasets}], ` +
    `codes: [real, sign], indexes: [{ factory: Flat }, { factory: HNSW32 }] }\n`;

  it(
    "give the same accuracy, neighbours and cases to the last bit with 1 and 2 threads, in " +
      "any order of cells, with pictures shared or not",
    async () => {
      writeFileSync(
        join(tiny.folder, "again.yaml"),
        readFileSync(join(tiny.folder, "rows.yaml"), "utf8").replace("name: rows", "name: again"),
      );
      const ran = async (
        workers: number,
        order: readonly string[],
        datasets: string,
      ): Promise<unknown> => {
        const work = new SharedWork({ workers });
        try {
          const loaded = await loadConfig(
            tiny.config(
              `whole-${workers}-${order === networks ? "as-is" : "reversed"}`,
              body(order, datasets),
            ),
          );
          const { record, folder } = await runExperiment(loaded, {
            runs: mkdtempSync(join(tmpdir(), "runs-")),
            cache: mkdtempSync(join(tmpdir(), "cache-")),
            work,
          });
          expect(record.state).toBe("completed");
          const cases = casesFromArrow(readFileSync(join(folder, "cases.arrow")))
            .map((c) => JSON.stringify(c))
            .sort();
          return [accuracy(record), cases];
        } finally {
          await work.close();
        }
      };
      const expected = await ran(1, networks, "rows.yaml, again.yaml");
      expect(await ran(2, networks, "rows.yaml, again.yaml")).toEqual(expected);
      expect(await ran(2, [...networks].reverse(), "again.yaml, rows.yaml")).toEqual(expected);
    },
  );

  it(
    "embed a picture at the network's size just as the picture itself: the shared one " +
      "changes no bit",
    async () => {
      const files = Array.from({ length: 12 }, (_, i) => join(tiny.folder, "images", `${i}.png`));
      const size = { width: 64, height: 64, interpolation: "linear" as const };
      const pool = new EmbedPool({ workers: 2, store: new PictureStore(1 << 20) });
      try {
        for (const card of networks) {
          expect(((await loadCard(card)) as { input: object }).input).toMatchObject(size);
          const embedder = await openEmbedder(card);
          const plain = (await embedder.embed(await Promise.all(files.map((f) => decode(f))))).data;
          await embedder.close();
          const rows: Uint8Array[] = [];
          await pool.embed(
            files.map((file, i) => ({ file, hash: String(i) })),
            { card, batch: 3 },
            { size },
            ({ index, row }) => {
              rows[index] = new Uint8Array(row!.buffer, row!.byteOffset, row!.byteLength);
            },
          );
          expect(Buffer.concat(rows)).toEqual(
            Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength),
          );
        }
      } finally {
        await pool.close();
      }
    },
  );
});

/** All that does not measure time, by cell. */
function accuracy(record: RunRecord): Record<string, unknown> {
  return Object.fromEntries(
    [...record.cells]
      .sort((a, b) => a.id.localeCompare(b.id))
      .map((c) => [
        c.id,
        c.state === "completed"
          ? [c.versions, c.scores.filter((s) => s.unit !== "ms"), c.errors, c.notes]
          : c,
      ]),
  );
}
