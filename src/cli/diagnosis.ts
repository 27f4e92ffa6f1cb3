import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { describeMachine, type Machine } from "../eval/record/machine.js";
import { packageVersion } from "../pipeline/package-version.js";
import { projectRoot } from "../pipeline/root.js";
import { bytes } from "./terminal.js";

export interface Check {
  readonly name: string;
  /**
   * `fault`: something that is needed is missing. `warning`: it works, but less well, or an extra
   * is missing.
   */
  readonly state: "ok" | "warning" | "fault";
  readonly found: string;
  readonly fix: string | null;
}

/**
 * What a trial in a process of its own gave: a module that does not fit this CPU ends that process,
 * not this one.
 */
export type Trial =
  { readonly value: Record<string, unknown> } | { readonly value: null; readonly why: string };

/** Where facts come from; injected in tests. */
export interface Probes {
  readonly node: string;
  readonly machine: Machine;
  readonly addonFile: string;
  exists(file: string): boolean;
  which(program: string): string | null;
  version(packageName: string): string | null;
  /** Runs a line of CommonJS in the project's folder that prints JSON. */
  attempt(script: string): Promise<Trial>;
  freeDiskBytes(): Promise<number | null>;
}

const setUp = "run: node setup.mjs";
const browsers = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Everything that the tool stands on, in the order in which one would mend it. */
export async function diagnose(probes: Probes = thisMachine()): Promise<Check[]> {
  return [
    node(probes.node),
    cpu(probes.machine),
    ...(
      await Promise.all([
        tools(probes),
        addon(probes),
        module(
          probes,
          "ONNX Runtime",
          "onnxruntime-node",
          'const o = require("onnxruntime-node"); console.log(JSON.stringify(o.env.versions))',
          (v) => String(v.common),
          true,
        ),
        module(
          probes,
          "sharp",
          "sharp",
          'console.log(JSON.stringify(require("sharp").versions))',
          (v) => `${String(v.sharp)}, libvips ${String(v.vips)}`,
          true,
        ),
        module(
          probes,
          "faiss-node",
          "faiss-node",
          'new (require("faiss-node").IndexFlatL2)(2).add([1, 2]); console.log("{}")',
          () => null,
          false,
        ),
        module(
          probes,
          "usearch",
          "usearch",
          'const u = require("usearch"); u.exactSearch(Float32Array.of(1, 0), ' +
            'Float32Array.of(1, 0), 2, 1, u.MetricKind.IP, 1); console.log("{}")',
          () => null,
          false,
        ),
      ])
    ).flat(),
    browser(probes),
    threads(probes.machine),
    memory(probes.machine),
    await disk(probes),
  ];
}

function node(version: string): Check {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  const old = major < 20 || (major === 20 && minor < 9);
  return {
    name: "Node",
    state: old ? "fault" : "ok",
    found: version,
    fix: old ? "install Node 20.9 or newer" : null,
  };
}

/** avx512, avx2 or generic: the level that set-up compiles for. */
export function cpuLevel({ vectorExtensions, arch }: Machine): string {
  const has = (name: string): boolean => vectorExtensions.value?.includes(name) ?? false;
  if (has("avx512f")) return "avx512";
  if (has("avx2") && has("fma")) return "avx2";
  return arch === "arm64" ? "generic (NEON)" : "generic";
}

function cpu(machine: Machine): Check {
  const extensions = machine.vectorExtensions.value?.join(", ") ?? "instruction sets unknown";
  return {
    name: "CPU",
    state: "ok",
    found:
      `${machine.cpuModel.value ?? "unknown model"}, level ${cpuLevel(machine)} ` +
      `(${extensions}), ${machine.usableCores.value ?? "?"} cores usable`,
    fix: null,
  };
}

function tools({ which, exists, addonFile }: Probes): Check {
  const found = {
    compiler: ["g++", "clang++", "c++"].find(which),
    cmake: which("cmake") && "cmake",
    make: ["make", "ninja"].find(which),
  };
  const missing = Object.entries(found).flatMap(([name, program]) => (program ? [] : [name]));
  if (missing.length === 0)
    return { name: "build tools", state: "ok", found: Object.values(found).join(", "), fix: null };
  // They are only needed to build, which is done where the addon is there.
  return {
    name: "build tools",
    state: exists(addonFile) ? "warning" : "fault",
    found: `missing: ${missing.join(", ")}`,
    fix: `${setUp}, which installs them or says how`,
  };
}

async function addon({ exists, attempt, addonFile, machine }: Probes): Promise<Check[]> {
  if (!exists(addonFile))
    return [{ name: "native addon", state: "fault", found: "not built", fix: setUp }];
  const trial = await attempt(
    `console.log(JSON.stringify(require(${JSON.stringify(addonFile)}).faiss.build()))`,
  );
  if (trial.value === null)
    return [
      {
        name: "native addon",
        state: "fault",
        found: `does not load: ${trial.why}`,
        fix: `remove native/build and .cache/faiss, then ${setUp}`,
      },
    ];
  const build = trial.value as Partial<
    Record<"version" | "level" | "flags" | "origin" | "blas" | "blasConfig" | "compiler", string>
  > & { blasThreads?: number | null; openmpThreads?: number };
  const level = cpuLevel(machine);
  const slowLevel = build.level === "generic" && (level === "avx2" || level === "avx512");
  const slowBlas = build.blas === "reference BLAS";
  const fixes = [
    ...(slowLevel
      ? [
          "this Faiss is compiled for any CPU, and searches take 4 to 6 times as long: " +
            `${setUp} where Faiss's source can be had, or set FAISS_SOURCE or FAISS_ROOT`,
        ]
      : []),
    ...(slowBlas
      ? [
          "batches take 20 times as long without OpenBLAS: install it (Debian: " +
            `libopenblas-dev), remove .cache, ${setUp}`,
        ]
      : []),
  ];
  return [
    {
      name: "native addon",
      state: "ok",
      found: `loads (${build.compiler ?? "unknown compiler"})`,
      fix: null,
    },
    {
      name: "Faiss",
      state: fixes.length > 0 ? "warning" : "ok",
      found:
        `${build.version ?? "?"} for ${build.level ?? "?"} (${build.flags ?? "?"}), ` +
        `${build.blasConfig ?? build.blas ?? "unknown BLAS"}, OpenMP threads ` +
        `${build.openmpThreads ?? "?"}, BLAS threads ${build.blasThreads ?? "?"}, from ` +
        `${build.origin ?? "?"}`,
      fix: fixes.length > 0 ? fixes.join("; ") : null,
    },
  ];
}

