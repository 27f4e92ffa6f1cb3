import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readFeatureSet } from "../../../datasets/formats/feature-set.js";
import { judge } from "../../../src/eval/choose/pick.js";
import type { Point } from "../../../src/eval/choose/point.js";
import { snippetsOf } from "../../../src/eval/choose/snippets.js";
import { dataWarnings, duplicates, pickWarnings } from "../../../src/eval/choose/warnings.js";
import { openIndex } from "../../../src/pipeline/index/engine.js";
import { rowCount, type Vectors } from "../../../src/pipeline/types.js";
import { complaintOf } from "../../complaint.js";
import { shared, sharedData } from "../../shared-data.js";
import { point } from "./fixtures.js";

const base = point("Flat", "Flat", { p50Ms: 1 });
const like = (more: Partial<Point["setting"]>, rest: Partial<Point> = {}): Point => ({
  ...base,
  ...rest,
  setting: { ...base.setting, ...more },
});

describe("the lines that build a pick again", () => {
  it("of a graph set efConstruction before adding and efSearch after, in Python", () => {
    const build = { efConstruction: 200 };
    const parameters = { efSearch: 64 };
    const hnsw = like({ build }, { factory: "HNSW32", parameters });
    const { python, yaml, paddleclas } = snippetsOf(hnsw, 512, "inner-product");
    expect(python.split("\n")).toEqual([
      "import faiss",
      'index = faiss.index_factory(512, "HNSW32", faiss.METRIC_INNER_PRODUCT)',
      "index.hnsw.efConstruction = 200",
      "index.train(x); index.add(x)",
      "index.hnsw.efSearch = 64",
    ]);
    expect(yaml).toBe('engine: faiss\nfactory: "HNSW32"\nefConstruction: 200\nefSearch: 64');
    expect(paddleclas).toContain('index_method: "HNSW32"');
    expect(paddleclas).toContain("embedding_size: 512");
  });

  it("of codes pack signs and name the binary factory; PaddleClas's block says so", () => {
    const codes = like({ codes: "sign" }, { factory: "BFlat" });
    const { python, paddleclas } = snippetsOf(codes, 64, "inner-product");
    expect(python).toContain('faiss.index_binary_factory(64, "BFlat")');
    expect(python).toContain("np.packbits(x > 0, axis=1)");
    expect(paddleclas).toContain("binary_index: true");
    expect(paddleclas).toContain('dist_type: "hamming"');
  });

  it("give a block for PaddleClas only where it has that very index", () => {
    const of = (factory: string) =>
      snippetsOf(like({}, { factory, size: 800 }), 8, "inner-product").paddleclas;
    expect(of("IVF100,Flat")).toContain('index_method: "IVF"');
    expect([of("IVF64,Flat"), of("HNSW16"), of("SQ8")]).toEqual([null, null, null]);
  });

  it("of a shortlist rank by the metric, in any engine's TypeScript", () => {
    const factory = "Shortlist,BFlat";
    const two = like({ engine: "two-stage" }, { factory, parameters: { shortlist: 40 } });
    expect(snippetsOf(two, 8, "l2").python).toContain("-((x[ids] - q) ** 2).sum(1)");
    expect(snippetsOf(two, 8, "inner-product").python).toContain("x[ids] @ q");
    expect(snippetsOf(two, 8, "l2").typescript).toContain('index.set({"shortlist":40});');
  });

  it("in TypeScript name what openIndex takes", async () => {
    const { typescript } = snippetsOf(like({}), 4, "l2");
    const [, spec] = /openIndex\((\{.*\})\)/.exec(typescript)!;
    const json = spec!.replace(/(\w+):/g, '"$1":');
    const index = await openIndex(JSON.parse(json) as Parameters<typeof openIndex>[0]);
    expect(index).toMatchObject({ kind: "real", metric: "l2", dim: 4 });
    index.close();
  });
});

describe("warnings", () => {
  const data = (rows: Vectors) => {
    const none = { rows, labels: null };
    const queries = { sweepQueries: none, finalQueries: none };
    return {
      name: "",
      version: "",
      metric: "l2",
      heldOut: true,
      gallery: none,
      ...queries,
    } as const;
  };
  const codesOf = (rows: Vectors, similar: number | null = null) =>
    dataWarnings(data(rows), similar).map((w) => w.code);

  it("name duplicates, signs that never change, and shots of one burst", () => {
    const rows = {
      data: Float32Array.from([1, 1, -1, 1, 1, 1, 1, 1].flatMap((v) => [v, 1])),
      dim: 8,
    };
    expect(rowCount(rows)).toBe(2);
    expect(codesOf(rows)).toEqual(["constant-bits"]);
    const twice = { data: Float32Array.from([...rows.data, ...rows.data]), dim: 8 };
    expect(duplicates(twice)).toBe(2);
    expect(codesOf(twice)).toEqual(["duplicates", "constant-bits"]);
    expect(codesOf(rows, 0.5)).toContain("burst-shots");
    expect(codesOf(rows, 0.1)).not.toContain("burst-shots");
  });

  const codes = (of: Point, faiss = "1.15.0", others: readonly Point[] = []) =>
    pickWarnings(judge([of], {})[0]!, [of, ...others], faiss).map((w) => w.code);

  it("name the defaults that other software searches with, and what they are worth", () => {
    const at = (nprobe: number, recall: number) =>
      point("IVF", "IVF8,Flat", { p50Ms: 1, neighbourRecall: recall }, { parameters: { nprobe } });
    const [warning] = pickWarnings(
      judge([at(8, 0.97)], {})[0]!,
      [at(8, 0.97), at(1, 0.61)],
      "2.0.0",
    );
    expect(warning).toMatchObject({ code: "nprobe-default" });
    expect(warning!.message).toMatch(/set nprobe to 8: .* search with 1, where recall is 0\.610/);
    expect(codes(like({}, { parameters: { efSearch: 16 } }))).toEqual(["efSearch-default"]);
  });

  it("name what cannot remove, poor training, an older Faiss, and a ranking of our own", () => {
    expect(codes(base)).toEqual([]);
    expect(codes(base, "1.7.3")).toEqual(["faiss-version"]);
    expect(codes({ ...base, removable: false })).toEqual(["no-removal"]);
    expect(codes({ ...base, warnings: ["20.0 a list"] })).toEqual(["training"]);
    expect(codes(like({ engine: "two-stage" }))).toEqual(["two-stage"]);
    expect(pickWarnings(null, [], "1.15.0")).toEqual([]);
  });
});

const folder = sharedData ? shared("faiss-1.15") : "";
const files = existsSync(folder) ? readdirSync(folder).filter((n) => n.endsWith(".index")) : [];

describe.skipIf(files.length === 0)("index files of Faiss 1.15", () => {
  it.each(files)("%s is read, or refused by name", async (name) => {
    const read = readFeatureSet(join(folder, name));
    if (/Flat|HNSW|IVF16\.index/.test(name)) {
      const { rows, metric } = await read;
      expect(rowCount(rows)).toBe(2000);
      expect(metric).toBe(name.startsWith("B") ? "hamming" : "inner-product");
      return;
    }
    const complaint = await complaintOf(read);
    expect(complaint).toMatchObject({ code: "index-corrupt", file: join(folder, name) });
    expect(complaint.message).toMatch(/type|IxPQ|IwPQ|IxSQ|RaBitQ|"[A-Za-z]{4}"/);
  });
});
