import { rulesOf } from "../../src/pipeline/protocol.js";
import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readArrow } from "../../datasets/formats/arrow.js";
import { writeNpy, writeNpyRows } from "../../datasets/formats/npy.js";
import { loadRetrieval, type RetrievalFiles } from "../../src/cli/retrieval-input.js";
import { rankQueries } from "../../src/eval/metrics/retrieval/retrieval.js";
import { complaintOf } from "../complaint.js";
import { shared, sharedData } from "../shared-data.js";
import { shitu } from "./shitu.js";

let folder: string;
const at = (name: string) => join(folder, name);
const lines = (...rows: string[]) => rows.map((r) => `${r}\n`).join("");

// Four gallery rows and three queries on a line; label c has no gallery row, "two words" needs its
// space kept.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "eval-retrieval-"));
  await writeNpyRows(at("g.npy"), { data: Float32Array.of(1, 0, 0.8, 0.6, 0, 1, -1, 0), dim: 2 });
  await writeNpyRows(at("q.npy"), { data: Float32Array.of(1, 0, 0, 1, -1, 0), dim: 2 });
  writeFileSync(
    at("g.txt"),
    lines("g/0.jpg\ta", "g/1.jpg\ttwo words", "g/2.jpg\ttwo words", "g/3.jpg\ta"),
  );
  writeFileSync(at("q.txt"), lines("q/0.jpg\ta", "q/1.jpg\ttwo words", "q/2.jpg\tc"));
  await writeNpyRows(at("codes.npy"), { data: Uint8Array.of(0b1, 0b11, 0b111, 0b11111), bits: 8 });
});
afterAll(() => rm(folder, { recursive: true }));

const files = (change: Partial<RetrievalFiles> = {}): RetrievalFiles => ({
  gallery: at("g.npy"),
  galleryList: at("g.txt"),
  query: at("q.npy"),
  queryList: at("q.txt"),
  leaveOneOut: false,
  rules: rulesOf("standard"),
  normalize: false,
  list: {},
  ...change,
});
const alone = (change: Partial<RetrievalFiles>): RetrievalFiles => ({
  gallery: at("g.npy"),
  galleryList: at("g.txt"),
  leaveOneOut: true,
  rules: rulesOf("standard"),
  normalize: false,
  list: {},
  ...change,
});
const plain = ["eval", "retrieval"];
const sides = () => [
  "--gallery",
  at("g.npy"),
  "--gallery-list",
  at("g.txt"),
  "--query",
  at("q.npy"),
  "--query-list",
  at("q.txt"),
];

