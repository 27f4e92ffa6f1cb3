import { readFileSync } from "node:fs";
import {
  arch,
  availableParallelism,
  cpus,
  freemem,
  loadavg,
  platform,
  release,
  totalmem,
} from "node:os";

/** Something about the machine, or why it is not known. */
export type Fact<T> = { readonly value: T } | { readonly value: null; readonly why: string };

/**
 * The machine that a number was measured on: what a reader needs to compare it, and nothing that
 * names the machine.
 */
export interface Machine {
  readonly cpuModel: Fact<string>;
  /** Cores without hyper-threads. */
  readonly physicalCores: Fact<number>;
  readonly logicalCores: Fact<number>;
  /** What this process may use: affinity is in it, a quota is not. */
  readonly usableCores: Fact<number>;
  /** Cores' worth of time that a control group allows, such as 2.5. */
  readonly cpuQuota: Fact<number>;
  /** `performance`, `powersave` …: one word where all cores agree. */
  readonly governor: Fact<string>;
  /** Whether clocks may rise above nominal: then short runs look faster than long ones. */
  readonly turbo: Fact<boolean>;
  readonly virtualised: Fact<boolean>;
  /**
   * Instruction sets that matter to vectors and int8: those present of avx2, fma, avx512f,
   * avx512_vnni, avx_vnni, amx_int8, neon.
   */
  readonly vectorExtensions: Fact<readonly string[]>;
  readonly totalMemoryBytes: Fact<number>;
  readonly freeMemoryBytes: Fact<number>;
  /** Limit of the control group. */
  readonly memoryLimitBytes: Fact<number>;
  /** Over 1, 5 and 15 minutes. */
  readonly loadAverage: Fact<readonly [number, number, number]>;
  /** Variables that set numbers of threads, where they are set. */
  readonly threadVariables: Readonly<Record<string, string>>;
  readonly node: string;
  readonly v8: string;
  readonly platform: string;
  readonly arch: string;
  /** Version of the kernel, without the suffixes that a distributor adds. */
  readonly kernel: string;
}

/** Where facts come from; injected in tests. */
export interface MachineSource {
  readonly platform: string;
  readonly arch: string;
  readonly kernel: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cpuModels: readonly string[];
  readonly usableCores: number;
  readonly totalMemoryBytes: number;
  readonly freeMemoryBytes: number;
  readonly loadAverage: readonly number[];
  /** Text of a system file; null where there is none. */
  read(path: string): string | null;
}

