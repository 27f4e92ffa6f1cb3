import { afterEach, describe, expect, it } from "vitest";
import type { FaissError, FaissHandle } from "../../native/faiss.js";
import { loadAddon } from "../../native/load.js";
import { randomCodes, randomVectors } from "../pipeline/index/vectors.js";

const { faiss } = loadAddon();
const dim = 32;
const rows = randomVectors(4000, dim, 1).data;
const one = rows.subarray(0, dim);
const ids = (n: number, from = 0): Float64Array =>
  Float64Array.from({ length: n }, (_, i) => from + i);

const handles: FaissHandle[] = [];
afterEach(() => {
  for (const handle of handles.splice(0)) faiss.close(handle);
});
function create(factory: string): FaissHandle {
  const handle = faiss.create(factory, dim, "inner-product");
  handles.push(handle);
  return handle;
}

/** `code message` of the failure. */
async function failure(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    return `${(error as FaissError).code} ${(error as Error).message}`;
  }
  return "no failure";
}

const calls: Record<string, (handle: FaissHandle) => unknown> = {
  describe: (h) => faiss.describe(h),
  train: (h) => faiss.train(h, rows),
  add: (h) => faiss.add(h, rows),
  remove: (h) => faiss.remove(h, ids(1)),
  search: (h) => faiss.search(h, one, 1),
  searchSync: (h) => faiss.searchSync(h, one, 1),
  reconstruct: (h) => faiss.reconstruct(h, ids(1)),
  set: (h) => {
    faiss.set(h, "nprobe", 1);
  },
  serialize: (h) => faiss.serialize(h),
  write: (h) => faiss.write(h, "/nowhere/x"),
  bytes: (h) => faiss.bytes(h),
};

describe.each(Object.entries(calls))("%s", (name, call) => {
  it("throws after close, and never touches the freed index", async () => {
    const handle = create("Flat");
    await faiss.add(handle, rows);
    faiss.close(handle);
    expect(await failure(() => call(handle))).toBe(
      `faiss-closed faiss.${name}: the index has been closed`,
    );
  });

  it("throws on what is no handle, however much it looks like one", async () => {
    const real = create("Flat");
    const lookalike = Object.create(
      Object.getPrototypeOf(real) as object,
      Object.getOwnPropertyDescriptors(real),
    ) as unknown;
    for (const wrong of [
      undefined,
      null,
      1,
      "index",
      {},
      [],
      () => undefined,
      new Float32Array(4),
      Object.create(real),
      { ...real },
      lookalike,
      new Proxy(real, {}),
    ]) {
      expect(await failure(() => call(wrong as FaissHandle))).toBe(
        `faiss-handle faiss.${name}: the first argument is not an index handle`,
      );
    }
  });
});

