import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { chromium } from "playwright-core";
import { serveSite } from "../src/cli/report/server.js";
import { projectRoot } from "../src/pipeline/root.js";
import { makeRecords } from "../test/reports/make-records.js";
import { writeResult } from "./result.js";

/**
 * The report of a record of many cases: how long it takes to build, how large it is, and how long
 * each page takes until nothing in it changes any more; 100,000 cases and 5 rounds unless told.
 *
 *   npx tsx bench/report-large.ts [CASES] [ROUNDS]
 */
const [cases = "100000", rounds = "5"] = process.argv.slice(2);
const executablePath = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";
if (!existsSync(executablePath))
  throw new Error(`no Chromium at ${executablePath}: set CHROMIUM_PATH`);

const folder = await mkdtemp(join(tmpdir(), "report-large-"));
try {
  const [runs, site] = [join(folder, "runs"), join(folder, "site")];
  await makeRecords(runs, { extraCases: Number(cases) });
  const start = performance.now();
  const built = spawnSync(
    process.execPath,
    [
      join(projectRoot, "bin", "shitu.mjs"),
      "report",
      "--build-only",
      "--json",
      "--runs",
      runs,
      "--out",
      site,
    ],
    { encoding: "utf8" },
  );
  if (built.status !== 0) throw new Error(built.stderr);
  const buildS = (performance.now() - start) / 1000;
  const siteBytes = await size(site);
  console.log(
    `build ${buildS.toFixed(1)} s, site ${(siteBytes / 2 ** 20).toFixed(1)} MiB, ${cases} cases ` +
      "and those of the other records",
  );
  const atRest: [string, number][] = [];

  const server = await serveSite(site, 0);
  const browser = await chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  console.log("page            median s   all rounds");
  for (const name of (await readdir(site))
    .filter((f) => f.endsWith(".html"))
    .map((f) => f.slice(0, -5))
    .sort()) {
    const seconds: number[] = [];
    for (let round = 0; round < Number(rounds); round++) {
      // an empty cache each time
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
      const page = await context.newPage();
      await page.addInitScript(
        "globalThis.lastChange = 0; new MutationObserver(() => { globalThis.lastChange = " +
          "performance.now(); }).observe(document, { subtree: true, childList: true, " +
          "attributes: true, characterData: true })",
      );
      await page.goto(`${server.address}${name}.html?run=2026-02-04-large-0a1b2c3d`);
      await page.waitForFunction(
        'document.querySelector("#observablehq-main .observablehq--block > *") !== null && ' +
          '[...document.querySelectorAll(".plot")].every((plot) => plot.dataset.drawn === ' +
          '"true") && performance.now() - globalThis.lastChange > 1000',
        undefined,
        { timeout: 60_000, polling: 100 },
      );
      seconds.push(((await page.evaluate("globalThis.lastChange")) as number) / 1000);
      await context.close();
    }
    const median = [...seconds].sort((a, b) => a - b)[Math.floor(seconds.length / 2)]!;
    atRest.push([name, median]);
    console.log(
      `${name.padEnd(15)} ${median.toFixed(2).padStart(8)}   ` +
        `${seconds.map((s) => s.toFixed(2)).join(" ")}`,
    );
  }
  await browser.close();
  await server.close();
  await writeResult({
    name: "report-large",
    title: "The report of a large record",
    subject: "reports",
    findings: [
      `A record of ${Number(cases).toLocaleString("en-US")} cases and those of the other ` +
        `records. Until nothing in a page changes any more: medians of ${rounds}.`,
    ],
    tables: [
      {
        columns: [
          { head: "built in", unit: "s" },
          { head: "size of the site", unit: "bytes" },
        ],
        rows: [[buildS, siteBytes]],
      },
      {
        columns: [
          { head: "page", unit: "text" },
          { head: "at rest after", unit: "s" },
        ],
        rows: atRest,
      },
    ],
  });
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function size(path: string): Promise<number> {
  const info = await stat(path);
  if (!info.isDirectory()) return info.size;
  return (await Promise.all((await readdir(path)).map((name) => size(join(path, name))))).reduce(
    (a, b) => a + b,
    0,
  );
}
