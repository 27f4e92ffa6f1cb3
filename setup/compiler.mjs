// Which compiler, for which CPU.
import { readFileSync } from "node:fs";
import { arch, platform } from "node:process";
import { execFileSync } from "node:child_process";
import { run, SetupError, which } from "./process.mjs";

/** The C++ compiler: CXX, else the platform's own. */
export function cxx() {
  const asked = process.env.CXX;
  if (asked) return asked;
  const found = (platform === "darwin" ? ["clang++", "g++"] : ["g++", "clang++", "c++"]).find(
    (name) => which(name),
  );
  if (!found)
    throw new SetupError(
      "no C++ compiler",
      platform === "darwin"
        ? "xcode-select --install"
        : "install g++ (Debian, Ubuntu: apt-get install g++)",
    );
  return found;
}

const versions = new Map();

/** First line of `--version`, which names compiler and version. */
export async function cxxVersion() {
  const compiler = cxx();
  if (!versions.has(compiler))
    versions.set(compiler, (await run(compiler, ["--version"])).split("\n")[0].trim());
  return versions.get(compiler);
}

const avx2 = ["avx2", "fma", "f16c", "bmi1", "bmi2", "popcnt", "movbe"];
const avx512 = ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"];

/**
 * The CPU's instruction level: the x86-64 psABI's v3 is `avx2`, its v4 `avx512`. SHITU_CPU_LEVEL
 * overrides it.
 */
export function cpuLevel() {
  const asked = process.env.SHITU_CPU_LEVEL;
  if (asked !== undefined && asked !== "") {
    if (!["generic", "avx2", "avx512"].includes(asked))
      throw new SetupError(
        `SHITU_CPU_LEVEL is ${asked}`,
        "set it to generic, avx2 or avx512, or leave it unset",
      );
    return asked;
  }
  if (arch !== "x64") return "generic";
  const flags = cpuFlags();
  if (!avx2.every((f) => flags.has(f))) return "generic";
  return avx512.every((f) => flags.has(f)) ? "avx512" : "avx2";
}

function cpuFlags() {
  try {
    if (platform === "darwin") {
      const text = execFileSync(
        "sysctl",
        ["-n", "machdep.cpu.features", "machdep.cpu.leaf7_features"],
        { encoding: "utf8" },
      );
      return new Set(
        text
          .toLowerCase()
          .split(/\s+/)
          .map((f) => f.replace(".", "").replace("avx10", "avx"))
          .concat(["bmi1", "bmi2"]),
      );
    }
    const line =
      readFileSync("/proc/cpuinfo", "utf8")
        .split("\n")
        .find((l) => l.startsWith("flags")) ?? "";
    return new Set(
      line
        .slice(line.indexOf(":") + 1)
        .trim()
        .split(/\s+/),
    );
  } catch {
    return new Set();
  }
}

/** The compiler's name for that level. */
export function machineFlags(level) {
  return level === "avx512" ? ["-march=x86-64-v4"] : level === "avx2" ? ["-march=x86-64-v3"] : [];
}