describe("arguments", () => {
  it("of another type are refused by the call's name", async () => {
    const handle = create("Flat");
    expect(
      await failure(() => faiss.add(handle, new Float64Array(dim) as unknown as Float32Array)),
    ).toBe("faiss-argument faiss.add: rows must be a Float32Array");
    expect(await failure(() => faiss.add(handle, randomCodes(1, 32).data))).toBe(
      "faiss-argument faiss.add: rows must be a Float32Array",
    );
    expect(await failure(() => faiss.add(handle, new Float32Array(dim + 1)))).toBe(
      "faiss-argument faiss.add: rows has 33 items, which is not a multiple of 32",
    );
    expect(await failure(() => faiss.add(handle, one, ids(2)))).toBe(
      "faiss-argument faiss.add: ids has 2 items for 1 rows",
    );
    expect(await failure(() => faiss.add(handle, one, Float64Array.of(-1)))).toMatch(
      /^faiss-argument faiss\.add: id 0 is not an integer/,
    );
    expect(await failure(() => faiss.search(handle, one, 0))).toMatch(
      /^faiss-argument faiss\.search: k must be an integer from 1/,
    );
    expect(await failure(() => faiss.searchSync(handle, one, "3" as unknown as number))).toMatch(
      /^faiss-argument faiss\.searchSync: k must/,
    );
    expect(await failure(() => faiss.create("Flat", 0, "l2"))).toMatch(
      /^faiss-argument faiss\.create: dim must/,
    );
    expect(await failure(() => faiss.create("Flat", 8, "cosine" as "l2"))).toMatch(
      /^faiss-argument faiss\.create: metric must/,
    );
    expect(
      await failure(() => {
        faiss.setThreads(0);
      }),
    ).toMatch(/^faiss-argument faiss\.setThreads: threads must/);
    expect(await failure(() => faiss.read("no/such/file", false))).toBe(
      "faiss-file faiss.read: No such file or directory",
    );
  });

  it("that Faiss refuses become errors in its words", async () => {
    expect(await failure(() => faiss.create("Nonsense", 8, "l2"))).toBe(
      "faiss-error faiss.create: could not parse index string Nonsense",
    );
    const ivf = create("IVF100,Flat");
    const tooFew =
      "faiss-error faiss.train: Number of training points (10) should be at least as large as " +
      "number of clusters (100)";
    const said = await failure(() => faiss.train(ivf, rows.subarray(0, 10 * dim)));
    expect(said.slice(0, tooFew.length)).toBe(tooFew);
    expect(await failure(() => faiss.remove(create("HNSW8"), ids(1)))).toMatch(
      /^faiss-error faiss\.remove: /,
    );
  });
});

