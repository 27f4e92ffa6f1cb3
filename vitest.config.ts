import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const root = fileURLToPath(new URL(".", import.meta.url));

export default defineConfig({
  // As the pages name our modules, where a bundler finds them without an ending.
  resolve: {
    alias: [{ find: /^npm:shitu-bench\/(.+)$/, replacement: `${root}$1.ts` }],
  },
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/build.ts"],
    setupFiles: ["test/temporary-folder.ts"],
    // Addons and ONNX Runtime keep native state: one process a file, so that a crash names its
    // file.
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
