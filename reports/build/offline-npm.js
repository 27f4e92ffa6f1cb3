// Observable Framework takes browser libraries from a CDN and has no option against it. Its
// configuration is evaluated before anything else, so this module, called from there, answers those
// requests from node_modules and refuses the rest.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, version as esbuildVersion } from "esbuild";

const project = fileURLToPath(new URL("../../", import.meta.url));
const require = createRequire(import.meta.url);
const readJson = (path) => JSON.parse(readFileSync(path, "utf8"));
const own = readJson(join(project, "package.json"));
const { dependencies, devDependencies } = own;
const direct = Object.keys({ ...dependencies, ...devDependencies });
const bundles = join(project, ".cache", "report-modules");

/** Replaces `fetch` for the rest of this process; nothing reaches the network from here on. */
export function serveFromNodeModules() {
  process.env.OBSERVABLE_TELEMETRY_DISABLE = "true";
  globalThis.fetch = async (input) => {
    const url = new URL(input.url ?? input);
    const path = decodeURIComponent(url.pathname);
    // The two questions differ in the shape of their path: /npm/NAME@VERSION/FILE asks for content,
    // /NAME[/TAG] for a version.
    if (path.startsWith("/npm/")) return content(path.slice("/npm/".length));
    if (/^\/(@[^/]+\/)?[^/]+(\/[^/]+)?$/.test(path) && !url.search)
      return versionAnswer(path.slice(1));
    throw new Error(`the site is built without a network: refused to fetch ${url}`);
  };
}

// Framework also asks for libraries that no page uses, only to name their paths: those get a
// version that is never loaded.
function versionAnswer(specifier) {
  const version = installed(parse(specifier).name)?.version ?? "0.0.0";
  return Response.json({ version, versions: { [version]: {} } });
}

async function content(specifier) {
  const { name, version, path } = parse(specifier);
  const found = installed(name);
  if (!found) throw new Error(`the site is built without a network: npm:${name} is not installed`);
  if (found.version !== version)
    throw new Error(`npm:${name}@${version} is wanted, ${found.version} is installed`);
  if (path === "package.json") {
    // Read only to choose versions for the imports that a bundle leaves in: all of them are ours
    // and exact.
    return Response.json({
      name,
      version,
      dependencies: Object.fromEntries(direct.map((d) => [d, installed(d)?.version])),
    });
  }
  // imports are rewritten only under this type
  const javascript = { headers: { "content-type": "application/javascript" } };
  if (path === "+esm") return new Response(await bundleOf(name, found, name), javascript);
  if (name === own.name && !ownModules.includes(path.replace(/\/\+esm$/, "")))
    throw new Error(
      `a page may not import ${path} of the project: its modules for pages are ` +
        `${ownModules.join(", ")}`,
    );
  if (path.endsWith("/+esm"))
    return new Response(
      await bundleOf(name, found, join(found.folder, path.slice(0, -"/+esm".length))),
      javascript,
    );
  return new Response(
    readFileSync(join(found.folder, path)),
    /\.m?js$/.test(path) ? javascript : undefined,
  );
}

/**
 * One module for each direct dependency of the project; whatever else it imports is inlined. Kept
 * between builds.
 */
async function bundleOf(self, { version }, entry) {
  const key = createHash("sha256")
    .update(
      JSON.stringify([
        self,
        version,
        entry,
        self === own.name ? readFileSync(`${entry}.ts`, "utf8") : "",
        esbuildVersion,
        direct.map((d) => [d, installed(d)?.version]),
      ]),
    )
    .digest("hex");
  const kept = join(bundles, `${self.replace("/", "+")}-${key.slice(0, 16)}.js`);
  if (existsSync(kept)) return readFileSync(kept, "utf8");
  const others = {
    name: "other-direct-dependencies",
    setup(context) {
      context.onResolve({ filter: /^[@\w]/ }, ({ path, kind }) =>
        kind !== "entry-point" && path !== self && direct.includes(path)
          ? { path: `/npm/${path}@${installed(path).version}/+esm`, external: true }
          : undefined,
      );
    },
  };
  const { outputFiles } = await build({
    entryPoints: [entry],
    absWorkingDir: project,
    bundle: true,
    write: false,
    minify: true,
    legalComments: "eof",
    format: "esm",
    platform: "browser",
    target: "es2022",
    logLevel: "warning",
    tsconfigRaw: "{}", // vega-util ships a tsconfig that extends a file outside its package
    define: { "process.env.NODE_ENV": '"production"' },
    plugins: [others],
  });
  const code = outputFiles[0].text;
  mkdirSync(bundles, { recursive: true });
  writeFileSync(`${kept}.${process.pid}`, code);
  renameSync(`${kept}.${process.pid}`, kept);
  return code;
}

/**
 * The project is one of its own packages, so that a page may import `npm:shitu-bench/MODULE`:
 * these, which need no more than a browser has.
 */
const ownModules = [
  "src/eval/compare/unpaired-kinds",
  "src/eval/gate/limit-rows",
  "src/eval/paper/paper-matrix",
  "src/eval/record/interval-text",
  "src/eval/record/table-formats",
  "src/eval/stats/mcnemar",
];

function installed(name) {
  if (name === own.name) return { folder: project, version: own.version };
  for (const base of require.resolve.paths(name) ?? []) {
    const folder = join(base, name);
    if (existsSync(join(folder, "package.json")))
      return { folder, version: readJson(join(folder, "package.json")).version };
  }
  return undefined;
}

function parse(specifier) {
  const match = /^((?:@[^/]+\/)?[^/@]+)(?:@([^/]+))?(?:\/(.*))?$/.exec(specifier);
  if (!match) throw new Error(`the site is built without a network: refused ${specifier}`);
  const [, name, version, path = ""] = match;
  return { name, version, path };
}
