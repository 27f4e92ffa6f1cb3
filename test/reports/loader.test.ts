import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { tableFromIPC } from "@uwdata/flechette";
import { beforeAll, describe, expect, it } from "vitest";
import { detailsJson } from "../../reports/build/details.js";
import { caseFiles } from "../../reports/build/case-files.js";
import { cutIntoParts } from "../../reports/build/parts.js";
import { pictureFiles, thumbnails } from "../../reports/build/pictures.js";
import { loadRuns, runsView, type LoadedRun } from "../../reports/build/runs.js";
import { isWrong, shownCases } from "../../reports/build/shown-cases.js";
import { tar } from "../../reports/build/tar.js";
import type { BrokenRecord } from "../../reports/analysis/record-view.js";
import { projectRoot } from "../../src/pipeline/root.js";
import {
  unpackBoxes,
  type PackedBoxes,
  type PackedNeighbour,
} from "../../reports/analysis/packed-cases.js";
import { boxesFrom } from "./case-boxes.js";
import { makeRecords } from "./make-records.js";

let folder: string;
let loaded: { runs: LoadedRun[]; broken: BrokenRecord[] };
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "report-loader-"));
  await makeRecords(join(folder, "runs"));
  loaded = await loadRuns(join(folder, "runs"));
});

describe("reading the records", () => {
  it("takes all of them, references too, newest first, and names the broken ones", () => {
    const { records, broken } = runsView(loaded);
    expect(records.map((r) => r.key)).toContain("reference/2026-02-01-mini-table5-0a1b2c3d");
    const starts = records.map((r) => r.provenance.startedAt);
    expect(starts).toEqual([...starts].sort().reverse());
    expect(broken.map((b) => b.key).sort()).toEqual([
      "2026-01-08-<img src=x onerror=alert(1)>-33334444",
      "2026-01-09-broken-11112222",
    ]);
    for (const { problem } of broken) expect(problem).not.toContain(folder);
  });

  it("keeps a record whose side files are damaged, and says what is wrong", async () => {
    const [first] = loaded.runs;
    const runs = join(await mkdtemp(join(tmpdir(), "report-damaged-")), "runs");
    const one = join(runs, "one");
    await mkdir(one, { recursive: true });
    const { schema, id, state, experiment, provenance, cells } = first!.view;
    await writeFile(
      join(one, "run.json"),
      JSON.stringify({ schema, id, state, experiment, provenance, cells }),
    );
    await writeFile(join(one, "cases.arrow"), "not arrow");
    await writeFile(join(one, "samples.json"), "{");
    await writeFile(
      join(one, "curves.json"),
      JSON.stringify({ a: { recall: [0, "x"], precision: [1, 2] }, b: 7 }),
    );
    await writeFile(
      join(one, "images.json"),
      JSON.stringify({ drink: 5, raccoon: "/nowhere/at/all" }),
    );
    const {
      runs: [damaged],
    } = await loadRuns(runs);
    expect(damaged!.view.warnings.map((w) => w.split(" ")[0])).toEqual([
      "cases.arrow",
      "samples.json",
    ]);
    expect(damaged!.view.curves).toEqual({ a: { precision: [1, 2] }, b: {} });
    expect(damaged!.imageRoots.size).toBe(0);
    expect(damaged!.view.cells).toHaveLength(first!.view.cells.length);
  });

  it("takes a missing folder for no records", async () => {
    expect(await loadRuns(join(folder, "none"))).toEqual({ runs: [], broken: [] });
  });

  it("sums samples up in 101 quantiles", () => {
    const run = loaded.runs.find((r) => Object.keys(r.view.samples).length > 0)!;
    const [cell] = Object.values(run.view.samples);
    const { n, quantiles } = Object.values(cell!)[0]!;
    expect(n).toBeGreaterThan(0);
    expect(quantiles).toHaveLength(101);
    expect(quantiles).toEqual([...quantiles].sort((a, b) => a - b));
  });
});

