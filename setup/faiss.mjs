// Faiss for this machine's CPU. Where it comes from, in this order: FAISS_ROOT; a build of ours in
// the checkout or in the user's cache; a source archive (FAISS_SOURCE, else Debian's source
// package); last, Debian's binary package, which is slow.
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism, homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { arch, env, platform } from "node:process";
import { fetchSourcePackage, hasApt } from "./apt.mjs";
import { findBlas } from "./blas.mjs";
import { cpuLevel, cxx, cxxVersion, machineFlags } from "./compiler.mjs";
import { run, SetupError, which, withLock } from "./process.mjs";

/** Raised when the recipe below changes, so that no older build is taken for a new one. */
const recipe = 1;

/**
 * Finds or builds Faiss. `say(text)` reports what takes long. Resolves to `{ prefix, library,
 * version, level, flags, origin, compileFlags, linkFlags, key }`.
 */
export async function provideFaiss(root, say) {
  const blas = await findBlas(root);
  if (blas === null)
    throw new SetupError(
      "no BLAS with LAPACK",
      "install OpenBLAS (Debian, Ubuntu: apt-get install libopenblas-dev)",
    );
  return withFlags(await locate(root, blas, say), blas);
}

async function locate(root, blas, say) {
  if (env.FAISS_ROOT) return installed(resolve(env.FAISS_ROOT), "FAISS_ROOT");
  const source = env.FAISS_SOURCE ? resolve(env.FAISS_SOURCE) : null;
  if (source !== null && !existsSync(source))
    throw new SetupError(
      `FAISS_SOURCE is ${source}, which does not exist`,
      "give a Faiss source folder or .tar.gz archive, or leave it unset",
    );
  const id = await buildId(source);
  const prefix = join(root, ".cache", "faiss");
  const cached = join(userCache(), id);
  return withLock(join(root, ".cache", "faiss.lock"), async () => {
    if (readBuild(prefix)?.id === id) return readBuild(prefix);
    if (readBuild(cached)?.id === id) {
      say("an earlier build in the user's cache");
      replace(prefix, (fresh) => cpSync(cached, fresh, { recursive: true }));
      return readBuild(prefix);
    }
    const work = mkdtempSync(join(tmpdir(), "shitu-faiss-"));
    try {
      let tree;
      let origin;
      try {
        ({ tree, origin } = await sourceTree(source, work));
      } catch (error) {
        if (source !== null) throw error;
        return debianBinary(error, say);
      }
      await compile(tree, join(work, "build"), blas, say);
      replace(prefix, (fresh) => install(tree, join(work, "build"), fresh, { id, origin }));
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
    try {
      replace(cached, (fresh) => cpSync(prefix, fresh, { recursive: true }));
    } catch (error) {
      // a read-only home is no reason to stop
      say(`not kept in the user's cache (${error.code ?? error.message})`);
    }
    return readBuild(prefix);
  });
}

/** What a build depends on. */
async function buildId(source) {
  const from =
    source === null
      ? "debian"
      : statSync(source).isDirectory()
        ? source
        : createHash("sha256").update(readFileSync(source)).digest("hex");
  const key = JSON.stringify([recipe, platform, arch, cpuLevel(), await cxxVersion(), from]);
  return `faiss-${cpuLevel()}-${createHash("sha256").update(key).digest("hex").slice(0, 12)}`;
}

function userCache() {
  return join(
    env.XDG_CACHE_HOME ||
      (platform === "darwin" ? join(homedir(), "Library", "Caches") : join(homedir(), ".cache")),
    "shitu-bench",
  );
}

/** Fills a fresh folder, then puts it in the place of the old one. */
function replace(folder, fill) {
  const fresh = `${folder}.new-${process.pid}`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  try {
    fill(fresh);
    rmSync(folder, { recursive: true, force: true });
    renameSync(fresh, folder);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

function readBuild(prefix) {
  try {
    const build = JSON.parse(readFileSync(join(prefix, "build.json"), "utf8"));
    return existsSync(join(prefix, "lib", build.library))
      ? { ...build, prefix, library: join(prefix, "lib", build.library) }
      : null;
  } catch {
    return null;
  }
}

async function sourceTree(source, work) {
  if (source !== null && statSync(source).isDirectory())
    return { tree: source, origin: "FAISS_SOURCE" };
  let archive = source;
  let origin = "FAISS_SOURCE";
  if (archive === null) {
    if (!hasApt())
      throw new SetupError(
        "no Faiss source at hand",
        "set FAISS_SOURCE to a Faiss source archive (.tar.gz), or FAISS_ROOT to an installed Faiss",
      );
    const files = await fetchSourcePackage("faiss", work);
    const found = files.find((f) => /\.orig\.tar\./.test(f));
    const description = files.find((f) => f.endsWith(".dsc"));
    if (!found || !description)
      throw new Error("the Debian source package of Faiss held no .orig.tar");
    archive = join(work, found);
    // Debian's patches mend its packaging, 32-bit machines and NEON inlining; the original source
    // is compiled as it is.
    origin = `Debian source package ${description.replace(/^faiss_|\.dsc$/g, "")}`;
  }
  const folder = join(work, "source");
  mkdirSync(folder);
  await run("tar", ["xf", archive, "-C", folder]);
  const [top] = readdirSync(folder);
  return { tree: join(folder, top ?? ""), origin };
}

async function compile(tree, build, blas, say) {
  const target = targetFor(tree);
  say(`compiling ${target}, about a minute and a half on 2 cores`);
  const omp =
    platform === "darwin" && which("brew")
      ? [`-DOpenMP_ROOT=${(await run("brew", ["--prefix", "libomp"])).trim()}`]
      : [];
  await run("cmake", [
    "-S",
    tree,
    "-B",
    build,
    "-DCMAKE_BUILD_TYPE=Release",
    `-DCMAKE_CXX_COMPILER=${cxx()}`,
    `-DCMAKE_CXX_FLAGS=${machineFlags(levelOf(target)).join(" ")}`,
    "-DFAISS_ENABLE_GPU=OFF",
    "-DFAISS_ENABLE_PYTHON=OFF",
    "-DFAISS_ENABLE_EXTRAS=OFF",
    "-DBUILD_TESTING=OFF",
    "-DBUILD_SHARED_LIBS=OFF",
    `-DFAISS_OPT_LEVEL=${levelOf(target)}`,
    ...(blas.vendor ? [`-DBLA_VENDOR=${blas.vendor}`] : []),
    ...omp,
  ]);
  await run("cmake", [
    "--build",
    build,
    "--target",
    target,
    "--parallel",
    String(availableParallelism()),
  ]);
}

/**
 * The library target. Sources before 1.8 know no avx512 level: a CPU that has it gets the avx2
 * kernels, which measure the same there.
 */
function targetFor(tree) {
  const level = cpuLevel();
  if (level === "generic") return "faiss";
  const knows512 = readFileSync(join(tree, "faiss", "CMakeLists.txt"), "utf8").includes(
    "faiss_avx512",
  );
  return level === "avx512" && knows512 ? "faiss_avx512" : "faiss_avx2";
}

function levelOf(target) {
  return target === "faiss" ? "generic" : target.slice("faiss_".length);
}

/** Headers and the library as FAISS_ROOT would have them, and build.json that says what it is. */
function install(tree, build, prefix, { id, origin }) {
  const target = targetFor(tree);
  const library = `lib${target}.a`;
  mkdirSync(join(prefix, "lib"), { recursive: true });
  cpSync(join(build, "faiss", library), join(prefix, "lib", library));
  cpSync(join(tree, "faiss"), join(prefix, "include", "faiss"), {
    recursive: true,
    filter: (file) =>
      statSync(file).isDirectory() ? !/[\\/](gpu|python)$/.test(file) : file.endsWith(".h"),
  });
  const level = levelOf(target);
  const record = {
    id,
    origin,
    library,
    version: headerVersion(prefix),
    level,
    flags: ["-O3", ...machineFlags(level)].join(" "),
  };
  writeFileSync(join(prefix, "build.json"), `${JSON.stringify(record, null, 2)}\n`);
}

function headerVersion(prefix) {
  const header = readFileSync(join(prefix, "include", "faiss", "Index.h"), "utf8");
  return ["MAJOR", "MINOR", "PATCH"]
    .map((part) => new RegExp(`FAISS_VERSION_${part} (\\d+)`).exec(header)?.[1] ?? "?")
    .join(".");
}

/** A Faiss that somebody else installed under `prefix`. */
function installed(prefix, origin) {
  const folders = ["lib", "lib64", join("lib", multiarch())].map((l) => join(prefix, l));
  const wanted = { avx512: ["_avx512", "_avx2", ""], avx2: ["_avx2", ""], generic: [""] }[
    cpuLevel()
  ];
  for (const suffix of wanted) {
    for (const folder of folders) {
      for (const ending of ["a", "so", "dylib"]) {
        const library = join(folder, `libfaiss${suffix}.${ending}`);
        if (existsSync(library) && existsSync(join(prefix, "include", "faiss", "Index.h"))) {
          return {
            prefix,
            library,
            origin,
            version: headerVersion(prefix),
            level: suffix.slice(1) || "generic",
            flags: "unknown",
            id: `${library} ${statSync(library).mtimeMs}`,
          };
        }
      }
    }
  }
  throw new SetupError(
    `no Faiss under ${prefix}`,
    `${origin} must hold include/faiss/Index.h and lib/libfaiss.a (or .so)`,
  );
}

function multiarch() {
  return { x64: "x86_64-linux-gnu", arm64: "aarch64-linux-gnu" }[arch] ?? "";
}

function debianBinary(cause, say) {
  try {
    const found = installed("/usr", "libfaiss-dev");
    say(
      `WARNING: Faiss could not be built from source (${cause.message}). Using libfaiss-dev, ` +
        "compiled for any CPU: searches take 4 to 6 times as long, and no latency measured " +
        "with it means anything.",
    );
    return found;
  } catch {
    throw new SetupError(
      `no Faiss: ${cause.message}`,
      cause.fix ??
        "set FAISS_SOURCE to a Faiss source archive (.tar.gz), or FAISS_ROOT to an installed " +
          "Faiss, or install libfaiss-dev (slow)",
      cause.log,
    );
  }
}

async function withFlags(build, blas) {
  const define = (name, value) => `-DSHITU_FAISS_${name}=${JSON.stringify(value)}`;
  const brewed =
    platform === "darwin" && which("brew")
      ? (await run("brew", ["--prefix", "libomp"])).trim()
      : null;
  const omp = brewed
    ? {
        compile: ["-Xpreprocessor", "-fopenmp", `-I${brewed}/include`],
        link: [`-L${brewed}/lib`, "-lomp"],
      }
    : { compile: ["-fopenmp"], link: ["-fopenmp"] };
  return {
    ...build,
    blas: blas.name,
    key: build.id,
    compileFlags: [
      `-isystem${join(build.prefix, "include")}`,
      ...omp.compile,
      define("LEVEL", build.level),
      define("FLAGS", build.flags),
      define("ORIGIN", build.origin),
      define("BLAS", blas.name),
    ],
    linkFlags: [
      build.library,
      ...blas.flags,
      ...omp.link,
      ...(build.library.endsWith(".a") ? [] : [`-Wl,-rpath,${resolve(build.library, "..")}`]),
    ],
  };
}