describe("shitu eval retrieval", () => {
  it("prints a table for people, and warns on standard error", async () => {
    const { code, stdout, stderr } = await shitu([
      ...plain,
      ...sides(),
      "--k",
      "1,2",
      "--classes",
      "--confusions",
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain(
      "3 queries, 4 gallery rows, 2 labels; inner product of 2 floats; protocol standard; 1 " +
        "query without a positive",
    );
    expect(stdout).toMatch(/^recall@1 +1\.0000 +0\.3424 to 1\.0000 +2$/m);
    expect(stdout).toMatch(/^two words +1 +2 +1\.0000/m);
    expect(stdout).toContain("the first neighbour confuses no labels");
    expect(stderr).toContain("have a label that the gallery lacks");
    expect(stderr).toContain("1 of 3 queries have no valid positive");
  });

  it("prints one JSON document, and writes cases that read back", async () => {
    const { code, stdout } = await shitu([
      ...plain,
      ...sides(),
      "--k",
      "1,2,9",
      "--json",
      "--classes",
      "--confusions",
      "--quirks",
      "--cases",
      at("cases.arrow"),
    ]);
    expect(code).toBe(0);
    const document = JSON.parse(stdout) as {
      scores: { metric: string; value: number | null; n?: number; why?: string }[];
      [key: string]: unknown;
    };
    expect(document).toMatchObject({
      protocol: "standard",
      queries: 3,
      gallery: 4,
      unanswerable: 1,
      leaveOneOut: false,
      junkRule: false,
      confusions: [],
    });
    expect(document.scores.find((s) => s.metric === "recall@1")).toMatchObject({
      value: 1,
      n: 2,
      bounds: [1, 1],
      interval: { method: "wilson", level: 0.95 },
      unit: "ratio",
      better: "higher",
    });
    expect(document.scores.find((s) => s.metric === "recall@9")).toMatchObject({
      value: null,
      why: "k = 9 is more than the gallery's 4 items",
    });
    const [first] = document.quirks as { deltas: { quirk: string }[] }[];
    expect(first!.deltas.map((d) => d.quirk)).toEqual([
      "junk keeps its place",
      "ties by row",
      "blocks of 64",
      "precision over all queries",
      "last positive from 0",
      "labels cut at a space",
      "all of them",
    ]);
    const cases = (await readArrow(at("cases.arrow"))).toArray() as Record<string, unknown>[];
    expect(
      cases.map((c) => [c.item, c.outcome, c.truth, c.prediction, c.rank, c.positives]),
    ).toEqual([
      ["q/0.jpg", "hit", "a", "a", 0, 2],
      ["q/1.jpg", "hit", "two words", "two words", 0, 2],
      ["q/2.jpg", "none", "c", "a", null, 0],
    ]);
    expect(JSON.parse(cases[0]!.neighbours as string)).toEqual([
      ["a", 1, "g/0.jpg"],
      ["two words", expect.closeTo(0.8, 6), "g/1.jpg"],
      ["two words", 0, "g/2.jpg"],
      ["a", -1, "g/3.jpg"],
    ]);
  });

  it("searches packed codes, leaves one out, and follows the other protocol", async () => {
    const { code, stdout } = await shitu([
      ...plain,
      "--gallery",
      at("codes.npy"),
      "--gallery-list",
      at("g.txt"),
      "--leave-one-out",
      "--binary",
      "packed",
      "--protocol",
      "paddleclas",
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain(
      "4 rows, each left out once, 2 labels; Hamming distance of 8 bits; protocol paddleclas",
    );
  });

  it(
    "exits 2 on the user's error, on one line or as " + "JSON, and shows nothing of itself",
    async () => {
      const people = await shitu([...plain, ...sides(), "--protocol", "x"]);
      expect([people.code, people.stdout]).toEqual([2, ""]);
      expect(people.stderr).toBe(
        "shitu: --protocol does not know this (expected standard, paddleclas, found x)\n",
      );
      const trap = await shitu([
        ...plain,
        "--gallery",
        at("g.npy"),
        "--gallery-list",
        at("g.txt"),
        "--query",
        at("g.npy"),
        "--query-list",
        at("g.txt"),
        "--json",
      ]);
      expect(trap.code).toBe(2);
      expect(JSON.parse(trap.stderr)).toMatchObject({
        error: {
          code: "two-column-trap",
          fix: expect.stringContaining("--leave-one-out") as unknown,
        },
      });
      expect((await shitu([...plain, "--gallery", at("g.npy")])).code).toBe(2);
    },
  );
});

describe.skipIf(!sharedData)("on the drink features", () => {
  it("prints the reference numbers from the files as they are", async () => {
    writeFileSync(
      at("v1.txt"),
      lines(
        ...(
          JSON.parse(readFileSync(shared("drink/v1/rows.json"), "utf8")) as {
            path: string;
            label: string;
          }[]
        ).map((r) => `${r.path}\t${r.label}`),
      ),
    );
    const { code, stdout, stderr } = await shitu([
      ...plain,
      "--gallery",
      shared("drink/v1/embeddings_1069x512_f32.npy"),
      "--gallery-list",
      at("v1.txt"),
      "--leave-one-out",
      "--images",
      shared("drink/gallery"),
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^recall@1 +0\.9671 +0\.9445 to 0\.9807 +1,065/m);
    expect(stderr).toContain("1 of 1069 pictures cannot be used");
    expect(stderr).toContain("213/0.jpg: no such file");
  });
});

describe("what is read", () => {
  it("labels with spaces whole, cut under paddleclas", async () => {
    expect((await loadRetrieval(files())).input.queryLabels).toEqual(["a", "two words", "c"]);
    expect(
      (await loadRetrieval(files({ rules: rulesOf("paddleclas") }))).input.queryLabels,
    ).toEqual(["a", "two", "c"]);
  });

  it("uids from a third column, on both sides", async () => {
    writeFileSync(
      at("gu.txt"),
      lines("x/0.jpg\ta\tcam 1", "x/1.jpg\tb\tcam 1", "x/2.jpg\tb\tcam 2", "x/3.jpg\ta\tcam 2"),
    );
    writeFileSync(
      at("qu.txt"),
      lines("x/0.jpg\ta\tcam 1", "x/1.jpg\tb\tcam 1", "x/2.jpg\tb\tcam 2"),
    );
    const { input } = await loadRetrieval(
      files({ galleryList: at("gu.txt"), queryList: at("qu.txt") }),
    );
    expect(input.queryUids).toEqual(["cam 1", "cam 1", "cam 2"]);
    expect(
      (
        await complaintOf(
          loadRetrieval(files({ galleryList: at("gu.txt") })).then(({ input: i }) =>
            rankQueries(i),
          ),
        )
      ).code,
    ).toBe("retrieval-uids");
  });

  it("sign codes: packed under standard, values with 0 kept under paddleclas", async () => {
    await writeNpyRows(at("wide.npy"), {
      data: Float32Array.from({ length: 32 }, (_, i) => (i % 3) - 1),
      dim: 8,
    });
    const one = alone({ gallery: at("wide.npy"), binary: "sign" });
    const standard = await loadRetrieval(one);
    expect(standard.input.gallery).toEqual({
      bits: 8,
      data: Uint8Array.of(0b00100100, 0b10010010, 0b01001001, 0b00100100),
    });
    expect(
      Array.from(
        (await loadRetrieval({ ...one, rules: rulesOf("paddleclas") })).input.gallery.data.subarray(
          0,
          4,
        ),
      ),
    ).toEqual([-1, 0, 1, -1]);
  });

  it("scales to length 1 when asked, else warns of uneven norms", async () => {
    await writeNpyRows(at("long.npy"), { data: Float32Array.of(3, 4, 1, 0, 0, 1, -1, 0), dim: 2 });
    expect((await loadRetrieval(files({ gallery: at("long.npy") }))).warnings[0]).toContain(
      "norms from 1.000 to 5.000",
    );
    const { input, warnings } = await loadRetrieval(
      files({ gallery: at("long.npy"), normalize: true }),
    );
    expect(warnings).toEqual([]);
    expect(input.gallery.data[0]).toBeCloseTo(0.6, 6);
  });

  it("holds Market-1501's junk against no query, where told so", async () => {
    // The query lies nearest to a picture of label -1, then to its own label.
    await writeNpyRows(at("market.npy"), { data: Float32Array.of(1, 0, 0.9, 0.1, 0, 1), dim: 2 });
    await writeNpyRows(at("asked.npy"), { data: Float32Array.of(1, 0), dim: 2 });
    writeFileSync(at("market.txt"), "junk.jpg\t-1\na.jpg\t7\nb.jpg\t8\n");
    writeFileSync(at("asked.txt"), "q.jpg\t7\n");
    const market = { gallery: at("market.npy"), galleryList: at("market.txt") };
    const asked = { query: at("asked.npy"), queryList: at("asked.txt") };
    const load = (change: Partial<RetrievalFiles>) =>
      loadRetrieval(files({ ...market, ...asked, ...change }));
    const { input, findings } = await load({});
    expect(findings.map((f) => f.code)).toContain("label-junk");
    const firstRank = async (of: typeof input): Promise<number> =>
      (await rankQueries(of, { ks: [1] })).values.optimistic!.firstRank[0]!;
    expect(await firstRank(input)).toBe(2);
    const told = await load({ junkLabel: "-1" });
    expect(await firstRank(told.input)).toBe(1);
    expect(told.galleryList.rows.map((r) => r.path)).toEqual(["a.jpg", "b.jpg"]);
    expect(told.warnings).toContainEqual(expect.stringMatching(/^1 gallery pictures of label -1/));
  });

  it("warns where round gets values outside 0..1, and of bits that never change", async () => {
    await writeNpyRows(at("tanh.npy"), {
      data: Float32Array.from({ length: 32 }, (_, i) => (i % 8 === 0 ? 1 : Math.sin(i))),
      dim: 8,
    });
    const { warnings } = await loadRetrieval(alone({ gallery: at("tanh.npy"), binary: "round" }));
    expect(warnings[0]).toMatch(/\d+ of 32 values lie outside 0\.\.1/);
    expect(warnings[1]).toMatch(/1 of 8 bits .* are the same in all rows/);
  });
});

describe("bad input, each with its own message", () => {
  const refused = (change: Partial<RetrievalFiles>) => complaintOf(loadRetrieval(files(change)));

  it("queries and leave-one-out, neither, or half", async () => {
    expect(await refused({ leaveOneOut: true })).toMatchObject({
      code: "retrieval-query",
      found: "--query and --query-list",
    });
    expect(
      await complaintOf(loadRetrieval(alone({ leaveOneOut: false, queryList: "q" }))),
    ).toMatchObject({
      code: "retrieval-query",
      found: "--query-list",
      expected: "--query and --query-list, or --leave-one-out",
    });
  });

  it("two-column lists where query = gallery", async () => {
    expect(await refused({ query: at("g.npy"), queryList: at("g.txt") })).toMatchObject({
      code: "two-column-trap",
      file: at("g.txt"),
      message: expect.stringContaining("recall@1 would be 1.0") as unknown,
    });
  });

  it("the same features under differently named pictures", async () => {
    writeFileSync(at("renamed.txt"), lines("n/0.jpg\ta", "n/1.jpg\ta", "n/2.jpg\ta", "n/3.jpg\ta"));
    expect(await refused({ query: at("g.npy"), queryList: at("renamed.txt") })).toMatchObject({
      code: "two-column-trap",
      file: at("g.npy"),
    });
  });

  it("every label missing from the gallery", async () => {
    writeFileSync(at("none.txt"), lines("q/0.jpg\tx", "q/1.jpg\ty", "q/2.jpg\tz"));
    expect(await refused({ queryList: at("none.txt") })).toMatchObject({
      code: "label-missing-from-gallery",
      found: expect.stringContaining('line 1: label "x"') as unknown,
    });
  });

  it("one picture with two labels", async () => {
    writeFileSync(at("torn.txt"), lines("g/0.jpg\ta", "g/0.jpg\tb", "g/2.jpg\tb", "g/3.jpg\ta"));
    expect((await refused({ galleryList: at("torn.txt") })).code).toBe("conflicting-label");
  });

  it("a list of another length", async () => {
    writeFileSync(at("short.txt"), lines("g/0.jpg\ta", "g/1.jpg\ttwo words"));
    expect(await refused({ galleryList: at("short.txt") })).toMatchObject({
      code: "rows-mismatch",
      file: at("g.npy"),
      expected: `2 rows, one for each line of ${at("short.txt")}`,
      found: "4 rows",
    });
  });

  it(
    "wrong dtype, shape, NaN, zeros, another dimension, odd bits, no such file, another " +
      "format",
    async () => {
      await writeNpy(at("i4.npy"), Int32Array.of(1, 2, 3, 4), [4, 1]);
      expect(await refused({ gallery: at("i4.npy") })).toMatchObject({
        code: "npy-dtype",
        found: "int32",
        file: at("i4.npy"),
      });
      await writeNpy(at("flat.npy"), Float32Array.of(1, 2, 3, 4), [4]);
      expect(await refused({ gallery: at("flat.npy") })).toMatchObject({
        code: "npy-shape",
        found: "shape 4",
      });
      await writeNpyRows(at("nan.npy"), {
        data: Float32Array.of(1, 2, 3, NaN, 5, 6, 7, 8),
        dim: 2,
      });
      expect(await refused({ gallery: at("nan.npy") })).toMatchObject({
        code: "vector-not-finite",
        path: "row 1, column 1",
        found: "NaN",
      });
      await writeNpyRows(at("zero.npy"), { data: Float32Array.of(1, 2, 0, 0, 5, 6, 7, 8), dim: 2 });
      expect(await refused({ gallery: at("zero.npy"), normalize: true })).toMatchObject({
        code: "zero-vector",
        path: "row 1",
      });
      await writeNpyRows(at("three.npy"), { data: new Float32Array(12).fill(0.5), dim: 3 });
      expect(
        (
          await complaintOf(
            loadRetrieval(files({ gallery: at("three.npy") })).then(({ input }) =>
              rankQueries(input),
            ),
          )
        ).code,
      ).toBe("dimension-mismatch");
      expect(await refused({ binary: "sign" })).toMatchObject({ code: "code-bits", found: "2" });
      expect((await refused({ binary: "packed" })).code).toBe("npy-dtype");
      expect((await refused({ gallery: at("nothing.npy") })).code).toBe("file-unreadable");
      expect((await refused({ galleryList: at("nothing.txt") })).code).toBe("file-unreadable");
      expect((await refused({ gallery: at("g.txt") })).code).toBe("vector-file-extension");
    },
  );

  it("a bad k or a bad name for the cases", async () => {
    expect((await shitu([...plain, ...sides(), "--k", "1,0"])).stderr).toContain(
      "--k takes a whole number of 1 or more",
    );
    expect((await shitu([...plain, ...sides(), "--cases", "x.csv"])).stderr).toContain(
      "--cases writes Arrow",
    );
  });
});
