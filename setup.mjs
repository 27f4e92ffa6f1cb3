#!/usr/bin/env node
// Makes a fresh clone ready, and does nothing where it already is. Plain Node: it runs before any
// npm package is there. node setup.mjs                 all steps node setup.mjs --only addon    one
// step and what it needs (developers)
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildAddon } from "./setup/addon.mjs";
import { buildFaissNode } from "./setup/faiss-node.mjs";
import { provideFaiss } from "./setup/faiss.mjs";
import { provideNpmPackages } from "./setup/npm.mjs";
import { withLock } from "./setup/process.mjs";
import { reporter } from "./setup/report.mjs";
import { provideSystemPackages } from "./setup/system.mjs";

const root = dirname(fileURLToPath(import.meta.url));

let faiss;
const steps = {
  system: ["system packages", (say) => provideSystemPackages(root, say)],
  npm: ["npm packages", (say) => provideNpmPackages(root, say)],
  faiss: [
    "Faiss",
    async (say) => {
      faiss = await provideFaiss(root, say);
      return `${faiss.version} for ${faiss.level} with ${faiss.blas}, from ${faiss.origin}`;
    },
  ],
  addon: [
    "native addon",
    async () => {
      const compiled = await buildAddon(root, faiss);
      return compiled === 0 ? "up to date" : `${compiled} sources compiled`;
    },
  ],
  "faiss-node": ["faiss-node", () => buildFaissNode(root, faiss)],
  dist: [
    "TypeScript",
    async () => {
      const { ensureBuilt } = await import("./build.mjs");
      return (await ensureBuilt()) ? "transpiled to dist/" : "up to date";
    },
  ],
};
// Beside somebody's own code npm has installed the packages, and other engines are left out.
const installed = basename(dirname(root)) === "node_modules";
if (installed) {
  delete steps.npm;
  delete steps["faiss-node"];
}
const needs = { addon: ["faiss", "addon"], "faiss-node": ["faiss", "faiss-node"] };

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 9)) {
  console.error(
    `set-up: Node ${process.versions.node} is too old. Fix: install Node 20.9 or newer`,
  );
  process.exit(2);
}
const at = process.argv.indexOf("--only");
const only = at >= 0 ? (process.argv[at + 1] ?? "") : null;
if (only !== null && !(only in steps)) {
  console.error(
    `set-up: no step ${JSON.stringify(only)}; the steps are ${Object.keys(steps).join(", ")}`,
  );
  process.exit(2);
}
const chosen = only === null ? Object.keys(steps) : (needs[only] ?? [only]);
const report = reporter(chosen.length);
try {
  await withLock(
    join(root, ".cache", "setup.lock"),
    async () => {
      for (const name of chosen) await report.step(...steps[name]);
    },
    () => {
      console.error("set-up: waiting for another set-up of this checkout");
    },
  );
  report.end();
} catch (error) {
  report.failed(error);
  process.exitCode = error.fix ? 2 : 3;
}
