import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { chromium } from "playwright-core";
import { serveSite } from "../src/cli/report/server.js";
import { projectRoot } from "../src/pipeline/root.js";
import { makeRecords } from "../test/reports/make-records.js";

/**
 * The report of a record of many cases: how long it takes to build, how large it is, and how long
 * each page takes until nothing in it changes any more. `npx tsx bench/report-large.ts [CASES]
 * [ROUNDS]`, 100,000 and 5 unless told.
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
  console.log(
    `build ${((performance.now() - start) / 1000).toFixed(1)} s, site ` +
      `${((await size(site)) / 2 ** 20).toFixed(1)} MiB, ${cases} cases and those of the other ` +
      "records",
  );

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
    const sorted = [...seconds].sort((a, b) => a - b);
    console.log(
      `${name.padEnd(15)} ${sorted[Math.floor(sorted.length / 2)]!.toFixed(2).padStart(8)}   ` +
        `${seconds.map((s) => s.toFixed(2)).join(" ")}`,
    );
  }
  await browser.close();
  await server.close();
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
