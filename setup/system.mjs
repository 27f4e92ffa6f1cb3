// The tools that must be on the machine before anything can be built.
import { existsSync } from "node:fs";
import { env, platform } from "node:process";
import { hasApt, installPackages, missingPackages } from "./apt.mjs";
import { findBlas } from "./blas.mjs";
import { SetupError, which } from "./process.mjs";

/** Chromium draws the reports in their tests; nothing else needs it. */
const browsers = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

const needs = [
  {
    what: "a C++ compiler",
    present: () => (env.CXX ? true : ["g++", "clang++", "c++"].some((p) => which(p))),
    apt: "g++",
    dnf: "gcc-c++",
    brew: null,
  },
  { what: "cmake", present: () => which("cmake"), apt: "cmake", dnf: "cmake", brew: "cmake" },
  { what: "make", present: () => which("make"), apt: "make", dnf: "make", brew: null },
  {
    what: "OpenBLAS",
    present: async (root) => Boolean((await findBlas(root))?.vendor),
    apt: "libopenblas-dev",
    dnf: "openblas-devel",
    brew: null,
  },
  {
    what: "OpenMP",
    present: () =>
      platform !== "darwin" ||
      ["/opt/homebrew", "/usr/local"].some((p) => existsSync(`${p}/opt/libomp`)),
    apt: null,
    dnf: null,
    brew: "libomp",
  },
  {
    what: "clang-format",
    optional: true,
    present: () => which("clang-format"),
    apt: "clang-format",
    dnf: "clang-tools-extra",
    brew: null,
  },
  {
    what: "Chromium",
    optional: true,
    present: () => env.CHROMIUM_PATH || browsers.some((p) => which(p)) || platform === "darwin",
    apt: "chromium",
    dnf: "chromium",
    brew: null,
  },
];

/** Installs what is missing where it may, else says how. Resolves to one line on what it did. */
export async function provideSystemPackages(root, say) {
  const missing = [];
  for (const need of needs) if (!(await need.present(root))) missing.push(need);
  if (missing.length === 0) return "all there";
  if (hasApt() && process.getuid?.() === 0) {
    const done = [];
    const required = missing.filter((n) => !n.optional && n.apt).map((n) => n.apt);
    if (required.length > 0) {
      say(`installing ${required.join(" ")}`);
      await installPackages(required);
      done.push(...required);
    }
    for (const { apt, what } of missing.filter((n) => n.optional && n.apt)) {
      say(`installing ${apt}`);
      try {
        await installPackages([apt]);
        done.push(apt);
      } catch {
        say(`${what} could not be installed: what needs it is skipped`);
      }
    }
    const left = await missingPackages(required);
    if (left.length > 0)
      throw new SetupError(
        `apt did not install ${left.join(", ")}`,
        `apt-get install -y ${left.join(" ")}`,
      );
    return `installed ${done.join(" ") || "nothing"}`;
  }
  const required = missing.filter((n) => !n.optional);
  const command = commandFor(missing);
  if (required.length === 0)
    return (
      `${missing.map((n) => n.what).join(", ")} missing, which only some tests need; to ` +
      `install: ${command}`
    );
  throw new SetupError(`missing: ${required.map((n) => n.what).join(", ")}`, command);
}

function commandFor(missing) {
  const list = (manager) =>
    missing
      .map((n) => n[manager])
      .filter(Boolean)
      .join(" ");
  if (platform === "darwin") {
    const compiler = missing.some((n) => n.what.includes("compiler") || n.what === "make")
      ? "xcode-select --install"
      : "";
    return [compiler, list("brew") && `brew install ${list("brew")}`].filter(Boolean).join(" && ");
  }
  if (hasApt()) return `sudo apt-get install -y ${list("apt")}`;
  if (which("dnf")) return `sudo dnf install -y ${list("dnf")}`;
  return `install ${missing.map((n) => n.what).join(", ")} with this system's package manager`;
}