describe("calls on one index", () => {
  it("run in the order in which they were made, without being awaited in between", async () => {
    const handle = create("IDMap2,Flat");
    const found: Promise<Float64Array>[] = [];
    const added: Promise<void>[] = [];
    for (let i = 0; i < 40; i++) {
      added.push(faiss.add(handle, rows.subarray(i * dim, (i + 1) * dim), ids(1, 100 + i)));
      found.push(
        faiss.search(handle, rows.subarray(i * dim, (i + 1) * dim), 50).then((r) => r.rows),
      );
    }
    await Promise.all(added);
    for (const [i, result] of (await Promise.all(found)).entries()) {
      // Exactly those added before it: i + 1 of them, its own query among them.
      expect(result.filter((row) => row >= 0).length).toBe(i + 1);
      expect(result.includes(100 + i)).toBe(true);
    }
  });

  it(
    "many searches with adds, removals and parameters in flight: every result is one that " +
      "the order allows",
    async () => {
      const handle = create("IVF8,Flat");
      await faiss.train(handle, rows);
      await faiss.add(handle, rows.subarray(0, 2000 * dim), ids(2000));
      faiss.set(handle, "nprobe", 8);
      const work: Promise<unknown>[] = [];
      for (let i = 0; i < 100; i++) {
        work.push(
          faiss
            .search(handle, one, 2500)
            .then(({ rows: r }) =>
              expect(r.filter((row) => row >= 0).length).toBe(2000 + i * 10 - i * 5),
            ),
        );
        work.push(
          faiss.add(
            handle,
            rows.subarray((2000 + i * 10) * dim, (2010 + i * 10) * dim),
            ids(10, 2000 + i * 10),
          ),
        );
        work.push(
          faiss.remove(handle, ids(5, 2000 + i * 10)).then((removed) => expect(removed).toBe(5)),
        );
        work.push(
          faiss
            .search(handle, rows.subarray(0, 20 * dim), 1)
            .then(({ rows: r }) => expect([...r]).toEqual([...ids(20)])),
        );
      }
      await Promise.all(work);
      expect(faiss.describe(handle).size).toBe(2500);
    },
  );

  it("parameters change for the searches after, not for those before", async () => {
    const handle = create("IVF64,Flat");
    await faiss.train(handle, rows);
    await faiss.add(handle, rows);
    const queries = rows.subarray(0, 500 * dim);
    faiss.set(handle, "nprobe", 1);
    const narrow = (await faiss.search(handle, queries, 10)).rows;
    faiss.set(handle, "nprobe", 64);
    const wide = (await faiss.search(handle, queries, 10)).rows;
    expect(narrow).not.toEqual(wide);
    for (let round = 0; round < 5; round++) {
      faiss.set(handle, "nprobe", 1);
      const first = faiss.search(handle, queries, 10);
      faiss.set(handle, "nprobe", 64);
      const second = faiss.search(handle, queries, 10);
      faiss.set(handle, "nprobe", 1);
      expect([(await first).rows, (await second).rows]).toEqual([narrow, wide]);
    }
  });

  it(
    "a synchronous call does not wait for a change " + "under way, and is right beside searches",
    async () => {
      const handle = create("Flat");
      await faiss.add(handle, rows);
      const expected = faiss.searchSync(handle, one, 3);
      const searches = Array.from({ length: 20 }, () => faiss.search(handle, rows, 3));
      expect(faiss.searchSync(handle, one, 3)).toEqual(expected);
      await Promise.all(searches);
      const adding = faiss.add(handle, rows);
      expect(await failure(() => faiss.searchSync(handle, one, 3))).toMatch(
        /^faiss-busy faiss\.searchSync: /,
      );
      expect(await failure(() => faiss.bytes(handle))).toMatch(/^faiss-busy faiss\.bytes: /);
      await adding;
      expect(faiss.describe(handle).size).toBe(8000);
    },
  );

  it("close lets what runs end, and refuses what waits", async () => {
    for (let round = 0; round < 10; round++) {
      const handle = create("HNSW16");
      const first = faiss.add(handle, rows.subarray(0, 1000 * dim));
      const second = failure(() => faiss.add(handle, rows.subarray(0, 1000 * dim)));
      const search = failure(() => faiss.search(handle, one, 1));
      faiss.set(handle, "efSearch", 20); // waits, too, and has no promise to reject
      faiss.close(handle);
      faiss.close(handle);
      await first;
      expect(await second).toMatch(
        /^faiss-closed faiss\.add: the index was closed before the call began/,
      );
      expect(await search).toMatch(/^faiss-closed faiss\.search/);
    }
    const handle = create("Flat");
    await faiss.add(handle, rows);
    const running = Array.from({ length: 3 }, () => faiss.search(handle, rows, 5));
    faiss.close(handle);
    for (const result of await Promise.all(running)) expect(result.rows[0]).toBe(0);
  });

  it("arrays and handles that nobody holds any more live as long as the work", async () => {
    const collect = (globalThis as { gc?: () => void }).gc;
    const results: Promise<Float64Array>[] = [];
    for (let i = 0; i < 30; i++) {
      // Handle, vectors and queries are garbage for JavaScript as soon as this block is left.
      const handle = faiss.create("Flat", dim, "inner-product");
      void faiss.add(handle, rows.slice());
      results.push(faiss.search(handle, rows.slice(0, 200 * dim), 1).then((r) => r.rows));
      collect?.();
    }
    const pressure = Array.from({ length: 20 }, () => new Uint8Array(1 << 20));
    expect(pressure.length).toBe(20);
    const expected = (await results[0]!).slice();
    for (const found of await Promise.all(results)) expect(found).toEqual(expected);
  });
});

it("threads: one or two give the same neighbours", async () => {
  const handle = create("Flat");
  await faiss.add(handle, rows);
  faiss.setThreads(1);
  expect(faiss.build().openmpThreads).toBe(1);
  const single = await faiss.search(handle, rows.subarray(0, 10 * dim), 5);
  faiss.setThreads(2);
  expect(faiss.build().openmpThreads).toBe(2);
  expect(await faiss.search(handle, rows.subarray(0, 10 * dim), 5)).toEqual(single);
});

it("says which Faiss it is", () => {
  const build = faiss.build();
  expect(build.version).toMatch(/^\d+\.\d+\.\d+$/);
  expect(["generic", "avx2", "avx512"]).toContain(build.level);
  expect(build.processors).toBeGreaterThan(0);
});
