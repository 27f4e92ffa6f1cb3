import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { measuredPage } from "../../bench/measured-page.js";
import { commandLine, readResults, writeResult, type BenchResult } from "../../bench/result.js";
import { projectRoot } from "../../src/pipeline/root.js";

const bench = join(projectRoot, "bench");

describe("docs/measured.md", () => {
  it("is what the results say (npm run measured writes it)", async () => {
    const file = join(projectRoot, "docs/measured.md");
    const config = await resolveConfig(file);
    const page = measuredPage(readResults(join(bench, "results")));
    expect(readFileSync(file, "utf8")).toBe(await format(page, { ...config, filepath: file }));
  });

  it("shows every result", () => {
    const page = readFileSync(join(projectRoot, "docs/measured.md"), "utf8");
    for (const { title } of readResults(join(bench, "results")))
      expect(page).toContain(`### ${title}\n`);
  });
});

describe("programs of bench", () => {
  // A program names its own command; what it makes for another is no measurement.
  const programs = readdirSync(bench).filter(
    (name) =>
      name.endsWith(".ts") &&
      name !== "coco-generate.ts" &&
      readFileSync(join(bench, name), "utf8").includes(`npx tsx bench/${name}`),
  );

  it("are found", () => {
    expect(programs.length).toBeGreaterThanOrEqual(11);
  });

  it.each(programs)("%s writes its result", (name) => {
    expect(readFileSync(join(bench, name), "utf8").includes("await writeResult(")).toBe(true);
  });
});

const result: BenchResult = {
  schema: 1,
  name: "a-thing",
  title: "A thing",
  subject: "latency",
  command: "npx tsx bench/a.ts",
  date: "2026-01-02",
  source: { kind: "measured", commit: "abc" },
  machine: { cpuModel: { value: "a CPU" }, usableCores: { value: 2 } },
  versions: { node: "v20.9.0" },
  load: { before: 0.5, after: 1.25 },
  findings: ["A finding."],
  tables: [
    {
      columns: [
        { head: "what", unit: "text" },
        { head: "time", unit: "ms" },
        { head: "share", unit: "share" },
        { head: "memory", unit: "bytes" },
      ],
      rows: [["one", { value: 1.2345, ci: [1, 1.5] }, 0.0342, 542 * 2 ** 20]],
    },
  ],
};

describe("the page of a result", () => {
  it("says when, on what machine and by which command; shows raw numbers with their units", () => {
    const page = measuredPage([result]);
    expect(page).toContain("## Latency");
    expect(page).toContain(
      "2026-01-02, commit abc; a CPU, 2 cores, load 0.5 to 1.3; Node v20.9.0.",
    );
    expect(page).toContain("Made by `npx tsx bench/a.ts`");
    expect(page).toContain("| one | 1.23 ms (1 ms to 1.50 ms) | 3.42% | 542 MiB |");
    expect(page).toContain("A finding.");
  });

  it("says honestly what was transcribed", () => {
    const page = measuredPage([
      {
        ...result,
        source: { kind: "transcribed", from: "NOTES.md", commit: "abc" },
        machine: { told: "some machine" },
        command: null,
      },
    ]);
    expect(page).toContain("transcribed from NOTES.md (abc); some machine.");
    expect(page).toContain("No program for it was kept.");
  });

  it("lists the rows of a table that is too wide for a page", () => {
    const wide = "x".repeat(90);
    const page = measuredPage([
      {
        ...result,
        tables: [
          {
            columns: ["what", "by", ""].map((head) => ({ head, unit: "text" as const })),
            rows: [
              [wide, "a", "b"],
              [wide, "c", null],
            ],
          },
        ],
      },
    ]);
    expect(page).toContain(`- **${wide}**: by a, b; by c`);
  });
});

describe("the files of results", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "bench-results-"));
  });
  afterEach(() => {
    delete process.env.SHITU_BENCH_RESULTS;
    rmSync(folder, { recursive: true, force: true });
  });
  const write = (value: object, name: string): void =>
    writeFileSync(join(folder, name), JSON.stringify(value));

  it("are written with the machine and its load, and read again", async () => {
    process.env.SHITU_BENCH_RESULTS = folder;
    const { name, title, subject, findings, tables } = result;
    await writeResult({ name, title, subject, findings, tables, versions: { peer: "1" } });
    const [read] = readResults(folder);
    expect(read).toMatchObject({ name, title, tables, source: { kind: "measured" } });
    expect(read!.machine).toHaveProperty("cpuModel");
    expect(read!.versions).toMatchObject({ node: process.version, peer: "1" });
    expect(read!.load!.after).toBeGreaterThanOrEqual(0);
  });

  it("give the newest of a name", () => {
    write(result, "2026-01-02-a-thing.json");
    write({ ...result, date: "2026-02-01", title: "Newer" }, "2026-02-01-a-thing.json");
    expect(readResults(folder).map((r) => r.title)).toEqual(["Newer"]);
  });

  it("are refused by name where they are none", () => {
    write({ ...result, rows: [] }, "2026-01-02-a-thing.json");
    expect(() => readResults(folder)).toThrow(/2026-01-02-a-thing\.json.*rows/s);
    write(result, "2026-01-02-a-thing.json");
    write(result, "2026-01-03-other.json");
    expect(() => readResults(folder)).toThrow(/2026-01-03-other\.json holds a-thing of 2026-01-02/);
    rmSync(join(folder, "2026-01-03-other.json"));
    const short = [{ ...result.tables[0]!, rows: [["one"]] }];
    write({ ...result, tables: short }, "2026-01-02-a-thing.json");
    expect(() => readResults(folder)).toThrow(/as many cells/);
  });

  it("name no folder of the machine", () => {
    expect(commandLine(["node", "/x/bench/gallery.ts", "--photos", "/home/me/photos"])).toBe(
      "npx tsx bench/gallery.ts --photos FOLDER",
    );
  });
});
