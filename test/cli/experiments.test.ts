import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeTiny, type Tiny } from "../eval/tiny-benchmark.js";
import { shitu } from "./shitu.js";

let tiny: Tiny;
let runs: string;
let cache: string;
beforeAll(async () => {
  tiny = await makeTiny();
  [runs, cache] = ["runs-", "cache-"].map((name) => mkdtempSync(join(tmpdir(), name))) as [
    string,
    string,
  ];
});
afterAll(() => {
  for (const folder of [tiny.folder, runs, cache]) rmSync(folder, { recursive: true, force: true });
});

const body = (expectations: string): string => `measure:
  - kind: retrieval
    models: ["\${baselines}/pixels-32.yaml"]
    datasets: [rows.yaml]
    indexes: [{ factory: Flat }]
expect:
${expectations}`;
const at = "cell: { model: pixels-32, dataset: rows }";

describe("shitu verify, list, show, compare", { timeout: 180_000 }, () => {
  let size: number;

  it("checks what a config expects: exit code 1 where it is missed", async () => {
    // 24 vectors of 3,072 floats; Faiss writes a head of some dozen bytes before them.
    const config = tiny.config(
      "verified",
      body(
        `  - { ${at}, metric: index-size, value: ${24 * 3072 * 4 + 100}, tolerance: 200 }\n  ` +
          `- { ${at}, metric: recall@1, value: 2, tolerance: 0.5 }\n`,
      ),
    );
    const { code, stdout } = await shitu([
      "verify",
      config,
      "--runs",
      runs,
      "--cache",
      cache,
      "--json",
    ]);
    expect(code).toBe(1);
    const { missed, checked } = JSON.parse(stdout) as {
      missed: number;
      checked: { metric: string; found: number; verdict: string }[];
    };
    expect([missed, ...checked.map((c) => c.verdict)]).toEqual([1, "within", "outside"]);
    size = checked[0]!.found;
  });

  it("checks a record without running anything: to the byte where the tolerance is 0", async () => {
    const config = tiny.config(
      "verified",
      body(`  - { ${at}, metric: index-size, value: ${size}, tolerance: 0 }\n`),
    );
    const before = readdirSync(runs);
    const { code, stdout } = await shitu([
      "verify",
      config,
      "--record",
      "verified",
      "--runs",
      runs,
    ]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/within\n\n1 of 1 within/)]);
    expect(readdirSync(runs)).toEqual(before);
    const off = tiny.config(
      "verified",
      body(`  - { ${at}, metric: index-size, value: ${size + 1}, tolerance: 0 }\n`),
    );
    expect(await shitu(["verify", off, "--record", "verified", "--runs", runs])).toMatchObject({
      code: 1,
    });
  });

  it.each([
    [
      "a cell that is not there",
      `  - { cell: { model: other }, metric: recall@1, value: 1, tolerance: 0 }\n`,
      /expect\[0\]: no cell has these labels/,
    ],
    [
      "a metric that the cell lacks",
      `  - { ${at}, metric: recall@2, value: 1, tolerance: 0 }\n`,
      /expect\[0\]: the cell has no such score.*recall@1/,
    ],
    ["a config that expects nothing", "  []\n", /expects nothing/],
  ])("refuses %s", async (_, expectations, message) => {
    const { code, stderr } = await shitu([
      "verify",
      tiny.config("verified", body(expectations)),
      "--record",
      "verified",
      "--runs",
      runs,
    ]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  });

  it("refuses a record and itself, by one name or two", async () => {
    const [own] = readdirSync(runs).filter((name) => name.includes("-verified-"));
    for (const second of ["verified", "verified@0", own!])
      expect(
        await shitu(["compare", "verified", second, "--fail-on", "worse", "--runs", runs]),
      ).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/same record.*verified@1 is the record/s) as string,
      });
    expect(await shitu(["compare", "verified", "verified@1", "--runs", runs])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/not so many records of verified.*alone/s) as string,
    });
  });

  it("compares two runs of one: no flips, and --fail-on worse is content", async () => {
    const again = tiny.config("verified", body("  []\n"));
    expect((await shitu(["run", again, "--runs", runs, "--cache", cache])).code).toBe(0);
    const { code, stdout } = await shitu([
      "compare",
      "verified@1",
      "verified",
      "--fail-on",
      "worse",
      "--runs",
      runs,
      "--json",
    ]);
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as { pairs: unknown[] }).pairs).toMatchObject([
      { difference: 0, p: 1, verdict: "no difference shown", lost: [], gained: [] },
    ]);
    expect(await shitu(["compare", "verified", "nowhere", "--runs", runs])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/no record of this name.*verified/) as string,
    });
    expect(
      await shitu(["compare", "verified", "verified", "--map", "model", "--runs", runs]),
    ).toMatchObject({ code: 2, stderr: expect.stringMatching(/LABEL:FIRST=SECOND/) as string });
  });
});

