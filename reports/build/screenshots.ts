import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

/**
 * Pictures of the report's pages: `tsx reports/build/screenshots.ts [--site ADDRESS] [--out docs]
 * [--pages index,paper] [--width 1280] [--scheme light] [--full] [--runs FOLDER]`. Without an
 * address it builds and serves the site first.
 */
const project = fileURLToPath(new URL("../../", import.meta.url));
const option = (name: string, fallback: string): string => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : (process.argv[at + 1] ?? fallback);
};

const executablePath = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";
const out = join(project, option("out", "docs"));
const pages = option("pages", "index,paper").split(",");
const width = Number(option("width", "1280"));
const scheme = option("scheme", "light") === "dark" ? "dark" : "light";
const full = process.argv.includes("--full");

const served = process.argv.includes("--site")
  ? { address: option("site", ""), stop: () => undefined }
  : await serve();
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
try {
  await mkdir(out, { recursive: true });
  const context = await browser.newContext({
    viewport: { width, height: width < 600 ? 820 : 860 },
    colorScheme: scheme,
    deviceScaleFactor: full ? 1 : 1.5,
    reducedMotion: "reduce",
  });
  for (const name of pages) {
    const page = await context.newPage();
    page.on("console", (message) => {
      if (message.type() === "error") console.error(`${name}: ${message.text()}`);
    });
    page.on("pageerror", (error) => console.error(`${name}: ${error.message}`));
    await page.goto(new URL(`${name}.html`, served.address).href);
    // As a text: it runs in the page, whose types are not those of this file.
    await page.waitForLoadState("networkidle");
    await page
      .waitForFunction(
        '[...document.querySelectorAll(".plot")].every((plot) => plot.dataset.drawn === "true")',
        undefined,
        { timeout: 20_000 },
      )
      .catch(() => console.error(`${name}: not all charts were drawn in 20 s`));
    await page.waitForTimeout(400); // pictures decode
    const file = join(
      out,
      `${name}${scheme === "dark" ? "-dark" : ""}${width === 1280 ? "" : `-${width}`}.png`,
    );
    await page.screenshot({ path: file, fullPage: full });
    console.log(file);
    await page.close();
  }
} finally {
  await browser.close();
  served.stop();
}

async function serve(): Promise<{ address: string; stop: () => void }> {
  const runs = option("runs", "");
  const child = spawn(
    process.execPath,
    ["bin/shitu.mjs", "report", "--port", "0", "--json", ...(runs === "" ? [] : ["--runs", runs])],
    { cwd: project, stdio: ["ignore", "pipe", "inherit"] },
  );
  let text = "";
  for await (const chunk of child.stdout) {
    text += String(chunk);
    const address = /"address": "([^"]+)"/.exec(text)?.[1];
    if (address !== undefined)
      return {
        address,
        stop: () => {
          child.kill("SIGTERM");
        },
      };
  }
  throw new Error(`the report was not served: ${text}`);
}