async function module(
  { version, attempt }: Probes,
  name: string,
  packageName: string,
  script: string,
  detail: (value: Record<string, unknown>) => string | null,
  required: boolean,
): Promise<Check> {
  const state = required ? "fault" : "warning";
  const installed = version(packageName);
  if (installed === null) return { name, state, found: "not installed", fix: setUp };
  const trial = await attempt(script);
  if (trial.value === null)
    return { name, state, found: `${installed} does not load: ${trial.why}`, fix: setUp };
  return { name, state: "ok", found: detail(trial.value) ?? installed, fix: null };
}

function browser({ which, exists }: Probes): Check {
  const given = process.env.CHROMIUM_PATH;
  const found =
    given !== undefined && exists(given) ? given : browsers.map(which).find((p) => p !== null);
  return found
    ? { name: "Chromium", state: "ok", found, fix: null }
    : {
        name: "Chromium",
        state: "warning",
        found: "not found: the reports cannot be drawn in tests",
        fix: "install it (Debian: apt-get install chromium), or set CHROMIUM_PATH",
      };
}

function threads({ threadVariables, usableCores, cpuQuota }: Machine): Check {
  const set = Object.entries(threadVariables).map(([name, value]) => `${name}=${value}`);
  const quota =
    cpuQuota.value !== null && usableCores.value !== null && cpuQuota.value < usableCores.value;
  return {
    name: "threads",
    state: quota ? "warning" : "ok",
    found: [
      `${usableCores.value ?? "?"} by default`,
      ...(set.length > 0 ? [`set: ${set.join(", ")}`] : []),
      ...(quota ? [`but a control group allows ${cpuQuota.value} cores' time`] : []),
    ].join("; "),
    fix: quota
      ? `set OMP_NUM_THREADS=${Math.max(1, Math.floor(cpuQuota.value ?? 1))}: more threads ` +
        "than cores only wait for each other"
      : null,
  };
}

function memory({ totalMemoryBytes, freeMemoryBytes, memoryLimitBytes }: Machine): Check {
  const limit = memoryLimitBytes.value;
  const room = Math.min(freeMemoryBytes.value ?? Infinity, limit ?? Infinity);
  const little = room < 2 ** 30;
  const of = totalMemoryBytes.value === null ? "" : ` of ${bytes(totalMemoryBytes.value)}`;
  return {
    name: "memory",
    state: little ? "warning" : "ok",
    found:
      `${freeMemoryBytes.value === null ? "unknown" : bytes(freeMemoryBytes.value)} ` +
      `free${of}${limit === null ? "" : `, limit ${bytes(limit)}`}`,
    fix: little ? "building a gallery takes up to 1 GB: close other programs" : null,
  };
}

async function disk({ freeDiskBytes }: Probes): Promise<Check> {
  const free = await freeDiskBytes();
  if (free === null) return { name: "disk", state: "ok", found: "free space unknown", fix: null };
  const little = free < 2 * 2 ** 30;
  return {
    name: "disk",
    state: little ? "warning" : "ok",
    found: `${bytes(free)} free`,
    fix: little ? "set-up, data sets and records want 2 GiB: free some space" : null,
  };
}

function thisMachine(): Probes {
  return {
    node: process.version,
    machine: describeMachine(),
    addonFile: join(projectRoot, "native", "build", "shitu.node"),
    exists: existsSync,
    which: (program) =>
      (process.env.PATH ?? "")
        .split(delimiter)
        .filter(Boolean)
        .map((folder) => join(folder, program))
        .find((file) => existsSync(file)) ?? null,
    version: packageVersion,
    attempt,
    async freeDiskBytes() {
      try {
        const { bavail, bsize } = await statfs(projectRoot);
        return bavail * bsize;
      } catch {
        return null;
      }
    },
  };
}

function attempt(script: string): Promise<Trial> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ["-e", script],
      { cwd: projectRoot, timeout: 60_000 },
      (error, out, complaint) => {
        if (error) {
          const { signal } = error as { signal?: string | null };
          const line =
            complaint.split("\n").find((l) => /Error/.test(l)) ??
            complaint.split("\n")[0] ??
            error.message;
          resolve({
            value: null,
            why:
              signal === "SIGILL"
                ? "it was built for another CPU (SIGILL)"
                : signal
                  ? `it ended by ${signal}`
                  : line.trim().slice(0, 200),
          });
          return;
        }
        try {
          resolve({ value: JSON.parse(out) as Record<string, unknown> });
        } catch {
          resolve({ value: null, why: `it printed ${JSON.stringify(out.slice(0, 80))}` });
        }
      },
    );
  });
}
