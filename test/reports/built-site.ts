import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { serveSite, type SiteServer } from "../../src/cli/report/server.js";
import { projectRoot } from "../../src/pipeline/root.js";
import { makeRecords } from "./make-records.js";

const executablePath = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";
export const browserThere = existsSync(executablePath);
if (!browserThere)
  console.warn(`skipping the report's pages: no Chromium at ${executablePath} (set CHROMIUM_PATH)`);
/** A network namespace of its own has no network at all; only root may make one. */
const isolated = spawnSync("unshare", ["-n", "true"]).status === 0;
if (!isolated)
  console.warn("building the report with the network on: unshare -n is not permitted here");

/** Names of the report's own pages. */
export const pages = (await readdir(join(projectRoot, "reports")))
  .filter((name) => name.endsWith(".md"))
  .map((name) => name.slice(0, -3))
  .sort();
const chromiumArgs = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A page, settled, and all that happened on it which must not. */
export interface Opened {
  readonly page: Page;
  readonly complaints: string[];
}

interface Opening {
  readonly within?: BrowserContext;
  readonly prepare?: (page: Page) => Promise<void>;
}

/** The site of made-up records, built once for a test file, served, with a browser before it. */
export class BuiltSite {
  private constructor(
    readonly folder: string,
    readonly site: string,
    readonly server: SiteServer,
    private readonly browser: Browser | undefined,
    private readonly context: BrowserContext | undefined,
  ) {}

  static async make(): Promise<BuiltSite> {
    const folder = await mkdtemp(join(tmpdir(), "report-site-"));
    const site = join(folder, "site");
    await makeRecords(join(folder, "runs"));
    await build(join(folder, "runs"), site);
    const server = await serveSite(site, 0);
    if (!browserThere) return new BuiltSite(folder, site, server, undefined, undefined);
    const browser = await chromium.launch({ executablePath, args: chromiumArgs });
    const context = await browser.newContext({
      viewport: { width: 1280, height: 900 },
      reducedMotion: "reduce",
    });
    return new BuiltSite(folder, site, server, browser, context);
  }

  address(name: string): string {
    return `${this.server.address}${name}.html`;
  }

  /** A context of 400 x 800 pixels. */
  phone(colorScheme: "light" | "dark"): Promise<BrowserContext> {
    return this.browser!.newContext({ viewport: { width: 400, height: 800 }, colorScheme });
  }

  /** Opens a page and waits until nothing loads and every chart is drawn. */
  async open(url: string, { within = this.context!, prepare }: Opening = {}): Promise<Opened> {
    const page = await within.newPage();
    const complaints = this.complaintsOf(page);
    await page.addInitScript(watchChanges);
    await prepare?.(page);
    await page.goto(url);
    await settled(page);
    return { page, complaints };
  }

  private complaintsOf(page: Page): string[] {
    const complaints: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning")
        complaints.push(`console: ${message.text()}`);
    });
    page.on("pageerror", (error) => complaints.push(`page error: ${error.message}`));
    page.on("dialog", (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("requestfailed", (request) =>
      complaints.push(`failed: ${request.url().slice(0, 100)}`),
    );
    page.on("request", (request) => {
      const url = request.url();
      if (!/^(data:|blob:|file:)/.test(url) && !url.startsWith(this.server.address))
        complaints.push(`off the origin: ${url}`);
    });
    return complaints;
  }

  async close(): Promise<void> {
    await this.browser?.close();
    await this.server.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function build(runs: string, site: string): Promise<void> {
  const verb = ["report", "--build-only", "--json", "--runs", runs, "--out", site];
  const command = [process.execPath, join(projectRoot, "bin", "shitu.mjs"), ...verb];
  const [program, ...args] = isolated ? ["unshare", "-n", ...command] : command;
  const built = await new Promise<{ code: number | null; text: string }>((resolve) => {
    const child = spawn(program!, args, { stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (data: Buffer) => {
        text += data.toString();
      });
    child.on("close", (code) => resolve({ code, text }));
  });
  if (built.code !== 0) throw new Error(`the site was not built:\n${built.text}`);
}

// Texts, not functions: they run in the page, whose types are not those of a test.
const watchChanges =
  "globalThis.lastChange = performance.now(); new MutationObserver(() => { " +
  "globalThis.lastChange = performance.now(); }).observe(document, { subtree: true, " +
  "childList: true, attributes: true, characterData: true })";
const settledTest =
  'document.readyState === "complete" && document.querySelector("#observablehq-main ' +
  '.observablehq--block > *") !== null && ' +
  '[...document.querySelectorAll(".plot")].every((plot) => plot.dataset.drawn === "true") && ' +
  "performance.now() - globalThis.lastChange > 200";

/**
 * Framework tells nobody when its cells are done: wait until something is shown, every chart is
 * drawn, and nothing changes any more.
 */
export async function settled(page: Page): Promise<void> {
  await page.waitForLoadState("networkidle");
  await page.waitForFunction(settledTest, undefined, { timeout: 30_000, polling: 50 });
}

export const mainText = (page: Page): Promise<string> =>
  page.evaluate('document.querySelector("#observablehq-main").textContent') as Promise<string>;

/** For `prepare`: a page whose reports folder holds no record. */
export async function withoutRecords(page: Page): Promise<void> {
  await page.route("**/records.*.json", (route) =>
    route.fulfill({ json: { records: [], broken: [] } }),
  );
}
