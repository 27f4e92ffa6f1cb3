import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/pipeline/root.js";

interface Packed {
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

let packed: Packed;
let files: ReadonlySet<string>;
beforeAll(async () => {
  const args = ["pack", "--dry-run", "--json", "--offline", "--ignore-scripts"];
  const { stdout } = await promisify(execFile)("npm", args, { cwd: projectRoot });
  packed = (JSON.parse(stdout) as Packed[])[0]!;
  files = new Set(packed.files.map(({ path }) => path));
}, 60_000);

/** What a module asks for when it is loaded, or later. */
function imports(file: string): string[] {
  const text = readFileSync(join(projectRoot, file), "utf8");
  const patterns = [
    /^(?:import|export)(?! type\b)[^"';]*? from "([^"]+)";/gm,
    /^import "([^"]+)";/gm,
    /\bimport\("([^"]+)"\)/g,
  ];
  const found = patterns.flatMap((pattern) => [...text.matchAll(pattern)]);
  return found.map((m) => m[1]!);
}

/** Files that a file reaches inside the package, and what it asks for in vain. */
function reached(start: string): { bare: Set<string>; missing: string[] } {
  const seen = new Set<string>();
  const bare = new Set<string>();
  const missing: string[] = [];
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const name of imports(file)) {
      if (!name.startsWith("."))
        bare.add(
          name
            .split("/")
            .slice(0, name[0] === "@" ? 2 : 1)
            .join("/"),
        );
      else {
        const path = join(dirname(file), name).replace(/\.js$/, ".ts");
        if (files.has(path)) visit(path);
        else missing.push(`${file} -> ${name}`);
      }
    }
  };
  visit(start);
  return { bare, missing };
}

describe("the npm package", () => {
  it("holds neither records, nor pictures, nor models, nor renderers, nor training", () => {
    const others = /^(?:runs|test|bench|reports|datasets\/(?!formats))\b/;
    const models = /^models\/(?!baselines|networks)/;
    const data = /\.(?:onnx|arrow|jpg|png)$/;
    const wrong = [...files].filter((f) => [others, models, data].some((p) => p.test(f)));
    expect(wrong).toEqual([]);
    expect(packed.size).toBeLessThan(2 << 20);
  });

  it("holds what sets it up, and ready limits", () => {
    const needed = [
      "setup.mjs",
      "build.mjs",
      "setup/faiss.mjs",
      "native/resize.cc",
      "native/core.h",
    ];
    const limits = ["configs/gates/recognition.yaml", "configs/gates/system.yaml"];
    expect([...needed, ...limits].filter((f) => !files.has(f))).toEqual([]);
  });

  it.each(["gate", "diagnose", "inspect", "recognize", "run", "compare", "import", "doctor"])(
    "holds all that shitu %s loads, and npm installs the rest",
    (verb) => {
      const { bare, missing } = reached(`src/cli/verbs/${verb}.ts`);
      expect(missing).toEqual([]);
      const text = readFileSync(join(projectRoot, "package.json"), "utf8");
      const { dependencies } = JSON.parse(text) as { dependencies: Record<string, string> };
      const known = new Set([...Object.keys(dependencies), ...builtinModules]);
      const asked = [...bare].filter((name) => !name.startsWith("node:") && !known.has(name));
      expect(asked).toEqual([]);
    },
  );
});
