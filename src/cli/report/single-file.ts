import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { build, type Plugin } from "esbuild";
import { UserError } from "../../pipeline/errors.js";

const types: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".webp": "image/webp",
  ".png": "image/png",
  ".arrow": "application/vnd.apache.arrow.file",
};

/**
 * One page of a built site as a single HTML text that opens from disk: styles, modules and data
 * inside it.
 *
 * @param site the built site; @param pages names of its pages, for the message where `page` is none
 * of them.
 */
export async function singleFile(
  site: string,
  page: string,
  pages: readonly string[],
): Promise<string> {
  const file = join(site, `${page}.html`);
  if (!pages.includes(page) || !existsSync(file))
    throw new UserError({
      code: "no-such-page",
      message: `no page ${JSON.stringify(page)}`,
      expected: pages.join(", "),
      fix: "name one of these",
    });
  const html = (await readFile(file, "utf8")).replace(
    /<link rel="(?:preload|modulepreload)"[^>]*>\n?/g,
    "",
  );
  const styled = await replaceAsync(
    html,
    /<link rel="stylesheet"[^>]*? href="(\.[^"]+)"[^>]*>/g,
    async ([, href]) => {
      const css = await readFile(join(site, href!), "utf8");
      return `<style>${css.replaceAll("</style", "<\\/style")}</style>`;
    },
  );
  // A page has one module script, which imports everything else.
  const script = /<script type="module">([\s\S]*?)<\/script>/.exec(styled);
  if (!script)
    throw new Error(`${file}: no module script, has the layout of Framework's pages changed?`);
  const data = new DataUrls();
  const { outputFiles } = await build({
    stdin: { contents: data.refer(script[1]!, site), resolveDir: site, loader: "js" },
    absWorkingDir: site,
    bundle: true,
    write: false,
    format: "esm",
    logLevel: "error",
    tsconfigRaw: "{}",
    legalComments: "none",
    plugins: [sitePlugin(data)],
    target: "es2022",
    // names are kept: arquero reads the source of the functions that it is given
    minifyWhitespace: true,
  });
  const code = outputFiles[0]!.text
    .replaceAll("</script", "<\\/script")
    .replaceAll("<!--", "<\\!--");
  const held = await data.script();
  return (
    styled
      .replace(
        script[0],
        () =>
          `<script>${withoutDeadLinks}</script>\n<script>${held}</script>\n` +
          `<script type="module">${code}</script>`,
      )
      // The other pages are not in the file: their names stay, as text.
      .replace(/<a href="\.\/[^"#?]+"/g, "<a")
  );
}

/** The same for links that the page's cells write: those to other pages lose their address. */
const withoutDeadLinks = `new MutationObserver(() => {
  for (const link of document.querySelectorAll('a[href^="./"]')) link.removeAttribute("href");
}).observe(document, { subtree: true, childList: true });`;

function sitePlugin(data: DataUrls): Plugin {
  return {
    name: "built-site",
    setup(context) {
      // Libraries that no page loads are named in Framework's client, but not there: they stay
      // unresolved and unused.
      context.onResolve({ filter: /^\./ }, ({ path, resolveDir }) =>
        existsSync(join(resolveDir, path)) ? undefined : { path, external: true },
      );
      context.onLoad({ filter: /\/_import\/.*\.js$/ }, async ({ path }) => ({
        contents: data.refer(await readFile(path, "utf8"), dirname(path)),
        loader: "js",
      }));
    },
  };
}

/**
 * The data files that modules name, each once as a data URL: pages and modules name the same ones.
 */
class DataUrls {
  readonly #files: string[] = [];

  /** Code with its file paths replaced by references to the URLs. */
  refer(code: string, base: string): string {
    return code.replace(/"path":"(\.[^"]+)"/g, (_, path: string) => {
      const file = join(base, path);
      if (!this.#files.includes(file)) this.#files.push(file);
      return `"path":globalThis.pageData[${this.#files.indexOf(file)}]`;
    });
  }

  /** What has to run before the modules do. */
  async script(): Promise<string> {
    const urls = await Promise.all(
      this.#files.map(async (file) => {
        const type = types[extname(file)] ?? "application/octet-stream";
        return `data:${type};base64,${await readFile(file, "base64")}`;
      }),
    );
    return `globalThis.pageData = ${JSON.stringify(urls)};`;
  }
}

async function replaceAsync(
  text: string,
  pattern: RegExp,
  replace: (match: RegExpMatchArray) => Promise<string>,
): Promise<string> {
  const parts: string[] = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    parts.push(text.slice(end, match.index), await replace(match));
    end = match.index + match[0].length;
  }
  return [...parts, text.slice(end)].join("");
}
