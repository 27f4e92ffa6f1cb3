import { describe, expect, test } from "vitest";
import { describeMachine, type MachineSource } from "../../../src/eval/record/machine.js";

const bare: MachineSource = {
  platform: "linux",
  arch: "x64",
  kernel: "6.1.0-18-amd64",
  env: {},
  cpuModels: [],
  usableCores: 1,
  totalMemoryBytes: 8 * 2 ** 30,
  freeMemoryBytes: 2 ** 30,
  loadAverage: [0.5, 0.4, 0.3],
  read: () => null,
};

/**
 * Two packages of two cores with two threads each would be eight blocks; here four, of two cores.
 */
const cpuinfo = [0, 1, 0, 1]
  .map(
    (core, i) =>
      `processor\t: ${i}\nphysical id\t: 0\ncore id\t\t: ${core}\nflags\t\t: fpu avx2 fma ` +
      `avx512f hypervisor\n`,
  )
  .join("\n");

function withFiles(files: Record<string, string>): MachineSource {
  return {
    ...bare,
    cpuModels: [
      "Intel(R) Xeon(R)  Gold 6148 CPU @ 2.40GHz ",
      "Intel(R) Xeon(R)  Gold 6148 CPU @ 2.40GHz ",
    ],
    read: (path) => files[path] ?? null,
  };
}

describe("describeMachine", () => {
  test("reads what Linux tells", () => {
    const machine = describeMachine({
      ...withFiles({
        "/proc/cpuinfo": cpuinfo,
        "/sys/fs/cgroup/cpu.max": "250000 100000\n",
        "/sys/fs/cgroup/memory.max": "4294967296\n",
        "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave\n",
        "/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor": "performance\n",
        "/sys/devices/system/cpu/intel_pstate/no_turbo": "1\n",
      }),
      env: { OMP_NUM_THREADS: "2", HOME: "/root" },
    });
    expect(machine).toMatchObject({
      cpuModel: { value: "Intel(R) Xeon(R) Gold 6148 CPU @ 2.40GHz" },
      physicalCores: { value: 2 },
      logicalCores: { value: 2 },
      usableCores: { value: 1 },
      cpuQuota: { value: 2.5 },
      governor: { value: "performance, powersave" },
      turbo: { value: false },
      virtualised: { value: true },
      vectorExtensions: { value: ["avx2", "fma", "avx512f"] },
      memoryLimitBytes: { value: 4294967296 },
      loadAverage: { value: [0.5, 0.4, 0.3] },
      threadVariables: { OMP_NUM_THREADS: "2" },
      kernel: "6.1.0",
    });
    expect(JSON.stringify(machine)).not.toContain("/root");
  });

  test("reads the older control groups, and takes their huge numbers for no limit", () => {
    const old = {
      "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000",
      "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
    };
    expect(
      describeMachine(
        withFiles({ ...old, "/sys/fs/cgroup/memory/memory.limit_in_bytes": "1073741824" }),
      ),
    ).toMatchObject({ cpuQuota: { value: 0.5 }, memoryLimitBytes: { value: 2 ** 30 } });
    expect(
      describeMachine(
        withFiles({
          "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
          "/sys/fs/cgroup/cpu.max": "max 100000",
        }),
      ),
    ).toMatchObject({
      cpuQuota: { value: null },
      memoryLimitBytes: { value: null, why: "no control group limits the memory" },
    });
    expect(
      describeMachine(withFiles({ "/sys/devices/system/cpu/cpufreq/boost": "1" })).turbo,
    ).toEqual({ value: true });
  });

  test("what is missing is null with the reason, on Linux and elsewhere", () => {
    const machine = describeMachine(bare);
    for (const fact of [
      "cpuModel",
      "physicalCores",
      "logicalCores",
      "cpuQuota",
      "governor",
      "turbo",
      "virtualised",
      "vectorExtensions",
      "memoryLimitBytes",
    ] as const) {
      expect(machine[fact].value, fact).toBeNull();
      expect((machine[fact] as { why: string }).why, fact).toMatch(/\w{4}/);
    }
    const windows = describeMachine({ ...bare, platform: "win32", loadAverage: [0, 0, 0] });
    expect(windows.loadAverage).toEqual({ value: null, why: "Windows has no load average" });
    expect(windows.governor).toEqual({ value: null, why: "not read on win32" });
    expect(describeMachine({ ...bare, arch: "arm64" }).vectorExtensions).toEqual({
      value: ["neon"],
    });
  });

  test("this machine can be described, and the description survives JSON", () => {
    const machine = describeMachine();
    expect(machine.totalMemoryBytes.value).toBeGreaterThan(2 ** 28);
    expect(machine.usableCores.value).toBeGreaterThanOrEqual(1);
    expect(JSON.parse(JSON.stringify(machine))).toEqual(machine);
    expect(machine.node).toBe(process.version);
  });
});
