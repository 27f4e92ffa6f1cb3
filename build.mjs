// Transpiles src/, datasets/ and native/ to dist/, file by file and in the same layout. Types are
// checked by `npm run types`, not here.
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
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(fileURLToPath(import.meta.url));
const stampFile = join(root, "dist", ".stamp");

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

/**
 * Brings dist/ up to date; returns whether it had to. Costs a few milliseconds when nothing
 * changed.
 */
export async function ensureBuilt() {
  const files = ["src", "datasets", "models/networks", "native"]
    .filter((d) => existsSync(join(root, d)))
    .flatMap(sources);
  const stamp = stampOf(files);
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return false;
  const { build } = await import("esbuild");
  // Into a folder of this process's own, then renamed file by file, the stamp last: whoever imports
  // from dist/ meanwhile finds every module.
  const fresh = join(root, `.dist-${process.pid}`);
  try {
    await build({
      entryPoints: files.map((f) => join(root, f)),
      outbase: root,
      outdir: fresh,
      bundle: false,
      format: "esm",
      platform: "node",
      target: "node20",
      sourcemap: "linked",
      logLevel: "error",
    });
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
