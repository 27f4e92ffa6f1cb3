import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serveSite } from "../../src/cli/report/server.js";
import { singleFile } from "../../src/cli/report/single-file.js";
import { definitionTargets } from "../../reports/analysis/definitions.js";
import { methodologyPages } from "../../reports/build/methodology.js";
import { BuiltSite, browserThere, mainText, pages, settled, withoutRecords } from "./built-site.js";
import { hostile } from "./make-records.js";
import {
  axeFindings,
  commandsOf,
  csvParseRows,
  expectAccessible,
  expectCharts,
  expectCommands,
  expectDownloads,
  expectKeyboard,
  shownOn,
} from "./page-checks.js";

let built: BuiltSite;
beforeAll(async () => {
  built = await BuiltSite.make();
}, 240_000);
afterAll(() => built?.close());

describe("the built site", () => {
  it("has every page and the files of none but itself", async () => {
    expect(pages).toEqual([
      "binary-or-real",
      "compare",
      "detection",
      "gate",
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
      const html = await readFile(join(built.site, `${name}.html`), "utf8");
      expect(html.match(/(?:src|href)="(?:https?:)?\/\/[^"]*"/g)).toBeNull();
      expect(html).not.toContain(hostile);
    }
  });
});

const file = (path: string): string => join(built.site, `${path}.html`);
const ids = async (path: string): Promise<string[]> =>
  [...(await readFile(file(path), "utf8")).matchAll(/ id="([^"]+)"/g)].map(([, id]) => id!);

describe("the methodology on the site", () => {
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
    "scrolls sideways only inside tables at phone width, and leaves axe nothing to find",
    async () => {
      const phone = await built.phone("light");
      try {
        // These pages hold no cells: loaded is drawn.
        const page = await phone.newPage();
        const complaints: string[] = [];
        page.on("pageerror", (error) => complaints.push(error.message));
        page.on("requestfailed", (request) => complaints.push(request.url()));
        for (const { path } of methodologyPages()) {
          await page.goto(`${built.server.address}${path.slice(1)}.html`);
          const width = await page.evaluate("document.documentElement.scrollWidth");
          expect(width, path).toBeLessThanOrEqual(400);
          expect(await axeFindings(page), path).toEqual([]);
          expect(complaints, path).toEqual([]);
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
    expect(built.server.address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    await writeFile(join(built.folder, "beside.txt"), "not yours");
    expect((await fetch(built.server.address)).status).toBe(200);
    expect((await fetch(`${built.server.address}run`)).status).toBe(200);
    expect((await fetch(`${built.server.address}..%2fbeside.txt`)).status).toBe(404);
    expect((await fetch(`${built.server.address}%`)).status).toBe(400);
    await expect(
      serveSite(built.site, Number(new URL(built.server.address).port)),
    ).rejects.toMatchObject({
      code: "port",
    });
  });
});

describe.skipIf(!browserThere)("every page in Chromium", () => {
  // A page is opened once for all that only looks at it: opening is what costs.
  it.concurrent.each(pages)(
    "%s: no error, charts with marks, commands, keyboard, nothing for axe, downloads, one file",
    async (name) => {
      const { page, complaints } = await built.open(built.address(name));
      await expectCharts(page, name);
      const commands = await commandsOf(page);
      await expectCommands(commands);
      if (withDefinitions.has(name)) await expectDefinitions(page);
      await expectSameInOneFile(name, await shownOn(page));
      await expectKeyboard(page);
      await expectAccessible(page);
      await expectDownloads(page, name);
      expect(complaints).toEqual([]);
      await page.close();
    },
    60_000,
  );

  const withDefinitions = new Set(["detection", "recognition", "index-choice", "paper"]);

  /** Heads of tables lead to definitions that there are. */
  async function expectDefinitions(page: Page): Promise<void> {
    const links = (await page.evaluate(
      '[...document.querySelectorAll("thead a.definition")].map((a) => a.getAttribute("href"))',
    )) as string[];
    expect(links.length).toBeGreaterThan(0);
    for (const link of new Set(links)) {
      const [, path, anchor] = /^\.\/(methodology\/[a-z-]+)\.html(?:#(.+))?$/.exec(link)!;
      if (anchor !== undefined) expect(await ids(path!), link).toContain(anchor);
    }
  }

  async function expectSameInOneFile(name: string, shown: Record<string, number>): Promise<void> {
    const file = join(built.folder, `${name}.html`);
    await writeFile(file, await singleFile(built.site, name, pages));
    const { page, complaints } = await built.open(pathToFileURL(file).href);
    expect(await shownOn(page)).toEqual(shown);
    expect(await page.locator('a[href*=".html"]').count(), "links that lead nowhere").toBe(0);
    if (name === "index-choice")
      expect(await page.locator("#pick").innerText()).toBe("BIVF nprobe 8");
    expect(complaints).toEqual([]);
    await page.close();
  }

  it("networks: cells that wait for models are one line", async () => {
    const { page } = await built.open(built.address("networks"));
    expect(await page.locator(".trouble").innerText()).toMatch(
      /3 of 7 cells wait for 2 models that are not here: cls-a, cls-b\./,
    );
    expect(await page.locator(".trouble > ul > li").count()).toBe(1);
    await page.close();
  }, 60_000);

  it(
    "latency: noise certificates, verdicts, the Server " + "scenario and why a number is missing",
    async () => {
      const { page, complaints } = await built.open(built.address("latency"));
      const cards = await page.locator(".certificate").allInnerTexts();
      expect(cards).toHaveLength(3);
      expect(cards[0]).toMatch(/Noise certificate of server\s+passed/);
      expect(cards[1]).toMatch(/Noise certificate of light\s+failed/);
      expect(cards[2]).toMatch(/light against server\s+faster/);
      const main = await mainText(page);
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
      const { page } = await built.open(built.address("recognition"));
      const titles = await page.locator("figure.chart h3").allTextContents();
      for (const title of [
        "The specialist of a set against the one general model",
        "Distillation: mutual learning against plain training",
        "int8 against floats",
      ])
        expect(titles).toContain(title);
      expect(await mainText(page)).toMatch(
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
      const { page, complaints } = await built.open(
        `${built.server.address}${name}.html?run=${after}&before=${before}&after=${after}`,
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
    const { page } = await built.open(built.address("index-choice"));
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
    // Between two steps of the slider, with its unit: MiB.
    await page.locator("#limits input[type=number]").nth(2).fill("100.5");
    await waitFor("BIVF nprobe 1");
    await page.close();
  }, 60_000);

  it("paper: the tables filter, and each download parses with one field a column", async () => {
    const { page, complaints } = await built.open(built.address("paper"));
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

  it("queries: the address holds what was chosen, and each query has one of its own", async () => {
    const { page } = await built.open(built.address("queries"));
    await page.locator('label.field:has(span:text-is("Outcome")) select').selectOption("0");
    await page.waitForFunction('location.search.includes("outcome=")');
    await page.getByLabel("Query or label").fill("1");
    await page.waitForFunction('location.search.includes("query=1")');
    const { page: again } = await built.open(page.url());
    const count = "p[aria-live]";
    expect(await again.locator(count).innerText()).toBe(await page.locator(count).innerText());
    const link = again.locator(".query a.name").first();
    const item = await link.innerText();
    const address = new URL((await link.getAttribute("href"))!, built.server.address).href;
    const { page: alone } = await built.open(address);
    expect(await alone.locator(".query a.name").first().innerText()).toBe(item);
    for (const opened of [page, again, alone]) await opened.close();
  }, 60_000);

  it("the first stop of the keyboard leads past the menu", async () => {
    const { page } = await built.open(built.address("recognition"));
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Skip to the page");
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.activeElement.id")).toBe("observablehq-main");
    await page.close();
  }, 60_000);

  it("queries: filters by outcome, stage and words", async () => {
    const { page } = await built.open(built.address("queries"));
    const count = async (): Promise<string> => page.locator("p[aria-live]").innerText();
    const misses = Number(/^\d+/.exec(await count())![0]);
    expect(await page.locator(".query.wrong").count()).toBe(Math.min(12, misses));
    expect(await page.locator(".query.right").count()).toBe(0);
    // Pictures come as they are scrolled to.
    const pictures = await page.locator(".query img").count();
    expect(pictures).toBeGreaterThan(0);
    await page.locator(".query").nth(11).scrollIntoViewIfNeeded();
    await page.waitForFunction(`document.querySelectorAll(".query img").length > ${pictures}`);
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
    const { page } = await built.open(built.address("compare"));
    const table = await page.locator("table").first().innerText();
    expect(table).toContain("recall@1");
    expect(table).toMatch(/\d+ won, \d+ lost of 1,065/);
    expect(await page.locator(".query").count()).toBeGreaterThan(4);
    await page.close();
  }, 60_000);

  it("shows broken and empty records as named cards", async () => {
    const { page } = await built.open(built.address("index"));
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
    await page.goto(`${built.server.address}run.html?run=2026-01-10-nothing-0a1b2c3d`);
    await settled(page);
    expect(await mainText(page)).toContain("This record is empty");
    await page.close();
  }, 60_000);

  it.concurrent.each(pages)(
    "%s: without records it says which command makes one",
    async (name) => {
      const { page, complaints } = await built.open(built.address(name), {
        prepare: withoutRecords,
      });
      expect(complaints).toEqual([]);
      expect(await page.locator(".observablehq--error").count()).toBe(0);
      const commands = await commandsOf(page);
      await expectCommands(commands);
      if (name !== "paper") expect(commands.length).toBeGreaterThan(0);
      const verb = name === "gate" ? "gate" : "run";
      if (name !== "paper") expect(await mainText(page)).toContain(`npx shitu ${verb}`);
      await page.close();
    },
    60_000,
  );

  it("scrolls sideways only inside tables at phone width, in the dark", async () => {
    const phone = await built.phone("dark");
    try {
      await Promise.all(
        pages.map(async (name) => {
          const { page, complaints } = await built.open(built.address(name), {
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

  it("knows no page but its own", async () => {
    await expect(singleFile(built.site, "../../etc/passwd", pages)).rejects.toMatchObject({
      code: "no-such-page",
    });
  });
});
