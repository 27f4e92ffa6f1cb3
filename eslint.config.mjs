import { createTypeScriptImportResolver } from "eslint-import-resolver-typescript";
import importX from "eslint-plugin-import-x";
import tseslint from "typescript-eslint";

/** The arrows of the house: each room may import itself and the rooms named here, nothing else of ours. */
const arrows = {
  "./native": [],
  "./src/pipeline": ["./native"],
  "./src/eval": ["./src/pipeline", "./datasets/formats"],
  "./datasets/formats": ["./src/pipeline"],
  "./datasets/mini": ["./src/pipeline", "./datasets/formats"],
  "./src/cli": ["./src/eval", "./src/pipeline", "./datasets", "./native"],
  "./reports": ["./src/eval/record.ts", "./src/eval/cases.ts", "./src/eval/samples.ts", "./src/eval/paper-tables.ts", "./src/eval/paper-comparison.ts", "./src/eval/metrics/coco-errors.ts", "./datasets/formats/coco-set.ts"],
};
const rooms = ["./native", "./src/pipeline", "./src/eval", "./src/cli", "./datasets", "./reports", "./bench", "./test"];

const within = (path, folder) => path === folder || path.startsWith(`${folder}/`);
const zones = Object.entries(arrows).flatMap(([target, allowed]) =>
  rooms
    .filter((room) => !within(target, room) && !allowed.some((a) => a === room))
    .map((room) => ({
      target,
      from: room,
      except: allowed.filter((a) => within(a, room)).map((a) => `.${a.slice(room.length)}`),
      message: `${target} may import only ${[target, ...allowed].join(", ")}: arrows point one way.`,
    })),
);

export default tseslint.config(
  { ignores: ["dist/**", ".dist-*/**", "node_modules/**", "reports/.observablehq/**", "reports/dist/**", ".cache/**", "native/build/**"] },
  ...tseslint.configs.strict,
  {
    files: ["**/*.{ts,mjs,js}"],
    plugins: { "import-x": importX },
    settings: { "import-x/resolver-next": [createTypeScriptImportResolver()] },
    rules: {
      "import-x/no-restricted-paths": ["error", { zones }],
      "@typescript-eslint/no-non-null-assertion": "off", // noUncheckedIndexedAccess makes `!` the idiom in numeric kernels
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "no-restricted-imports": ["error", { patterns: [{ regex: "(utils|helpers|misc)(\\.js)?$", message: "Name the thing." }] }],
      eqeqeq: "error",
    },
  },
  {
    files: ["src/**/*.ts", "datasets/**/*.ts", "native/**/*.ts"],
    languageOptions: { parserOptions: { projectService: true } },
    rules: { "@typescript-eslint/no-floating-promises": "error", "@typescript-eslint/no-misused-promises": "error" },
  },
);
