import { execFile, execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  loadIndex,
  openIndex,
  saveIndex,
  type IndexSpec,
} from "../../../src/pipeline/index/engine.js";
import { projectRoot } from "../../../src/pipeline/root.js";
import { ofQuery, randomCodes, randomVectors, slice } from "./vectors.js";

/** A Python that has Faiss's own package, or null. */
const python =
  ["/usr/bin/python3", "python3"].find((program) => {
    try {
      execFileSync(program, ["-c", "import faiss, numpy"], { stdio: "ignore" });
      return true;
    } catch {
      return false;
    }
  }) ?? null;
if (python === null)
  console.warn(
    "skipping the interchange with Faiss's Python package: no python3 with faiss and numpy",
  );

const factories = [
  "Flat",
  "IDMap2,Flat",
  "HNSW8",
  "IDMap2,HNSW8",
  "IVF4,Flat",
  "IDMap2,IVF4,Flat",
  "BFlat",
  "IDMap2,BFlat",
  "BHNSW8",
  "BIVF4",
  "IDMap2,BIVF4",
];
const specOf = (factory: string): IndexSpec =>
  /(^|,)B/.test(factory)
    ? { engine: "faiss", factory, kind: "binary", metric: "hamming", dim: 64 }
    : { engine: "faiss", factory, kind: "real", metric: "inner-product", dim: 64 };
const nameOf = (factory: string): string => factory.replaceAll(",", "_");

describe.skipIf(python === null)("files that Faiss's own Python package reads and writes", () => {
  let folder: string;
  const vectors = randomVectors(500, 64, 8);
  const codes = randomCodes(500, 64, 8);
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "shitu-interchange-"));
    await writeFile(
      join(folder, "queries.f32"),
      new Uint8Array(slice(vectors, 0, 30).data.slice().buffer),
    );
    await writeFile(join(folder, "queries.u8"), slice(codes, 0, 30).data);
    for (const factory of factories) {
      const rows = specOf(factory).kind === "real" ? vectors : codes;
      const index = await openIndex(specOf(factory));
      if (!index.trained) await index.train(rows);
      await index.add(
        rows,
        /IDMap/.test(factory)
          ? Float64Array.from({ length: 500 }, (_, i) => 2 ** 40 + 2 * i)
          : undefined,
      );
      // A removal, whose traces in maps and lists Faiss must understand, too.
      if (/IDMap/.test(factory) && !/HNSW/.test(factory))
        await index.remove(Float64Array.of(2 ** 40, 2 ** 40 + 20));
      await saveIndex(index, join(folder, `${nameOf(factory)}.index`));
    }
    await promisify(execFile)(python!, [
      join(projectRoot, "test/pipeline/index/interchange.py"),
      folder,
    ]);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(factories)(
    "%s: same rows and scores in Python as here, and back again",
    async (factory) => {
      const spec = specOf(factory);
      const read = async (ending: string): Promise<ArrayBuffer> =>
        new Uint8Array(await readFile(join(folder, `${nameOf(factory)}.${ending}`))).buffer;
      const rows = [...new BigInt64Array(await read("rows"))].map(Number);
      const scores = [
        ...(spec.kind === "real"
          ? new Float32Array(await read("scores"))
          : new Int32Array(await read("scores"))),
      ];
      for (const file of [
        join(folder, `${nameOf(factory)}.index`),
        join(folder, "python", `${nameOf(factory)}.index`),
      ]) {
        const index = await loadIndex({ ...spec, file });
        for (let q = 0; q < 30; q++) {
          const one = spec.kind === "real" ? slice(vectors, q, q + 1) : slice(codes, q, q + 1);
          const found = ofQuery(index.searchSync(one, 5), 0);
          if (spec.kind === "binary") expect(found.scores).toEqual(scores.slice(q * 5, q * 5 + 5));
          else {
            // The two builds of Faiss add in another order.
            found.scores.forEach((score, i) => {
              expect(score).toBeCloseTo(scores[q * 5 + i]!, 4);
            });
            expect(found.rows).toEqual(rows.slice(q * 5, q * 5 + 5));
          }
        }
        index.close();
      }
    },
  );
});