describe("the cases shown", () => {
  it("holds a fair hundred of the wrong cases, and wrong ones first", () => {
    const shown = shownCases(loaded.runs);
    const run = loaded.runs.find((r) => r.view.experiment.name === "first-light")!;
    const cell = run.view.cells.find((c) => c.kind === "retrieval")!;
    const wrong = run.cases.filter((c) => c.cell === cell.id && isWrong(c));
    const mine = shown.filter((c) => c.record === run.view.key && c.cell === cell.id);
    expect(wrong.length).toBeGreaterThan(100);
    expect(mine.filter(isWrong).length).toBeGreaterThanOrEqual(100);
    for (const row of mine.filter(isWrong)) expect(wrong.map((c) => c.item)).toContain(row.item);
    expect(mine.slice(0, 4).every(isWrong)).toBe(true);
  });

  it("lets cells take turns within a budget", () => {
    const shown = shownCases(loaded.runs, 200);
    expect(shown).toHaveLength(200);
    const counts = new Map<string, number>();
    for (const { record, cell } of shown)
      counts.set(`${record} ${cell}`, (counts.get(`${record} ${cell}`) ?? 0) + 1);
    expect(Math.max(...counts.values()) - Math.min(...counts.values())).toBeLessThanOrEqual(1);
  });

  it("makes thumbnails within the budget, and none from outside the image root", async () => {
    const shown = shownCases(loaded.runs, 400);
    await writeFile(join(folder, "secret.png"), "outside");
    const made = await thumbnails(
      loaded.runs,
      [{ ...shown[0]!, image: "../secret.png" }, { ...shown[0]!, image: "nothing.png" }, ...shown],
      12,
    );
    expect(made.length).toBeGreaterThan(5);
    expect(made.length).toBeLessThanOrEqual(12);
    expect(made.map((t) => t.key).join()).not.toMatch(/secret|nothing/);
    for (const { webp } of made) expect(Buffer.from(webp.subarray(8, 12)).toString()).toBe("WEBP");
    const { "pictures.json": places, ...parts } = pictureFiles(made);
    expect(Object.keys(parts)).toHaveLength(24);
    const held = JSON.parse(String(places)) as Record<string, Record<string, number>>;
    for (const { set, picture, key, webp } of made) {
      const part = parts[`pictures-${held[set]![picture]!}.bin`] as Uint8Array;
      const rows = tableFromIPC(part).toColumns() as unknown as Record<string, unknown[]>;
      expect(Buffer.from(rows.webp![rows.key!.indexOf(key)] as Uint8Array)).toEqual(webp);
    }
  });

  it("cuts the cases into files by cell and by record, and counts all of them", () => {
    const shown = shownCases(loaded.runs, 400);
    const files = caseFiles(loaded.runs, shown);
    const held = JSON.parse(String(files["cases.json"])) as {
      details: Record<string, Record<string, number>>;
      outcomes: Record<string, number>;
      counts: Record<string, { n: number }[]>;
    };
    expect(Object.keys(files)).toHaveLength(1 + 32 + 16);
    for (const { record, cell, item } of shown) {
      const file = String(files[`details-${held.details[record]![cell]!}.json`]);
      expect((JSON.parse(file) as { item: string[] }).item).toContain(item);
    }
    for (const { view, cases } of loaded.runs.filter((run) => run.cases.length > 0)) {
      const file = files[`outcomes-${held.outcomes[view.key]!}.bin`] as Uint8Array;
      const rows = tableFromIPC(file).toArray() as { record: string }[];
      expect(rows.filter(({ record }) => record === view.key)).toHaveLength(cases.length);
      const counted = held.counts[view.key]!.reduce((sum, { n }) => sum + n, 0);
      expect(counted).toBe(cases.length);
    }
  });

  it("cuts a list into parts of about equal size, whole groups in their order", () => {
    const parts = cutIntoParts([5, 1, 1, 1, 1, 1], 2, (size) => size);
    expect(parts).toEqual([[5], [1, 1, 1, 1, 1]]);
    expect(cutIntoParts([], 3, () => 1)).toEqual([[], [], []]);
    expect(cutIntoParts([9], 3, (size) => size).flat()).toEqual([9]);
  });

  it("packs neighbours and boxes: pixels, three digits, and only what is shown", () => {
    const [row] = shownCases(loaded.runs, 1);
    const near = { label: "a", score: 0.98765, picture: null };
    const boxes = boxesFrom(
      [[1.26, 2, 3, 4, "a"]],
      [
        [1.9, 2, 3, 4, 0.12345, "b", "unused"],
        [1.9, 2, 3, 4, 0.12345, "b", "hit", [near]],
        [1.9, 2, 3, 4, 0.12345, "b", "kept", [near]],
      ],
    );
    const json = JSON.parse(
      detailsJson([
        { ...row!, neighbours: [near], boxes },
        { ...row!, neighbours: null, boxes: null },
      ]),
    ) as { neighbours: PackedNeighbour[][]; boxes: (PackedBoxes | null)[] };
    expect(json.neighbours).toEqual([[["a", 0.988, null]], []]);
    expect(json.boxes[1]).toBeNull();
    expect(unpackBoxes(json.boxes[0]!)).toEqual({
      truth: [{ x0: 1, y0: 2, x1: 3, y1: 4, label: "a", stage: null }],
      found: ["hit", "kept"].map((fate) => ({
        ...{ x0: 2, y0: 2, x1: 3, y1: 4 },
        score: 0.123,
        label: "b",
        fate,
        neighbours: fate === "kept" ? [{ ...near, score: 0.988 }] : [],
      })),
    });
  });
});

describe("the archive of the loader", () => {
  it("is one that tar reads", () => {
    const archive = tar({ "a.json": "{}", "b.bin": new Uint8Array(1000).fill(7), empty: "" });
    const { stdout, status } = spawnSync("tar", ["-tvf", "-"], {
      input: archive,
      encoding: "utf8",
    });
    expect(status).toBe(0);
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => line.split(/\s+/).filter((_, i) => i === 2 || i === 5)),
    ).toEqual([
      ["2", "a.json"],
      ["1000", "b.bin"],
      ["0", "empty"],
    ]);
  });
});

describe("the offline resolver", () => {
  const ask = (url: string): string => {
    const resolver = pathToFileURL(join(projectRoot, "reports/build/offline-npm.js")).href;
    const script = `
      const { serveFromNodeModules } = await import(${JSON.stringify(resolver)});
      serveFromNodeModules();
      try {
        const r = await fetch(${JSON.stringify(url)});
        console.log(r.status, (await r.text()).slice(0, 80));
      } catch (error) {
        console.log("refused:", error.message);
      }`;
    return spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      encoding: "utf8",
      cwd: tmpdir(),
    }).stdout.trim();
  };

  it("answers for what is installed and refuses everything else", () => {
    expect(ask("https://registry.invalid/arquero/latest")).toMatch(/^200 \{"version":"8\.0\.2"/);
    expect(ask("https://cdn.invalid/npm/arquero@8.0.2/package.json")).toMatch(
      /^200 \{"name":"arquero","version":"8\.0\.2"/,
    );
    expect(ask("https://cdn.invalid/npm/arquero@1.0.0/+esm")).toMatch(
      /^refused: .*8\.0\.2 is installed/,
    );
    expect(ask("https://cdn.invalid/npm/left-pad@1.0.0/+esm")).toMatch(/^refused: .*not installed/);
    expect(ask("https://api.invalid/a/b/c/d?x=1")).toMatch(/^refused: .*without a network/);
  });
});
