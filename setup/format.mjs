// Brings every file into the one format, or says with --check which are not: Prettier for scripts,
// styles, YAML and Markdown; clang-format (Debian's version 14) for C++, where it is there.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { which } from "./process.mjs";

const check = process.argv.includes("--check");
const native = ["native", "bench"].flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => /\.(cc|h)$/.test(name))
    .map((name) => join(folder, name)),
);

function run(command, args) {
  return spawnSync(command, args, { stdio: "inherit" }).status === 0;
}

const prettier = ["node_modules/prettier/bin/prettier.cjs", ".", "--log-level", "warn"];
let clean = run(process.execPath, [...prettier, check ? "--check" : "--write"]);
if (which("clang-format")) {
  clean =
    run("clang-format", [...(check ? ["--dry-run", "--Werror"] : ["-i"]), ...native]) && clean;
} else {
  console.log("clang-format is not here: C++ was left as it is");
}
process.exitCode = clean ? 0 : 1;
