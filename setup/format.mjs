// Brings every file into the one format, or says with --check which are not: Prettier for scripts,
// styles, YAML and Markdown; clang-format (Debian's version 14) for C++, where it is there. What no
// formatter breaks, lines over 100 columns, is named; in scripts ESLint names them.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { wideLines } from "./line-length.mjs";
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
const held = ["*.css", "*.yaml", "*.yml", "*.cc", "*.h", ":(glob)reports/*.md"];
const listed = spawnSync("git", ["ls-files", "-z", "--", ...held], { encoding: "utf8" });
if (listed.status !== 0) console.log("not a checkout of git: no line was measured");
for (const file of listed.status === 0 ? listed.stdout.split("\0").filter(Boolean) : [])
  for (const line of wideLines(readFileSync(file, "utf8"))) {
    console.error(`${file}:${line}: over 100 columns`);
    clean = false;
  }
process.exitCode = clean ? 0 : 1;
