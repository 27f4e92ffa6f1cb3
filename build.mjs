// Transpiles src/, datasets/ and native/ to dist/, file by file and in the same layout. Types are checked by `npm run types`, not here.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(fileURLToPath(import.meta.url));
const stampFile = join(root, "dist", ".stamp");

function sources(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === "build" || entry.name === "node_modules" ? [] : sources(path);
    return /(?<!\.d)\.ts$/.test(entry.name) ? [path] : [];
  });
}

/** A line a source file: path, size, modification time. Equal stamps mean an up-to-date dist/. */
function stampOf(files) {
  return files.map((f) => { const s = statSync(join(root, f)); return `${f} ${s.size} ${s.mtimeMs}`; }).join("\n");
}

/** Brings dist/ up to date; returns whether it had to. Costs a few milliseconds when nothing changed. */
export async function ensureBuilt() {
  const files = ["src", "datasets", "native"].filter((d) => existsSync(join(root, d))).flatMap(sources);
  const stamp = stampOf(files);
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return false;
  const { build } = await import("esbuild");
  // Into a folder of this process's own, then renamed, so that two first calls at once cannot mix.
  const fresh = join(root, `.dist-${process.pid}`);
  await build({
    entryPoints: files.map((f) => join(root, f)), outbase: root, outdir: fresh,
    bundle: false, format: "esm", platform: "node", target: "node20", sourcemap: "linked", logLevel: "error",
  });
  mkdirSync(fresh, { recursive: true });
  writeFileSync(join(fresh, ".stamp"), stamp);
  rmSync(join(root, "dist"), { recursive: true, force: true });
  try {
    renameSync(fresh, join(root, "dist"));
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    if (!existsSync(stampFile)) throw error; // otherwise another process won the race with the same files
  }
  return true;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log((await ensureBuilt()) ? "dist/ built" : "dist/ is up to date");
}