const threadVariables = [
  "UV_THREADPOOL_SIZE",
  "OMP_NUM_THREADS",
  "OPENBLAS_NUM_THREADS",
  "MKL_NUM_THREADS",
  "OMP_WAIT_POLICY",
];
const extensions = ["avx2", "fma", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8"];

export function describeMachine(source: MachineSource = thisMachine()): Machine {
  const { read } = source;
  const linux = source.platform === "linux";
  const unknown = (what: string): { value: null; why: string } => ({
    value: null,
    why: linux ? what : `not read on ${source.platform}`,
  });
  const cpuinfo = read("/proc/cpuinfo") ?? "";
  const model = source.cpuModels.find((m) => m.trim() !== "" && m !== "unknown");
  const windows = source.platform === "win32";
  return {
    cpuModel: model
      ? { value: model.trim().replace(/\s+/g, " ") }
      : { value: null, why: "the system does not name its CPU" },
    physicalCores: physicalCores(cpuinfo) ?? unknown("/proc/cpuinfo does not tell cores apart"),
    logicalCores:
      source.cpuModels.length > 0
        ? { value: source.cpuModels.length }
        : { value: null, why: "the system lists no CPUs" },
    usableCores: { value: source.usableCores },
    cpuQuota: cpuQuota(read) ?? unknown("no control group limits the CPU"),
    governor: governor(source) ?? unknown("no cpufreq files: a virtual machine, or fixed clocks"),
    turbo: turbo(read) ?? unknown("neither intel_pstate nor cpufreq tell"),
    virtualised: cpuinfo.includes("flags")
      ? { value: /^flags\s*:.*\bhypervisor\b/m.test(cpuinfo) }
      : unknown("/proc/cpuinfo has no flags"),
    vectorExtensions: vectorExtensions(source, cpuinfo) ?? unknown("/proc/cpuinfo has no flags"),
    totalMemoryBytes: { value: source.totalMemoryBytes },
    freeMemoryBytes: { value: source.freeMemoryBytes },
    memoryLimitBytes: memoryLimit(source) ?? unknown("no control group limits the memory"),
    loadAverage: windows
      ? { value: null, why: "Windows has no load average" }
      : { value: source.loadAverage as [number, number, number] },
    threadVariables: Object.fromEntries(
      threadVariables.flatMap((name) =>
        source.env[name] === undefined ? [] : [[name, source.env[name]]],
      ),
    ),
    node: process.version,
    v8: process.versions.v8,
    platform: source.platform,
    arch: source.arch,
    kernel: /^\d+(\.\d+)*/.exec(source.kernel)?.[0] ?? source.kernel,
  };
}

function thisMachine(): MachineSource {
  return {
    platform: platform(),
    arch: arch(),
    kernel: release(),
    env: process.env,
    cpuModels: cpus().map((c) => c.model),
    usableCores: availableParallelism(),
    totalMemoryBytes: totalmem(),
    freeMemoryBytes: freemem(),
    loadAverage: loadavg(),
    read(path) {
      try {
        return readFileSync(path, "utf8");
      } catch {
        return null;
      }
    },
  };
}

type Read = MachineSource["read"];

/** Distinct pairs of package and core. */
function physicalCores(cpuinfo: string): Fact<number> | null {
  const cores = new Set<string>();
  for (const block of cpuinfo.split(/\n\s*\n/)) {
    const core = /^core id\s*:\s*(\d+)/m.exec(block);
    if (core) cores.add(`${/^physical id\s*:\s*(\d+)/m.exec(block)?.[1] ?? 0} ${core[1]}`);
  }
  return cores.size > 0 ? { value: cores.size } : null;
}

/** cgroup v2, then v1. */
function cpuQuota(read: Read): Fact<number> | null {
  const [quota, period] = (read("/sys/fs/cgroup/cpu.max") ?? "").trim().split(/\s+/);
  if (quota && period && quota !== "max") return { value: Number(quota) / Number(period) };
  const old = Number(read("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") ?? -1);
  const oldPeriod = Number(read("/sys/fs/cgroup/cpu/cpu.cfs_period_us") ?? 0);
  return old > 0 && oldPeriod > 0 ? { value: old / oldPeriod } : null;
}

function governor({ cpuModels, read }: MachineSource): Fact<string> | null {
  const found = new Set(
    cpuModels.flatMap(
      (_, i) => read(`/sys/devices/system/cpu/cpu${i}/cpufreq/scaling_governor`)?.trim() || [],
    ),
  );
  return found.size > 0 ? { value: [...found].sort().join(", ") } : null;
}

function turbo(read: Read): Fact<boolean> | null {
  const none = read("/sys/devices/system/cpu/intel_pstate/no_turbo")?.trim();
  if (none === "0" || none === "1") return { value: none === "0" };
  const boost = read("/sys/devices/system/cpu/cpufreq/boost")?.trim();
  return boost === "0" || boost === "1" ? { value: boost === "1" } : null;
}

function vectorExtensions(
  { arch: architecture }: MachineSource,
  cpuinfo: string,
): Fact<readonly string[]> | null {
  if (architecture === "arm64") return { value: ["neon"] }; // part of the architecture
  const flags = /^flags\s*:(.*)$/m.exec(cpuinfo)?.[1]?.trim().split(/\s+/);
  return flags ? { value: extensions.filter((e) => flags.includes(e)) } : null;
}

/** A limit above the machine's memory, as cgroup v1 writes for "none", limits nothing. */
function memoryLimit({ read, totalMemoryBytes }: MachineSource): Fact<number> | null {
  const text = (
    read("/sys/fs/cgroup/memory.max") ??
    read("/sys/fs/cgroup/memory/memory.limit_in_bytes") ??
    "max"
  ).trim();
  const limit = Number(text);
  return Number.isFinite(limit) && limit > 0 && limit < totalMemoryBytes ? { value: limit } : null;
}
