#!/usr/bin/env node
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { buildAddon } from "./setup/addon.mjs";

const root = dirname(fileURLToPath(import.meta.url));
const only = process.argv[process.argv.indexOf("--only") + 1];
if (process.argv.includes("--only") && only === "addon") console.log(await buildAddon(root, { compileFlags: [], linkFlags: [], key: "" }));
