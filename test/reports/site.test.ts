import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serveSite, type SiteServer } from "../../src/cli/report/server.js";
import { singleFile } from "../../src/cli/report/single-file.js";
import { loadConfig } from "../../src/eval/config/config.js";
import { projectRoot } from "../../src/pipeline/root.js";
import { definitionTargets } from "../../reports/analysis/definitions.js";
import { methodologyPages } from "../../reports/build/methodology.js";
import { hostile, makeRecords } from "./make-records.js";

const executablePath = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";
const browserThere = existsSync(executablePath);
if (!browserThere)
  console.warn(`skipping the report's pages: no Chromium at ${executablePath} (set CHROMIUM_PATH)`);
/** A network namespace of its own has no network at all; only root may make one. */
const isolated = spawnSync("unshare", ["-n", "true"]).status === 0;
if (!isolated)
  console.warn("building the report with the network on: unshare -n is not permitted here");

const { csvParseRows } = (await import("d3-dsv" as string)) as {
  csvParseRows: (text: string) => string[][];
};
const pages = (await readdir(join(projectRoot, "reports")))
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

let folder: string;
let site: string;
let server: SiteServer;
let browser: Browser | undefined;
let context: BrowserContext;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "report-site-"));
  site = join(folder, "site");
  await makeRecords(join(folder, "runs"));
  const command = [
    process.execPath,
    join(projectRoot, "bin", "shitu.mjs"),
    "report",
    "--build-only",
    "--json",
    "--runs",
    join(folder, "runs"),
    "--out",
    site,
  ];
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
  server = await serveSite(site, 0);
  if (!browserThere) return;
  browser = await chromium.launch({ executablePath, args: chromiumArgs });
  context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    reducedMotion: "reduce",
  });
}, 240_000);

