import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { loadConfig } from "../../src/eval/config/config.js";
import { projectRoot } from "../../src/pipeline/root.js";
import { settled } from "./built-site.js";

const { csvParseRows } = (await import("d3-dsv" as string)) as {
  csvParseRows: (text: string) => string[][];
};
export { csvParseRows };

const leastCharts: Record<string, number> = {
  "binary-or-real": 4,
  detection: 4,
  gate: 1,
  "index-choice": 4,
  latency: 5,
  networks: 2,
  queries: 1,
  recognition: 6,
  run: 3,
};

/** Marks in every chart, a text beside it, a unit on each axis, and a sentence at the top. */
export async function expectCharts(page: Page, name: string): Promise<void> {
  expect(await page.locator(".observablehq--error, .problem").count()).toBe(0);
  const charts = await page.locator("figure.chart").count();
  expect(charts).toBeGreaterThanOrEqual(leastCharts[name] ?? 0);
  for (let i = 0; i < charts; i++) {
    const [title, marks, description, axisTitles] = (await page.evaluate(
      `((figure) => [figure.querySelector("h3").textContent, ` +
        `figure.querySelectorAll("g.role-mark > :not(g), g.role-mark g > path[d]").length, ` +
        `figure.querySelector("svg[role=img]").getAttribute("aria-label"), ` +
        `[...figure.querySelectorAll(".role-axis-title text")].map((t) => ` +
        `t.textContent)])(document.querySelectorAll("figure.chart")[${i}])`,
    )) as [string, number, string, string[]];
    expect(marks, `marks in ${title}`).toBeGreaterThan(0);
    expect(description, `text alternative of ${title}`).toContain(title);
    for (const axis of axisTitles) expect(axis, `unit on an axis of ${title}`).toMatch(/\(.+\)/);
  }
  // The one sentence of a page, made of the records; every page has one where its records say
  // anything.
  if (name !== "queries") expect(await page.locator(".message").first().innerText()).toMatch(/\d/);
}

/** Every download parses, with one field a column in every row. Opens what is folded. */
export async function expectDownloads(page: Page, name: string): Promise<void> {
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
}

export const commandsOf = async (page: Page): Promise<string[]> =>
  (await page.locator("code").allTextContents()).filter((code) => code.startsWith("npx "));

/** Each names a verb that there is, over configs that there are. */
export async function expectCommands(commands: Iterable<string>): Promise<void> {
  for (const command of commands) {
    const [, tool, verb, ...words] = command.split(" ");
    expect(tool).toBe("shitu");
    expect(existsSync(join(projectRoot, "src", "cli", "verbs", `${verb}.ts`)), command).toBe(true);
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
}

/**
 * Everything that can be used is reached by the keyboard and has a name: what has a handler is a
 * control of the browser's own, what scrolls can be focused, and no order is set. Sorts a table.
 */
export async function expectKeyboard(page: Page): Promise<void> {
  const nameless = (await page.evaluate(
    `[...document.querySelectorAll("#observablehq-main :is(button, select, input, ` +
      "a[href], summary, .table-scroll, svg[role=img], " +
      `svg.boxes:not([aria-hidden]))")].filter((e) => !e.hidden && ` +
      `e.getClientRects().length > 0 && !(e.getAttribute("aria-label") ?? "").trim() && ` +
      `!(e.labels?.[0] ?? e).textContent.trim() && ` +
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
}

const axeSource = await readFile(
  createRequire(import.meta.url).resolve("axe-core/axe.min.js"),
  "utf8",
);

/** What axe finds against WCAG 2.2 AA and good practice, a line a rule with its first element. */
export async function axeFindings(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  return (await page.evaluate(
    // Framework's switch of the menu lies beside the menu, for its styles' sake.
    'axe.run(document, { resultTypes: ["violations"], rules: { region: { enabled: false } } })' +
      ".then(({ violations }) => violations.map(({ id, nodes }) => `${id}: ${nodes.length} x ` + " +
      '`${nodes[0].html.slice(0, 160)} ${nodes[0].failureSummary}`.replaceAll("\\n", " ")))',
  )) as string[];
}

/** Nothing for axe, light and wide, dark and narrow; no number is read out to its last digit. */
export async function expectAccessible(page: Page): Promise<void> {
  for (const [colorScheme, width] of [
    ["light", 1280],
    ["dark", 400],
  ] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.setViewportSize({ width, height: 900 });
    await settled(page);
    expect(await axeFindings(page), `${colorScheme}, ${width} pixels`).toEqual([]);
  }
  const labels = (await page.evaluate(
    '[...document.querySelectorAll("#observablehq-main [aria-label]")].map((e) => ' +
      'e.getAttribute("aria-label"))',
  )) as string[];
  expect(labels.filter((label) => /\d\.\d{5}/.test(label))).toEqual([]);
}

const counted = [
  "figure.chart",
  "figure.chart g.role-mark path",
  "tbody tr",
  ".query",
  ".boxed img",
];

/** How much of each kind a page shows. */
export async function shownOn(page: Page): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const what of counted) found[what] = await page.locator(what).count();
  return found;
}
