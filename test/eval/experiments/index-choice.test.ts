import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeNpy } from "../../../datasets/formats/npy.js";
import { withoutOwn } from "../../../src/eval/metrics/index/neighbour-recall.js";
import type { RunRecord } from "../../../src/eval/record/record.js";
import { shitu } from "../../cli/shitu.js";
import { shared, sharedData } from "../../shared-data.js";

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "choice-"));
  // Two labels on a circle, at 0, 5, 10 and 20 degrees and at 90, 95, 100 and 32: the last lies
  // nearest to the first label's.
  const degrees = [0, 5, 10, 20, 90, 95, 100, 32];
  await writeNpy(
    join(folder, "gallery.npy"),
    Float32Array.from(
      degrees.flatMap((d) => [Math.cos((d * Math.PI) / 180), Math.sin((d * Math.PI) / 180)]),
    ),
    [8, 2],
  );
  writeFileSync(
    join(folder, "gallery.txt"),
    degrees.map((d, i) => `${d}.jpg\t${i < 4 ? "east" : "north"}\n`).join(""),
  );
  await writeNpy(join(folder, "query.npy"), Float32Array.of(3, 0, 0, 2), [2, 2]);
  writeFileSync(join(folder, "query.txt"), "a.jpg\teast\nb.jpg\teast\n");
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Outcome {
  code: number;
  stderr: string;
  record: RunRecord | null;
}

let count = 0;
async function run(measure: string): Promise<Outcome> {
  const name = `choice-${count++}`;
  writeFileSync(
    join(folder, `${name}.yaml`),
    `schema: 1\nname: ${name}\ntitle: Choice\nmeasure:\n  - { kind: index, ${measure} }\n`,
  );
  const runs = join(folder, `runs-${name}`);
  mkdirSync(runs);
  const { code, stderr } = await shitu([
    "run",
    join(folder, `${name}.yaml`),
    "--runs",
    runs,
    "--cache",
    join(folder, "cache"),
    "--json",
  ]);
  const [made] = readdirSync(runs).filter((f) => !f.startsWith("."));
  return {
    code,
    stderr,
    record:
      made === undefined
        ? null
        : (JSON.parse(readFileSync(join(runs, made, "run.json"), "utf8")) as RunRecord),
  };
}

function scoresOf({ record }: Outcome, cell = 0): Record<string, number | null> {
  const c = record!.cells[cell]!;
  if (c.state !== "completed") throw new Error(JSON.stringify(c));
  return Object.fromEntries(c.scores.map((s) => [s.metric, s.value]));
}

const side = "gallery: gallery.npy, galleryList: gallery.txt";
const flat = "indexes: [{ factory: Flat }]";

describe("index choice on vectors from files", { timeout: 120_000 }, () => {
  it("searches the gallery with itself where no queries are given, each row left out", async () => {
    const done = await run(`features: { ${side} }, ${flat}, k: [1, 2]`);
    expect(done.record!.cells[0]!.labels).toMatchObject({
      vectors: "gallery.npy",
      codes: "real",
      index: "Flat",
    });
    // Nearest other row: 0->5, 5->0 or 10, 10->5, 20->10, 90->95, 95->90 or 100, 100->95, and
    // 32->20, which is wrong. Second: 32->10 is wrong, too.
    expect(scoresOf(done)).toMatchObject({
      "label-recall@1": 7 / 8,
      "label-recall@2": 7 / 8,
      "neighbour-recall@1": 1,
      "neighbour-recall@2": 1,
    });
  });

  it("searches with queries of their own, and normalises where asked", async () => {
    const own = "query: query.npy, queryList: query.txt";
    expect(
      scoresOf(await run(`features: { ${side}, ${own} }, ${flat}, k: [1, 4, 5]`)),
    ).toMatchObject({ "label-recall@1": 0.5, "label-recall@4": 0.5, "label-recall@5": 1 });
    const uneven = await run(
      `features: { name: mine, ${side}, query: query.npy, queryList: query.txt }, ${flat}, k: [1]`,
    );
    expect(uneven.record!.cells[0]!.labels.vectors).toBe("mine");
    expect(JSON.stringify(uneven.record)).toContain("norms from 2.000 to 3.000");
    expect(
      JSON.stringify(
        (await run(`features: { ${side}, ${own}, normalize: true }, ${flat}, k: [1]`)).record,
      ),
    ).not.toContain("norms from");
  });

  it.each([
    [
      "vectors and features",
      `vectors: { rows: 8, dim: 8, queries: 2, labels: 2 }, features: { ${side} }, ${flat}`,
      /give either vectors \(drawn\) or features/,
    ],
    ["neither", flat, /give either vectors/],
  ])("%s: refused by the schema", async (_, measure, message) => {
    const { code, stderr } = await run(measure);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  });

  it.each<[string, string, string, string?, RegExp?]>([
    [
      "a list of other length",
      "features: { gallery: gallery.npy, galleryList: query.txt }",
      "rows-mismatch",
    ],
    ["queries without their list", `features: { ${side}, query: query.npy }`, "features-query"],
    [
      "a file that is not there",
      "features: { gallery: none.npy, galleryList: gallery.txt }",
      "file-unreadable",
    ],
    ["more neighbours than there are", `features: { ${side} }`, "k-too-large", "[8]", /7 at most/],
  ])(
    "%s: refused, where nothing else is measured",
    async (_, measure, code, k = "[1]", message = /./) => {
      const done = await run(`${measure}, ${flat}, k: ${k}`);
      expect([done.code, done.record]).toEqual([2, null]);
      expect(JSON.parse(done.stderr.trim().split("\n").at(-1)!)).toMatchObject({ error: { code } });
      expect(done.stderr).toMatch(message);
    },
  );

  it.skipIf(!sharedData)("repeats the stated recall@1 of the drink features", async () => {
    const rows = JSON.parse(readFileSync(shared("drink/v1/rows.json"), "utf8")) as {
      path: string;
      label: string;
    }[];
    writeFileSync(join(folder, "drink.txt"), rows.map((r) => `${r.path}\t${r.label}\n`).join(""));
    const done = await run(
      "features: { gallery: " +
        `${JSON.stringify(shared("drink/v1/embeddings_1069x512_f32.npy"))}, galleryList: ` +
        `drink.txt }, ${flat}, k: [1, 5]`,
    );
    const scores = scoresOf(done);
    expect(scores["label-recall@1"]).toBeCloseTo(0.967136, 6);
    expect(scores["label-recall@5"]).toBeCloseTo(0.993427, 6);
  });
});

describe("withoutOwn", () => {
  it("takes each query's own row out, or the last one where it was not found", () => {
    const found = {
      k: 3,
      rows: Float64Array.of(0, 5, 6, 7, 1, 8, 9, 4, 3),
      scores: Float32Array.of(1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2),
    };
    const { k, rows, scores } = withoutOwn(found);
    expect([k, [...rows], [...scores].map((s) => Math.round(s * 10))]).toEqual([
      2,
      [5, 6, 7, 8, 9, 4],
      [9, 8, 7, 5, 4, 3],
    ]);
  });
});
