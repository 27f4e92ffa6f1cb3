import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createTypeScriptImportResolver } from "eslint-import-resolver-typescript";
import importX from "eslint-plugin-import-x";
import tseslint from "typescript-eslint";

/** The arrows of the house: a room may import itself and those named here, nothing else of ours. */
const arrows = {
  "./native": [],
  "./src/pipeline": ["./native"],
  "./src/import": ["./src/pipeline"],
  "./src/eval": ["./src/pipeline", "./datasets/formats", "./models/networks"],
  "./datasets/formats": ["./src/pipeline"],
  "./datasets/mini": ["./src/pipeline", "./datasets/formats"],
  "./models/networks": ["./src/pipeline"],
  "./src/cli": [
    "./src/import",
    "./src/eval",
    "./src/pipeline",
    "./datasets",
    "./models/networks",
    "./native",
  ],
  // Pages read records through one reader, and take what is pure: no runner, no observation, no
  // verb.
  "./reports": [
    "./src/eval/types.ts",
    "./src/eval/record",
    "./src/eval/paper",
    "./src/eval/compare",
    "./src/eval/stats",
    "./src/eval/choose",
    "./src/eval/gate",
    "./src/eval/metrics",
    "./datasets/formats/coco-set.ts",
  ],
};
const rooms = [
  "./native",
  "./src/pipeline",
  "./src/import",
  "./src/eval",
  "./src/cli",
  "./datasets",
  "./models/networks",
  "./reports",
  "./bench",
  "./test",
];

/**
 * The floors of a room from the ground up: each may import those below it, and the files at the
 * room's root.
 */
const floors = {
  "./src/pipeline": [
    ["image", "onnx", "index"],
    ["forms"],
    ["model"],
    ["detection", "classification", "embedding"],
    ["gallery"],
    ["system"],
  ],
  "./src/eval": [
    ["stats"],
    ["config"],
    ["record", "latency", "metrics"],
    ["observe"],
    ["experiments"],
    ["compare", "paper"],
    ["run"],
    ["gate", "choose"],
  ],
};

const within = (path, folder) => path === folder || path.startsWith(`${folder}/`);
const betweenRooms = Object.entries(arrows).flatMap(([target, allowed]) =>
  rooms
    .filter((room) => !within(target, room) && !allowed.includes(room))
    .map((room) => ({
      target,
      from: room,
      except: allowed.filter((a) => within(a, room)).map((a) => `.${a.slice(room.length)}`),
      message:
        `${target} may import only ${[target, ...allowed].join(", ")}: arrows point ` + "one way.",
    })),
);
const betweenFloors = Object.entries(floors)
  .flatMap(([room, storeys]) =>
    storeys.flatMap((names, height) =>
      names.map((name) => ({
        target: `${room}/${name}`,
        from: storeys
          .slice(height)
          .flat()
          .filter((other) => other !== name)
          .map((other) => `${room}/${other}`),
        message: `${room}/${name} may import only the floors below it: arrows point one way.`,
      })),
    ),
  )
  .filter(({ from }) => from.length > 0);
/** What lies at a room's root is its ground: it knows no room above. */
const grounds = Object.entries(floors).map(([room, storeys]) => ({
  target: `${room}/*.ts`,
  from: storeys.flat().map((name) => `${room}/${name}/**/*`),
  message: `the files at the root of ${room} import none of its rooms.`,
}));

/** Pages name our modules `npm:shitu-bench/PATH`: the arrows hold for that name, too. */
const ownPackage = {
  interfaceVersion: 3,
  name: "own-package",
  resolve(source) {
    const path = /^npm:shitu-bench\/(.+)$/.exec(source)?.[1];
    if (path === undefined) return { found: false };
    const file = fileURLToPath(new URL(`${path}.ts`, import.meta.url));
    return existsSync(file) ? { found: true, path: file } : { found: false };
  },
};

export default tseslint.config(
  {
    ignores: [
      "dist/**",
      ".dist-*/**",
      "node_modules/**",
      "reports/.observablehq/**",
      "reports/dist/**",
      ".cache/**",
      "native/build/**",
    ],
  },
  ...tseslint.configs.strict,
  {
    files: ["**/*.{ts,mjs,js}"],
    plugins: { "import-x": importX },
    settings: { "import-x/resolver-next": [ownPackage, createTypeScriptImportResolver()] },
    rules: {
      "import-x/no-restricted-paths": [
        "error",
        { zones: [...betweenRooms, ...betweenFloors, ...grounds] },
      ],
      // noUncheckedIndexedAccess makes `!` the idiom in numeric kernels.
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "no-restricted-imports": [
        "error",
        { patterns: [{ regex: "(utils|helpers|misc)(\\.js)?$", message: "Name the thing." }] },
      ],
      eqeqeq: "error",
      // Prettier leaves comments and texts as they are. The path of an import cannot be broken.
      "max-len": ["error", { code: 100, ignoreUrls: true, ignorePattern: ' from "[^"]+";$' }],
    },
  },
  {
    files: ["src/**/*.ts", "datasets/**/*.ts"],
    rules: {
      "no-restricted-syntax": [
        "error",
        {
          selector: "BinaryExpression > MemberExpression[property.name='protocol']",
          message:
            "Ask for a rule (rulesOf, src/pipeline/protocol.ts), never for a protocol's name.",
        },
        {
          selector:
            "BinaryExpression[operator=/^[!=]==$/]:has(> Identifier[name=/^protocol$/])" +
            ":has(> Literal)",
          message:
            "Ask for a rule (rulesOf, src/pipeline/protocol.ts), never for a protocol's name.",
        },
      ],
    },
  },
  {
    files: ["src/**/*.ts", "datasets/**/*.ts", "native/**/*.ts"],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
    },
  },
);
