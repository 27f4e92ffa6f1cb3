// Transpiles src/, datasets/ and native/ to dist/, file by file and in the same layout. Types are
// checked by `npm run types`, not here. Packages of a hundred small modules are bundled to one file
// each: most of the time that a command takes to start is the opening of files.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(fileURLToPath(import.meta.url));
const stampFile = join(root, "dist", ".stamp");
const bundled = ["arquero", "commander", "fast-xml-parser", "yaml", "zod"];
/** Where the form for Node is CommonJS, whose exports a bundle of modules does not show. */
const entries = { yaml: join(packageFolder("yaml"), "browser", "index.js") };
/** What a bundled CommonJS package requires of Node itself. */
const requires =
  'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

/** An npm package's folder: below the checkout, or beside it where this is a package itself. */
function packageFolder(name) {
  const below = join(root, "node_modules", name);
  return existsSync(below) ? below : join(dirname(root), name);
}

function sources(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory())
      return entry.name === "build" || entry.name === "node_modules" ? [] : sources(path);
    return /(?<!\.d)\.ts$/.test(entry.name) ? [path] : [];
  });
}

/** Paths of all files below a folder, relative to it. */
function filesUnder(folder, below = "") {
  if (!existsSync(join(folder, below))) return [];
  return readdirSync(join(folder, below), { withFileTypes: true }).flatMap((entry) => {
    const path = below ? `${below}/${entry.name}` : entry.name;
    return entry.isDirectory() ? filesUnder(folder, path) : [path];
  });
}

/** A line a source file: path, size, modification time. Equal stamps mean an up-to-date dist/. */
function stampOf(files) {
  return files
    .map((f) => {
      const s = statSync(join(root, f));
      return `${f} ${s.size} ${s.mtimeMs}`;
    })
    .join("\n");
}

/** Every import stays one, that of a bundled package leads to its file in dist/. */
function importsStay() {
  const place = (importer, name) => {
    const path = relative(dirname(relative(root, importer)), `packages/${name}.js`);
    return path.replaceAll("\\", "/");
  };
  return {
    name: "imports-stay",
    setup({ onResolve }) {
      onResolve({ filter: /.*/ }, ({ path, importer, kind }) => {
        if (kind === "entry-point") return undefined;
        return { path: bundled.includes(path) ? place(importer, path) : path, external: true };
      });
    },
  };
}

/**
 * Brings dist/ up to date; returns whether it had to. Costs a few milliseconds when nothing
 * changed.
 */
export async function ensureBuilt() {
  const files = ["src", "datasets", "models/networks", "native"]
    .filter((d) => existsSync(join(root, d)))
    .flatMap(sources);
  const versions = bundled.map((name) => join(relative(root, packageFolder(name)), "package.json"));
  const stamp = stampOf([...files, ...versions, "build.mjs"]);
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return false;
  const { build } = await import("esbuild");
  // Into a folder of this process's own, then renamed file by file, the stamp last: whoever imports
  // from dist/ meanwhile finds every module.
  const fresh = join(root, `.dist-${process.pid}`);
  try {
    const settings = {
      // Packages are looked for from here, wherever the command runs.
      absWorkingDir: root,
      bundle: true,
      format: "esm",
      platform: "node",
      target: "node20",
      logLevel: "error",
    };
    await Promise.all([
      build({
        ...settings,
        entryPoints: files.map((f) => join(root, f)),
        outbase: root,
        outdir: fresh,
        sourcemap: "linked",
        plugins: [importsStay()],
      }),
      build({
        ...settings,
        entryPoints: Object.fromEntries(bundled.map((name) => [name, entries[name] ?? name])),
        outdir: join(fresh, "packages"),
        banner: { js: requires },
      }),
    ]);
    const made = new Set(filesUnder(fresh));
    for (const path of made) {
      mkdirSync(dirname(join(root, "dist", path)), { recursive: true });
      renameSync(join(fresh, path), join(root, "dist", path));
    }
    for (const path of filesUnder(join(root, "dist")))
      if (!made.has(path) && path !== ".stamp") rmSync(join(root, "dist", path), { force: true });
    writeFileSync(join(fresh, ".stamp"), stamp);
    renameSync(join(fresh, ".stamp"), stampFile);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return true;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log((await ensureBuilt()) ? "dist/ built" : "dist/ is up to date");
}