afterAll(async () => {
  await browser?.close();
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

interface Opened {
  readonly page: Page;
  readonly complaints: string[];
}

/**
 * Opens a page and waits until nothing loads and every chart is drawn. Everything that must not
 * happen is collected.
 */
async function open(
  url: string,
  {
    within = context,
    prepare,
  }: { within?: BrowserContext; prepare?: (page: Page) => Promise<void> } = {},
): Promise<Opened> {
  const page = await within.newPage();
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
  page.on("requestfailed", (request) => complaints.push(`failed: ${request.url().slice(0, 100)}`));
  page.on("request", (request) => {
    if (!/^(data:|blob:|file:)/.test(request.url()) && !request.url().startsWith(server.address))
      complaints.push(`off the origin: ${request.url()}`);
  });
  await page.addInitScript(watchChanges);
  await prepare?.(page);
  await page.goto(url);
  await settled(page);
  return { page, complaints };
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
async function settled(page: Page): Promise<void> {
  await page.waitForLoadState("networkidle");
  await page.waitForFunction(settledTest, undefined, { timeout: 30_000, polling: 50 });
}

const text = (page: Page): Promise<string> =>
  page.evaluate('document.querySelector("#observablehq-main").textContent') as Promise<string>;

describe("the built site", () => {
  it("has every page and the files of none but itself", async () => {
    expect(pages).toEqual([
      "binary-or-real",
      "compare",
      "detection",
      "index",
      "index-choice",
      "latency",
      "networks",
      "paper",
      "queries",
      "recognition",
      "run",
    ]);
    for (const name of pages) {
      const html = await readFile(join(site, `${name}.html`), "utf8");
      expect(html.match(/(?:src|href)="(?:https?:)?\/\/[^"]*"/g)).toBeNull();
      expect(html).not.toContain(hostile);
    }
  });
});

describe("the methodology on the site", () => {
  const file = (path: string): string => join(site, `${path}.html`);
  const ids = async (path: string): Promise<string[]> =>
    [...(await readFile(file(path), "utf8")).matchAll(/ id="([^"]+)"/g)].map(([, id]) => id!);

  it("has every page and every definition", async () => {
    for (const { path } of methodologyPages()) expect(existsSync(file(path)), path).toBe(true);
    for (const target of definitionTargets) {
      const [page, anchor] = target.split("#");
      if (anchor !== undefined) expect(await ids(`methodology/${page!}`), target).toContain(anchor);
    }
  });

  it.each(methodologyPages())("$path leads to pages and anchors that exist", async ({ path }) => {
    const html = await readFile(file(path), "utf8");
    expect(html.match(/(?:src|href)="(?:https?:)?\/\/[^"]*"/g)).toBeNull();
    expect(html).not.toMatch(/href="[^"]*\.md/);
    const main = html.slice(html.indexOf('id="observablehq-main"'));
    for (const [, page, anchor] of main.matchAll(/href="\.\/([a-z-]+)\.html(?:#([^"]+))?"/g)) {
      expect(existsSync(file(`methodology/${page!}`)), page).toBe(true);
      if (anchor !== undefined) expect(await ids(`methodology/${page!}`)).toContain(anchor);
    }
  });

  it.skipIf(!browserThere)(
    "heads of tables lead to definitions",
    async () => {
      for (const name of ["detection", "recognition", "index-choice", "paper"]) {
        const { page } = await open(`${server.address}${name}.html`);
        const links = (await page.evaluate(
          '[...document.querySelectorAll("thead a.definition")].map((a) => a.getAttribute("href"))',
        )) as string[];
        expect(links.length, name).toBeGreaterThan(0);
        for (const link of new Set(links)) {
          const [, path, anchor] = /^\.\/(methodology\/[a-z-]+)\.html(?:#(.+))?$/.exec(link)!;
          if (anchor !== undefined) expect(await ids(path!), link).toContain(anchor);
        }
        await page.close();
      }
    },
    90_000,
  );

  it.skipIf(!browserThere)(
    "scrolls sideways only inside tables at phone width",
    async () => {
      const phone = await browser!.newContext({ viewport: { width: 400, height: 800 } });
      try {
        for (const { path } of methodologyPages()) {
          const page = await phone.newPage();
          const complaints: string[] = [];
          page.on("pageerror", (error) => complaints.push(error.message));
          page.on("requestfailed", (request) => complaints.push(request.url()));
          await page.goto(`${server.address}${path.slice(1)}.html`);
          await page.waitForLoadState("networkidle");
          expect(
            await page.evaluate("document.documentElement.scrollWidth"),
            path,
          ).toBeLessThanOrEqual(400);
          expect(complaints, path).toEqual([]);
          await page.close();
        }
      } finally {
        await phone.close();
      }
    },
    120_000,
  );
});

describe("the server", () => {
  it("serves the site on 127.0.0.1 and nothing beside it", async () => {
    expect(server.address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    await writeFile(join(folder, "beside.txt"), "not yours");
    expect((await fetch(server.address)).status).toBe(200);
    expect((await fetch(`${server.address}run`)).status).toBe(200);
    expect((await fetch(`${server.address}..%2fbeside.txt`)).status).toBe(404);
    expect((await fetch(`${server.address}%`)).status).toBe(400);
    await expect(serveSite(site, Number(new URL(server.address).port))).rejects.toMatchObject({
      code: "port",
    });
  });
});

describe.skipIf(!browserThere)("every page in Chromium", () => {
  it.concurrent.each(pages)(
    "%s: no error, no request off the origin, marks in every chart",
    async (name) => {
      const { page, complaints } = await open(`${server.address}${name}.html`);
      expect(complaints).toEqual([]);
      expect(await page.locator(".observablehq--error, .problem").count()).toBe(0);
      const charts = await page.locator("figure.chart").count();
      const least: Record<string, number> = {
        "binary-or-real": 4,
        detection: 4,
        "index-choice": 4,
        latency: 5,
        networks: 2,
        queries: 1,
        recognition: 6,
        run: 3,
      };
      expect(charts).toBeGreaterThanOrEqual(least[name] ?? 0);
      for (let i = 0; i < charts; i++) {
        const [title, marks, description, axisTitles] = (await page.evaluate(
          `((figure) => [figure.querySelector("h3").textContent, ` +
            `figure.querySelectorAll("g.role-mark > :not(g), g.role-mark g > path[d]").length, ` +
            `figure.querySelector("[role=graphics-document]").getAttribute("aria-label"), ` +
            `[...figure.querySelectorAll(".role-axis-title text")].map((t) => ` +
            `t.textContent)])(document.querySelectorAll("figure.chart")[${i}])`,
        )) as [string, number, string, string[]];
        expect(marks, `marks in ${title}`).toBeGreaterThan(0);
        expect(description, `text alternative of ${title}`).toContain(title);
        for (const axis of axisTitles)
          expect(axis, `unit on an axis of ${title}`).toMatch(/\(.+\)/);
      }
      // The one sentence of a page, made of the records; every page has one where its records say
      // anything.
      if (name !== "queries")
        expect(await page.locator(".message").first().innerText()).toMatch(/\d/);
      await page.close();
    },
    60_000,
  );

  it.concurrent.each(pages)(
    "%s: every download parses, with one field a column in every row",
    async (name) => {
      const { page, complaints } = await open(`${server.address}${name}.html`);
      await page.evaluate(
        'for (const d of document.querySelectorAll("details:not([open])")) d.open = true',
      );
      await settled(page);
      const links = (await page.evaluate(
        '[...document.querySelectorAll(".downloads a")].map((a) => { a.focus(); return ' +
          '[a.download, decodeURIComponent(a.href.slice(a.href.indexOf(",") + 1))]; })',
      )) as [string, string][];
      if (name !== "index") expect(links.length).toBeGreaterThanOrEqual(3);
      for (const [file, content] of links) {
        const widths = file.endsWith(".csv")
          ? csvParseRows(content).map((row) => row.length)
          : file.endsWith(".md")
            ? content
                .trimEnd()
                .split("\n")
                .slice(2)
                .map((line) => line.replaceAll(/\\./g, "").split("|").length)
            : content
                .split("\\toprule\n")[1]!
                .split("\\bottomrule")[0]!
                .replace("\\midrule\n", "")
                .trim()
                .split("\n")
                .map((line) => line.replaceAll(/\\./g, "").split("&").length);
        expect(widths.length, file).toBeGreaterThan(1);
        expect(new Set(widths).size, `${file}: ${widths.join(" ")}`).toBe(1);
      }
      expect(complaints).toEqual([]);
      await page.close();
    },
    60_000,
  );

  it.concurrent.each(pages)(
    "%s: names only commands that there are, over configs that there are",
    async (name) => {
      const commands = new Set<string>();
      for (const prepare of [
        undefined,
        async (p: Page) => {
          await p.route("**/records.*.json", (route) =>
            route.fulfill({ json: { records: [], broken: [] } }),
          );
        },
      ]) {
        const { page } = await open(
          `${server.address}${name}.html`,
          prepare === undefined ? {} : { prepare },
        );
        for (const code of await page.locator("code").allTextContents())
          if (code.startsWith("npx ")) commands.add(code);
        await page.close();
      }
      if (name !== "paper") expect(commands.size).toBeGreaterThan(0);
      for (const command of commands) {
        const [, tool, verb, ...words] = command.split(" ");
        expect(tool).toBe("shitu");
        expect(existsSync(join(projectRoot, "src", "cli", "verbs", `${verb}.ts`)), command).toBe(
          true,
        );
        for (const word of words.filter((w) => w.includes("/"))) {
          expect(word, command).toMatch(/^configs\/.*\.yaml$/);
          if (verb === "run")
            await expect(loadConfig(join(projectRoot, word)), command).resolves.toBeDefined();
        }
        if (verb === "run")
          expect(
            words.some((w) => w.startsWith("configs/")),
            command,
          ).toBe(true);
      }
    },
    60_000,
  );

  it.concurrent.each(pages)(
    "%s: everything that can be used is reached by the keyboard and has a name",
    async (name) => {
      const { page } = await open(`${server.address}${name}.html`);
      // What has a handler is a control of the browser's own; what scrolls can be focused; no order
      // of its own.
      const nameless = (await page.evaluate(
        `[...document.querySelectorAll("#observablehq-main :is(button, select, input, ` +
          "a[href], summary, .table-scroll, [role=graphics-document], " +
          `svg.boxes:not([aria-hidden]))")].filter((e) => !e.hidden && ` +
          `e.getClientRects().length > 0 && !(e.getAttribute("aria-label") ?? "").trim() && ` +
          `!(e.closest("label") ?? e).textContent.trim() && ` +
          `!e.closest(".observablehq-header-anchor")).map((e) => e.outerHTML.slice(0, 120))`,
      )) as string[];
      expect(nameless).toEqual([]);
      expect(
        await page
          .locator("#observablehq-main [tabindex]:not([tabindex='0']):not([tabindex='-1'])")
          .count(),
      ).toBe(0);
      const scrollers = (await page.evaluate(
        '[...document.querySelectorAll("#observablehq-main .table-scroll")].every((e) => ' +
          "e.tabIndex === 0)",
      )) as boolean;
      expect(scrollers).toBe(true);
      const sorter = page.locator("#observablehq-main thead th button:visible").first();
      if ((await sorter.count()) > 0) {
        const head = page.locator("#observablehq-main thead th:has(button:visible)").first();
        await sorter.focus();
        await page.keyboard.press("Enter");
        expect(await head.getAttribute("aria-sort")).toMatch(/ascending|descending/);
      }
      await page.close();
    },
    60_000,
  );

  it("networks: cells that wait for models are one line", async () => {
    const { page } = await open(`${server.address}networks.html`);
    expect(await page.locator(".trouble").innerText()).toMatch(
      /3 of 7 cells wait for 2 models that are not here: cls-a, cls-b\./,
    );
    expect(await page.locator(".trouble > ul > li").count()).toBe(1);
    await page.close();
  }, 60_000);

  it(
    "latency: noise certificates, verdicts, the Server " + "scenario and why a number is missing",
    async () => {
      const { page, complaints } = await open(`${server.address}latency.html`);
      const cards = await page.locator(".certificate").allInnerTexts();
      expect(cards).toHaveLength(3);
      expect(cards[0]).toMatch(/Noise certificate of server\s+passed/);
      expect(cards[1]).toMatch(/Noise certificate of light\s+failed/);
      expect(cards[2]).toMatch(/light against server\s+faster/);
      const main = await text(page);
      expect(main).toContain("early stopping needs 662 at least");
      expect(main).toContain("the samples drift by 9.5%");
      expect(
        await page
          .locator("figure.chart", { hasText: "Server scenario" })
          .locator("g.mark-symbol path")
          .count(),
      ).toBeGreaterThanOrEqual(8);
      await page.locator('label.field:has(span:text-is("Stage")) select').selectOption("1");
      await page.waitForFunction(
        '[...document.querySelectorAll("figure.chart h3")].some((h) => h.textContent === ' +
          '"Distribution of decode")',
      );
      expect(complaints).toEqual([]);
      await page.close();
    },
    60_000,
  );

  it(
    "recognition: the paper's questions, each from " + "the newest record that answers it",
    async () => {
      const { page } = await open(`${server.address}recognition.html`);
      const titles = await page.locator("figure.chart h3").allTextContents();
      for (const title of [
        "The specialist of a set against the one general model",
        "Distillation: mutual learning against plain training",
        "int8 against floats",
      ])
        expect(titles).toContain(title);
      expect(await text(page)).toMatch(
        /On its own set the specialist is better in \d of 5, the general model in \d\./,
      );
      await page.close();
    },
    60_000,
  );

  it.concurrent.each(pages)(
    "%s: a hostile label shows as text",
    async (name) => {
      const [before, after] = ["2026-01-14-hostile-0a1b2c3d", "2026-01-15-hostile-0a1b2c3d"];
      const { page, complaints } = await open(
        `${server.address}${name}.html?run=${after}&before=${before}&after=${after}`,
      );
      // Tables and every picture of the queries, too.
      await page.evaluate(
        'for (const d of document.querySelectorAll("details:not([open])")) d.open = true',
      );
      await settled(page);
      // In what the page shows, not only among the choices of a list.
      const shown = (await page.evaluate(
        '(() => { const main = document.querySelector("#observablehq-main").cloneNode(true); ' +
          'for (const e of main.querySelectorAll("select, script")) e.remove(); return ' +
          "main.textContent; })()",
      )) as string;
      if (name !== "paper") expect(shown).toContain(hostile);
      if (name === "compare") {
        expect(await page.locator("tbody th").first().innerText()).toContain(hostile);
        expect(await page.locator(".query").count()).toBeGreaterThan(0);
      }
      expect(await page.locator("img[src='x'], img[onerror]").count()).toBe(0);
      if (name === "recognition") {
        const cell = (await page
          .locator("figure.chart .mark-rect.role-mark path")
          .first()
          .boundingBox())!;
        await page.mouse.move(cell.x + cell.width / 2, cell.y + 3);
        await page.locator("#vg-tooltip-element.visible").waitFor();
        expect(await page.locator("#vg-tooltip-element").textContent()).toContain(hostile);
        expect(await page.locator("#vg-tooltip-element img").count()).toBe(0);
      }
      expect(complaints).toEqual([]);
      expect(await page.locator(".observablehq--error, .problem:not(.pick .problem)").count()).toBe(
        0,
      );
      await page.close();
    },
    60_000,
  );

  it("index-choice: the sliders change the pick", async () => {
    const { page } = await open(`${server.address}index-choice.html`);
    const pick = (): Promise<string> => page.locator(".pick .name").innerText();
    expect(await pick()).toBe("BIVF nprobe 8");
    const slide = async (n: number, value: string): Promise<void> => {
      const slider = page.locator("#limits input[type=range]").nth(n);
      await slider.focus(); // reachable and set as by the keyboard
      await page.evaluate(
        `((input) => { input.value = ${JSON.stringify(value)}; input.dispatchEvent(new ` +
          `Event("input", { bubbles: true })); })(document.activeElement)`,
      );
    };
    const waitFor = (wanted: string): Promise<unknown> =>
      page.waitForFunction(
        `document.querySelector(".pick .name")?.innerText === ${JSON.stringify(wanted)}`,
        undefined,
        { timeout: 5000 },
      );
    await slide(0, "97");
    await waitFor("IVF nprobe 16");
    await slide(0, "98");
    await waitFor("HNSW32 efSearch 256");
    await page.locator("#limits input[type=checkbox]").press("Space");
    await waitFor("Flat");
    await slide(1, "0");
    await waitFor("No index fits");
    await slide(0, "0");
    await waitFor("BIVF nprobe 1");
    await slide(2, "0");
    await waitFor("No index fits");
    await page.close();
  }, 60_000);

  it("paper: the tables filter, and each download parses with one field a column", async () => {
    const { page, complaints } = await open(`${server.address}paper.html`);
    expect(await page.locator(".paper-table").count()).toBe(7);
    const select = page.locator("select").first();
    await select.selectOption({ index: 3 + 4 }); // Table 7
    await page.waitForFunction('document.querySelectorAll(".paper-table").length === 1');
    expect(await page.locator(".paper-table h2").innerText()).toContain("Table 7.");
    const cells = await page.locator("td.pair").allTextContents();
    expect(cells.some((cell) => cell.includes("285") && cell.includes("agrees"))).toBe(true);

    const links = page.locator(".downloads a");
    expect(await links.count()).toBe(6);
    const contents: Record<string, string> = {};
    for (let i = 0; i < 6; i++) {
      await links.nth(i).focus();
      const [name, href] = (await page.evaluate(
        "[document.activeElement.download, document.activeElement.href]",
      )) as [string, string];
      contents[name] = decodeURIComponent(href.slice(href.indexOf(",") + 1));
    }
    const csv = csvParseRows(contents["table-7.csv"]!);
    expect(csv).toHaveLength(3);
    expect(csv.every((row) => row.length === 6)).toBe(true);
    expect(csv[1]![4]).toBe("285 / 285 =");
    const long = csvParseRows(contents["table-7-long.csv"]!);
    expect(long).toHaveLength(11);
    expect(Number(long[4]![long[0]!.indexOf("ours")])).toBe(298_603_250);
    for (const line of contents["table-7.md"]!.trimEnd().split("\n").slice(2))
      expect(line.split("|")).toHaveLength(8);
    const tex = contents["table-7.tex"]!.split("\\midrule\n")[1]!
      .split("\\bottomrule")[0]!
      .trim()
      .split("\n");
    expect(tex).toHaveLength(2);
    for (const line of tex) expect(line.split("&")).toHaveLength(6);
    expect(complaints).toEqual([]);
    await page.close();
  }, 60_000);

  it("queries: filters by outcome, stage and words", async () => {
    const { page } = await open(`${server.address}queries.html`);
    const count = async (): Promise<string> => page.locator("p[aria-live]").innerText();
    const misses = Number(/^\d+/.exec(await count())![0]);
    expect(await page.locator(".query.wrong").count()).toBe(Math.min(12, misses));
    expect(await page.locator(".query.right").count()).toBe(0);
    expect(await page.locator(".query img").count()).toBeGreaterThan(8);
    await page.locator("button.plain:visible").first().click();
    expect(await page.locator(".query").count()).toBe(Math.min(24, misses));
    await page
      .locator('label.field:has(span:text-is("Lost at")) select')
      .selectOption({ index: 1 });
    await page.waitForFunction(
      `Number(/^\\d+/.exec(document.querySelector("p[aria-live]").innerText)?.[0]) < ${misses}`,
    );
    await page.getByLabel("Query or label").fill("no such query");
    await page.waitForFunction(
      'document.querySelector("p[aria-live]").innerText === "No query fits."',
    );
    await page.close();
  }, 60_000);

  it("compare: two runs of one experiment, with flipped queries and their pictures", async () => {
    const { page } = await open(`${server.address}compare.html`);
    const table = await page.locator("table").first().innerText();
    expect(table).toContain("recall@1");
    expect(table).toMatch(/\d+ won, \d+ lost of 1,065/);
    expect(await page.locator(".query").count()).toBeGreaterThan(4);
    await page.close();
  }, 60_000);

  it("shows broken and empty records as named cards", async () => {
    const { page } = await open(`${server.address}index.html`);
    const cards = await page.locator(".broken").allTextContents();
    expect(cards).toHaveLength(3);
    expect(
      cards.some(
        (card) => card.includes("2026-01-09-broken-11112222") && card.includes("not JSON"),
      ),
    ).toBe(true);
    expect(
      cards.some((card) => card.includes(hostile.replaceAll("/", "")) && card.includes("schema")),
    ).toBe(true);
    expect(
      cards.some((card) => card.includes("2026-01-10-nothing") && card.includes("empty")),
    ).toBe(true);
    await page.goto(`${server.address}run.html?run=2026-01-10-nothing-0a1b2c3d`);
    await settled(page);
    expect(await text(page)).toContain("This record is empty");
    await page.close();
  }, 60_000);

  it.concurrent.each(pages)(
    "%s: without records it says which command makes one",
    async (name) => {
      const { page, complaints } = await open(`${server.address}${name}.html`, {
        prepare: async (p) => {
          await p.route("**/records.*.json", (route) =>
            route.fulfill({ json: { records: [], broken: [] } }),
          );
        },
      });
      expect(complaints).toEqual([]);
      expect(await page.locator(".observablehq--error").count()).toBe(0);
      if (name !== "paper") expect(await text(page)).toContain("npx shitu run");
      await page.close();
    },
    60_000,
  );

  it("scrolls sideways only inside tables at phone width, in the dark", async () => {
    const phone = await browser!.newContext({
      viewport: { width: 400, height: 800 },
      colorScheme: "dark",
    });
    try {
      await Promise.all(
        pages.map(async (name) => {
          const { page, complaints } = await open(`${server.address}${name}.html`, {
            within: phone,
          });
          expect(
            await page.evaluate("document.documentElement.scrollWidth"),
            name,
          ).toBeLessThanOrEqual(400);
          expect(
            await page.evaluate("getComputedStyle(document.documentElement).backgroundColor"),
          ).toBe("rgb(21, 24, 29)");
          expect(complaints).toEqual([]);
          await page.close();
        }),
      );
    } finally {
      await phone.close();
    }
  }, 90_000);

  it.concurrent.each(pages)(
    "%s: one file that opens from disk shows what the site shows",
    async (name) => {
      const file = join(folder, `${name}.html`);
      await writeFile(file, await singleFile(site, name, pages));
      const { page, complaints } = await open(pathToFileURL(file).href);
      expect(complaints).toEqual([]);
      const { page: served } = await open(`${server.address}${name}.html`);
      for (const what of [
        "figure.chart",
        "figure.chart g.role-mark path",
        "tbody tr",
        ".query",
        ".boxed img",
      ])
        expect(await page.locator(what).count(), what).toBe(await served.locator(what).count());
      if (name === "index-choice")
        expect(await page.locator("#pick").innerText()).toBe("BIVF nprobe 8");
      await page.close();
      await served.close();
    },
    60_000,
  );

  it("knows no page but its own", async () => {
    await expect(singleFile(site, "../../etc/passwd", pages)).rejects.toMatchObject({
      code: "no-such-page",
    });
  });
});
