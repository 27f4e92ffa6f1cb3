import { type KernelName, usePreprocessingKernel } from "../../../src/pipeline/image/preprocess.js";

/** The kernels that this machine has: tests run against each. */
export const kernels: readonly KernelName[] = (() => {
  try {
    usePreprocessingKernel("native");
    return ["typescript", "native"] as const;
  } catch {
    console.warn("skipping tests of the native resize kernel: the addon is not built");
    return ["typescript"] as const;
  } finally {
    usePreprocessingKernel("automatic");
  }
})();
