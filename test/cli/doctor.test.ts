import { describe, expect, it } from "vitest";
import {
  cpuLevel,
  diagnose,
  type Check,
  type Probes,
  type Trial,
} from "../../src/cli/diagnosis.js";
import { describeMachine, type MachineSource } from "../../src/eval/record/machine.js";
import { shitu } from "./shitu.js";

const source: MachineSource = {
  platform: "linux",
  arch: "x64",
  kernel: "6.1",
  env: {},
  cpuModels: ["A CPU", "A CPU"],
  usableCores: 2,
  totalMemoryBytes: 8 * 2 ** 30,
  freeMemoryBytes: 4 * 2 ** 30,
  loadAverage: [0, 0, 0],
  read: (path) => (path === "/proc/cpuinfo" ? "flags\t: fpu avx2 fma\n" : null),
};
const build = {
  version: "1.7.3",
  level: "avx2",
  flags: "-O3",
  origin: "a source",
  blas: "OpenBLAS",
  blasConfig: "OpenBLAS 0.3",
  blasThreads: 2,
  openmpThreads: 2,
  compiler: "gcc 12",
};

function probes(change: Partial<Probes> = {}): Probes {
  return {
    node: "v20.9.0",
    machine: describeMachine(source),
    addonFile: "/p/native/build/shitu.node",
    exists: () => true,
    which: (program) => `/bin/${program}`,
    version: () => "1.2.3",
    attempt: async (script): Promise<Trial> => ({
      value: script.includes("faiss.build")
        ? build
        : { common: "1.2.3", sharp: "1.2.3", vips: "8.1" },
    }),
    freeDiskBytes: async () => 2 ** 40,
    ...change,
  };
}

const problems = (checks: readonly Check[]): Check[] => checks.filter((c) => c.state !== "ok");

describe("diagnose", () => {
  it("finds nothing where all is there", async () => {
    const checks = await diagnose(probes());
    expect(problems(checks)).toEqual([]);
    expect(checks.map((c) => c.name)).toEqual([
      "Node",
      "CPU",
      "build tools",
      "native addon",
      "Faiss",
      "ONNX Runtime",
      "sharp",
      "faiss-node",
      "usearch",
      "Chromium",
      "threads",
      "memory",
      "disk",
    ]);
    expect(checks.every((c) => (c.fix === null) === (c.state === "ok"))).toBe(true);
    expect(checks.find((c) => c.name === "Faiss")!.found).toBe(
      "1.7.3 for avx2 (-O3), OpenBLAS 0.3, OpenMP threads 2, BLAS threads 2, from a source",
    );
  });

  it("works where the addon is not built: a fault, with its fix", async () => {
    const checks = await diagnose(
      probes({ exists: (file) => !file.endsWith(".node"), attempt: async () => ({ value: {} }) }),
    );
    expect(problems(checks)).toEqual([
      { name: "native addon", state: "fault", found: "not built", fix: "run: node setup.mjs" },
    ]);
  });

  it.each([
    [
      "an addon for another CPU",
      {
        attempt: async (s: string) =>
          s.includes("faiss.build")
            ? { value: null, why: "it was built for another CPU (SIGILL)" }
            : { value: {} },
      },
      "native addon",
      "fault",
      /SIGILL/,
    ],
    ["an old Node", { node: "v20.8.1" }, "Node", "fault", /v20\.8\.1/],
    [
      "no ONNX Runtime",
      { version: (name: string) => (name === "onnxruntime-node" ? null : "1") },
      "ONNX Runtime",
      "fault",
      /not installed/,
    ],
    [
      "a sharp that does not load",
      {
        attempt: async (s: string) =>
          s.includes('"sharp"') ? { value: null, why: "Error: libvips" } : { value: build },
      },
      "sharp",
      "fault",
      /1\.2\.3 does not load: Error: libvips/,
    ],
    [
      "no faiss-node, which only comparisons need",
      { version: (name: string) => (name === "faiss-node" ? null : "1") },
      "faiss-node",
      "warning",
      /not installed/,
    ],
    [
      "no usearch",
      { version: (name: string) => (name === "usearch" ? null : "1") },
      "usearch",
      "warning",
      /not installed/,
    ],
    [
      "no browser",
      { which: (p: string) => (/chrom/.test(p) ? null : p) },
      "Chromium",
      "warning",
      /not found/,
    ],
    [
      "no cmake, but an addon",
      { which: (p: string) => (p === "cmake" ? null : p) },
      "build tools",
      "warning",
      /cmake/,
    ],
    ["a full disk", { freeDiskBytes: async () => 1000 }, "disk", "warning", /1000 B/],
    [
      "a Faiss for any CPU",
      { attempt: async () => ({ value: { ...build, level: "generic" } }) },
      "Faiss",
      "warning",
      /generic/,
    ],
    [
      "a slow BLAS",
      { attempt: async () => ({ value: { ...build, blas: "reference BLAS" } }) },
      "Faiss",
      "warning",
      /1\.7\.3/,
    ],
    [
      "little memory",
      { machine: describeMachine({ ...source, freeMemoryBytes: 1e8 }) },
      "memory",
      "warning",
      /95\.4 MiB free/,
    ],
  ] as const)("%s", async (_, change, name, state, found) => {
    const wrong = problems(await diagnose(probes(change as Partial<Probes>)));
    expect(wrong).toEqual([
      {
        name,
        state,
        found: expect.stringMatching(found) as string,
        fix: expect.stringMatching(/./) as string,
      },
    ]);
  });

  it("neither compiler nor addon is a fault", async () => {
    const checks = await diagnose(probes({ exists: () => false, which: () => null }));
    expect(problems(checks).map((c) => [c.name, c.state])).toEqual([
      ["build tools", "fault"],
      ["native addon", "fault"],
      ["Chromium", "warning"],
    ]);
  });

  it("tells the CPU's level", () => {
    const level = (flags: string): string =>
      cpuLevel(
        describeMachine({
          ...source,
          read: (p) => (p === "/proc/cpuinfo" ? `flags\t: ${flags}\n` : null),
        }),
      );
    expect([level("sse4_2"), level("avx2 fma"), level("avx2 fma avx512f")]).toEqual([
      "generic",
      "avx2",
      "avx512",
    ]);
  });
});

describe("shitu doctor", () => {
  it("says on this machine what there is, as text and as JSON, and ends with 0", async () => {
    const text = await shitu(["doctor"]);
    expect([text.code, text.stderr]).toEqual([0, ""]);
    expect(text.stdout).toMatch(/^ok +Faiss +\d+\.\d+\.\d+ for \w+/m);
    const json = await shitu(["doctor", "--json"]);
    const { healthy, checks } = JSON.parse(json.stdout) as { healthy: boolean; checks: Check[] };
    expect([json.code, healthy]).toEqual([0, true]);
    expect(checks.length).toBe(13);
  });

  it("works without compiler and browser on the PATH", async () => {
    const { code, stdout } = await shitu(["doctor", "--json"], {
      env: { PATH: "", CHROMIUM_PATH: "/none" },
    });
    expect(code).toBe(0);
    const { checks } = JSON.parse(stdout) as { checks: Check[] };
    expect(checks.filter((c) => c.state === "warning").map((c) => c.name)).toEqual(
      expect.arrayContaining(["build tools", "Chromium"]),
    );
  });
});
