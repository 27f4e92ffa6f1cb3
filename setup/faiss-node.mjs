// Compiles the package faiss-node from the source inside it, against our Faiss: its own install
// script would fetch a prebuilt one.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { addonFlags, sharedFlags } from "./addon.mjs";
import { cxx, cxxVersion } from "./compiler.mjs";
import { run, withLock } from "./process.mjs";

/** Puts faiss-node.node where the package's `bindings` looks for it. */
export async function buildFaissNode(root, faiss) {
  const home = join(root, "node_modules", "faiss-node");
  const folder = join(home, "build", "Release");
  const target = join(folder, "faiss-node.node");
  return withLock(join(root, ".cache", "faiss-node.lock"), async () => {
    const { version } = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
    const key = JSON.stringify([
      version,
      await cxxVersion(),
      faiss.key,
      faiss.compileFlags,
      faiss.linkFlags,
    ]);
    const keyFile = join(folder, "key");
    if (existsSync(target) && existsSync(keyFile) && readFileSync(keyFile, "utf8") === key)
      return "up to date";
    mkdirSync(folder, { recursive: true });
    // The package is written for Faiss 1.7.4, where idx_t moved from faiss::Index to the namespace.
    const shim = join(folder, "idx-t.h");
    writeFileSync(
      shim,
      "#pragma once\n#include <faiss/Index.h>\n#if FAISS_VERSION_MAJOR == 1 && " +
        "(FAISS_VERSION_MINOR < 7 || (FAISS_VERSION_MINOR == 7 && FAISS_VERSION_PATCH < " +
        "4))\nnamespace faiss { using idx_t = Index::idx_t; }\n#endif\n",
    );
    await run(cxx(), [
      ...addonFlags(root, faiss),
      "-w",
      "-include",
      shim,
      ...sharedFlags(),
      join(home, "src", "faiss.cc"),
      "-o",
      `${target}.new`,
      ...faiss.linkFlags,
    ]);
    renameSync(`${target}.new`, target);
    writeFileSync(keyFile, key);
    return "compiled";
  });
}
