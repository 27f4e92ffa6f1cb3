import { afterEach, describe, expect, test, vi } from "vitest";

afterEach(() => {
  vi.doUnmock("../../../native/load.js");
  vi.resetModules();
  vi.unstubAllEnvs();
});

/** The module as it is on a machine where loading the addon does this. */
async function preprocessWhere(loadAddon: () => unknown) {
  vi.resetModules();
  vi.doMock("../../../native/load.js", () => ({ loadAddon }));
  vi.stubEnv("SHITU_PREPROCESSING", "");
  return import("../../../src/pipeline/image/preprocess.js");
}

describe.each<[string, () => unknown]>([
  [
    "cannot be loaded",
    () => {
      throw new Error("it has not been built");
    },
  ],
  ["was built without the kernel", () => ({})],
])("where the addon %s", (_, loadAddon) => {
  test("the plain kernel takes over, and says so", async () => {
    const { preprocessingKernel, toTensor } = await preprocessWhere(loadAddon);
    expect(preprocessingKernel()).toBe("typescript");
    const spec = {
      width: 1,
      height: 1,
      interpolation: "cubic",
      colour: "rgb",
      layout: "nchw",
      scale: 1,
      mean: [0, 0, 0],
      std: [1, 1, 2],
    } as const;
    expect([...toTensor({ data: Uint8Array.of(3, 2, 1), width: 1, height: 1 }, spec)]).toEqual([
      3, 2, 0.5,
    ]);
  });

  test("asking for the native one is refused with the remedy", async () => {
    const { usePreprocessingKernel } = await preprocessWhere(loadAddon);
    expect(() => usePreprocessingKernel("native")).toThrow(
      expect.objectContaining({
        code: "addon-missing",
        message: expect.stringContaining("node setup.mjs") as string,
      }),
    );
  });

  test("so is asking by the environment", async () => {
    const { preprocessingKernel } = await preprocessWhere(loadAddon);
    vi.stubEnv("SHITU_PREPROCESSING", "native");
    expect(() => preprocessingKernel()).toThrow(expect.objectContaining({ code: "addon-missing" }));
  });
});
