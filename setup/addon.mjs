// Compiles native/*.cc, an object file a source, and links native/build/shitu.node.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { platform } from "node:process";
import { cpuLevel, cxx, cxxVersion, machineFlags } from "./compiler.mjs";
import { inParallel, run, withLock } from "./process.mjs";

/** Brings the addon up to date; resolves to the number of sources that it compiled. */
export async function buildAddon(root, faiss) {
  const build = join(root, "native", "build");
  return withLock(join(build, ".lock"), async () => {
    const objects = join(build, "obj");
    mkdirSync(objects, { recursive: true });
    const sources = readdirSync(join(root, "native"))
      .filter((f) => f.endsWith(".cc"))
      .sort();
    const flags = addonFlags(root, faiss);
    const key = JSON.stringify([await cxxVersion(), flags, faiss.linkFlags, faiss.key]);
    const keyFile = join(objects, "flags");
    const sameFlags = existsSync(keyFile) && readFileSync(keyFile, "utf8") === key;
    const stale = sources.filter((source) => !sameFlags || isStale(join(objects, source)));
    await inParallel(stale, availableParallelism(), async (source) => {
      const object = join(objects, `${source}.o`);
      await run(cxx(), [
        ...flags,
        "-MMD",
        "-MF",
        join(objects, `${source}.d`),
        "-c",
        join(root, "native", source),
        "-o",
        `${object}.new`,
      ]);
      renameSync(`${object}.new`, object);
    });
    const target = join(build, "shitu.node");
    const linkInputs = sources.map((s) => join(objects, `${s}.o`));
    const listFile = join(objects, "linked");
    const list = linkInputs.join("\n");
    const linked =
      stale.length === 0 &&
      existsSync(target) &&
      existsSync(listFile) &&
      readFileSync(listFile, "utf8") === list;
    if (!linked) {
      await run(cxx(), [
        ...sharedFlags(),
        "-o",
        `${target}.new`,
        ...linkInputs,
        ...faiss.linkFlags,
      ]);
      renameSync(`${target}.new`, target);
      writeFileSync(listFile, list);
      writeFileSync(keyFile, key);
    }
    return linked ? 0 : stale.length;
  });
}

/**
 * How a Node addon on Faiss is compiled. Headers come from npm packages, so that none of Node's own
 * are needed.
 */
export function addonFlags(root, faiss) {
  return [
    "-std=c++17",
    "-O3",
    "-g1",
    "-fPIC",
    "-fexceptions",
    "-fvisibility=hidden",
    "-Wall",
    "-Wextra",
    "-Wno-unused-parameter",
    // Fused multiply-adds would make the resize kernels' results depend on the CPU level.
    "-ffp-contract=off",
    "-pthread",
    ...machineFlags(cpuLevel()),
    "-DNAPI_VERSION=8",
    "-DNAPI_CPP_EXCEPTIONS",
    `-isystem${packageFolder(root, "node-addon-api")}`,
    `-isystem${join(packageFolder(root, "node-api-headers"), "include")}`,
    ...faiss.compileFlags,
  ];
}

/** The folder of an npm package, which may lie beside ours where ours is one itself. */
function packageFolder(root, name) {
  return dirname(createRequire(join(root, "setup.mjs")).resolve(`${name}/package.json`));
}

/** How it is linked. Node resolves the Node-API symbols when it loads the file. */
export function sharedFlags() {
  return [
    ...(platform === "darwin"
      ? ["-bundle", "-undefined", "dynamic_lookup"]
      : ["-shared", "-Wl,--gc-sections", "-Wl,--exclude-libs,ALL"]),
    "-pthread",
  ];
}

/** Whether a source or anything that it included is newer than its object. */
function isStale(base) {
  try {
    const built = statSync(`${base}.o`).mtimeMs;
    const inputs = readFileSync(`${base}.d`, "utf8")
      .replace(/\\\n/g, " ")
      .split(": ")
      .slice(1)
      .join(": ")
      .trim()
      .split(/(?<!\\)\s+/);
    return inputs.some((f) => statSync(f.replace(/\\ /g, " ")).mtimeMs > built);
  } catch {
    return true;
  }
}
