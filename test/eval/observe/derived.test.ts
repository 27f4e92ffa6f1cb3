import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cacheInfo, ObservationCaches, pruneCache } from "../../../src/eval/observe/cache.js";
import { moduleFile } from "../../../src/eval/observe/code-hash.js";
import { codeVersion } from "../../../src/eval/observe/code-version.js";
import { derived, evidenceHash } from "../../../src/eval/observe/derived.js";

const folder = (): string => mkdtempSync(join(tmpdir(), "derived-"));
const evidence = { weights: Float64Array.of(0.1, 0.2), labels: ["a", "b"], seed: 1 };

/** One question to a cache that is opened afresh; what it said, and whether it was computed. */
async function ask(
  root: string,
  method: string,
  given: Readonly<Record<string, unknown>>,
  value: unknown,
): Promise<{ said: unknown; computed: boolean }> {
  const caches = new ObservationCaches(root);
  let computed = false;
  try {
    return {
      said: await derived(caches, { method, evidence: given }, () => {
        computed = true;
        return value;
      }),
      computed,
    };
  } finally {
    await caches.close();
  }
}

describe("derived numbers", () => {
  it("come back to the last bit, with what JSON would lose", async () => {
    const root = folder();
    const value = {
      ci: [0.1 + 0.2, 5e-324],
      zero: -0,
      none: NaN,
      most: -Infinity,
      why: undefined,
      null: null,
    };
    expect(await ask(root, "sum", evidence, value)).toEqual({ said: value, computed: true });
    const again = await ask(
      root,
      "sum",
      { seed: 1, labels: ["a", "b"], weights: Float64Array.of(0.1, 0.2) },
      "not this",
    );
    expect(again).toStrictEqual({ said: value, computed: false });
  });

  it.each<[string, string, Readonly<Record<string, unknown>>]>([
    ["method", "mean", evidence],
    ["number", "sum", { ...evidence, seed: 2 }],
    ["label", "sum", { ...evidence, labels: ["a", "c"] }],
    ["split of labels", "sum", { ...evidence, labels: ["ab"] }],
    ["last bit", "sum", { ...evidence, weights: Float64Array.of(0.1, 0.2 + 2 ** -55) }],
    ["kind of array", "sum", { ...evidence, weights: new Uint8Array(evidence.weights.buffer) }],
    ["name", "sum", { weight: evidence.weights, labels: evidence.labels, seed: 1 }],
    ["further evidence", "sum", { ...evidence, uids: ["a", "b"] }],
  ])("are never served for another %s", async (_, method, other) => {
    const root = folder();
    await ask(root, "sum", evidence, "first");
    expect(await ask(root, method, other, "second")).toEqual({ said: "second", computed: true });
  });

  it("tells apart what JSON writes alike", () => {
    const alike = [
      NaN,
      Infinity,
      -Infinity,
      null,
      undefined,
      0,
      -0,
      "0",
      [null],
      [undefined],
      { a: Int8Array.of(1) },
      { a: { 0: 1 } },
      Int8Array.of(1),
      Uint8Array.of(1),
    ];
    expect(new Set(alike.map((value) => evidenceHash({ value }))).size).toBe(alike.length);
  });

  it("are computed again where the entry was torn, and kept from then on", async () => {
    const root = folder();
    await ask(root, "sum", evidence, "first");
    const log = join(root, readdirSync(root)[0]!, "entries.log");
    writeFileSync(log, readFileSync(log).subarray(0, -1));
    expect(await ask(root, "sum", evidence, "second")).toEqual({ said: "second", computed: true });
    expect(await ask(root, "sum", evidence, "third")).toEqual({ said: "second", computed: false });
  });

  it("are known to cache info and prune", async () => {
    const root = folder();
    await ask(root, "sum", evidence, 1);
    expect(await cacheInfo(root)).toMatchObject([
      { key: { what: "derived", model: "sum" }, entries: 1 },
    ]);
    await pruneCache(root);
    expect((await ask(root, "sum", evidence, 2)).computed).toBe(true);
  });

  it("belong to the code that computed them", () => {
    const version = codeVersion([moduleFile("stats/random")]);
    expect(version).toMatch(/^code [0-9a-f]{24}, node v/);
    expect(codeVersion([moduleFile("stats/quantile")])).not.toBe(version);
    expect(codeVersion(["stats"])).not.toBe(version);
    const [one, other] = ["one", "other"].map((content) => {
      const file = join(folder(), `addon-${content}.node`);
      writeFileSync(file, content);
      return file;
    }) as [string, string];
    expect(codeVersion([moduleFile("stats/random"), one])).not.toBe(
      codeVersion([moduleFile("stats/random"), other]),
    );
  });
});
