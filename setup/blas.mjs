// Which BLAS links. Faiss needs one with LAPACK.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { platform } from "node:process";
import { cxx, cxxVersion } from "./compiler.mjs";
import { run } from "./process.mjs";

/** OpenBLAS first, because batches take 20 times as long with the reference one. */
const candidates =
  platform === "darwin"
    ? [{ name: "Accelerate", vendor: "Apple", flags: ["-framework", "Accelerate"] }]
    : [
        { name: "OpenBLAS", vendor: "OpenBLAS", flags: ["-lopenblas"] },
        { name: "OpenBLAS", vendor: "OpenBLAS", flags: ["-lopenblas", "-llapack"] },
        { name: "reference BLAS", vendor: "", flags: ["-lblas", "-llapack"] },
      ];

/**
 * The first candidate that links, as `{ name, vendor, flags }`, or null. What was found is
 * remembered in .cache/, unless it was the slow one.
 */
export async function findBlas(root) {
  const known = join(root, ".cache", "blas.json");
  let compiler;
  try {
    compiler = await cxxVersion();
  } catch {
    return null; // no compiler yet
  }
  try {
    const found = JSON.parse(readFileSync(known, "utf8"));
    if (found.compiler === compiler) return found.blas;
  } catch {
    // not tried yet
  }
  const work = mkdtempSync(join(tmpdir(), "shitu-blas-"));
  try {
    const probe = join(work, "probe.cc");
    writeFileSync(
      probe,
      'extern "C" void sgemm_(); extern "C" void sgesvd_(); int main(int n, char**) { if (n ' +
        "> 9) { sgemm_(); sgesvd_(); } }\n",
    );
    for (const blas of candidates) {
      try {
        await run(cxx(), [probe, "-o", join(work, "probe"), ...blas.flags]);
      } catch {
        continue;
      }
      mkdirSync(join(root, ".cache"), { recursive: true });
      if (blas.vendor) writeFileSync(known, JSON.stringify({ compiler, blas }));
      return blas;
    }
    return null;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