describe("committed records", { timeout: 60_000 }, () => {
  it(
    "are listed last and marked, and found by " + "experiment where there is no own record",
    async () => {
      const config = tiny.config("kept", body("  []\n"));
      const apart = mkdtempSync(join(tmpdir(), "kept-"));
      try {
        expect(
          (await shitu(["run", config, "--runs", join(apart, "reference"), "--cache", cache])).code,
        ).toBe(0);
        expect((await shitu(["show", "kept", "--runs", apart])).stdout).toContain("recall@1");
        expect(
          (
            await shitu([
              "run",
              tiny.config("own", body("  []\n")),
              "--runs",
              apart,
              "--cache",
              cache,
            ])
          ).code,
        ).toBe(0);
        const lines = (await shitu(["list", "--runs", apart])).stdout.trim().split("\n").slice(1);
        expect(lines.map((l) => /^(reference\/)?[\d-]+-(own|kept)-/.exec(l)?.slice(1))).toEqual([
          [undefined, "own"],
          ["reference/", "kept"],
        ]);
      } finally {
        rmSync(apart, { recursive: true, force: true });
      }
    },
  );
});

describe("shitu reproduce", { timeout: 180_000 }, () => {
  it("says of what cannot run which setting is missing and how to give it", async () => {
    const { code, stdout, stderr } = await shitu([
      "reproduce",
      "5",
      "--scale",
      "paper",
      "--runs",
      runs,
    ]);
    expect([code, stderr]).toEqual([2, ""]);
    expect(stdout).toMatch(/settings\.models +42 +give it: --set settings\.models=FOLDER/);
    expect(stdout).toMatch(/0 of 43 numbers measured.*43 not run/);
  });

  it("names each missing file once, with the number of cells that wait for it", async () => {
    const folder = [
      "--set",
      `settings.models=${tiny.folder}`,
      "--set",
      `settings.data=${tiny.folder}`,
    ];
    const { code, stdout } = await shitu([
      "reproduce",
      "4",
      "--scale",
      "paper",
      ...folder,
      "--runs",
      runs,
      "--json",
    ]);
    expect(code).toBe(2);
    const { tables } = JSON.parse(stdout) as {
      tables: {
        missing: { what: string; cells: number; howToGet: string }[];
        cells: { verdict: string }[];
      }[];
    };
    expect(tables[0]!.missing).toEqual(
      ["mainbody-server", "mainbody-light", "mainbody-light-int8"].map(
        (name) =>
          expect.objectContaining({
            what: join(tiny.folder, name, "card.yaml"),
            cells: 5,
            howToGet: expect.stringMatching(/inspect MODEL\.onnx --write-card/) as string,
          }) as unknown,
      ),
    );
    expect(
      tables[0]!.cells.every((c) => c.verdict === "not run" || c.verdict === "paper silent"),
    ).toBe(true);
  });

  it("refuses a table that there is not", async () => {
    expect(await shitu(["reproduce", "1"])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/no table of measurements/) as string,
    });
  });
});
