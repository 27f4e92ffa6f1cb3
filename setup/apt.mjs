// Debian's packages: what is missing, how to install it, and how to get a package's source without
// touching the system's lists.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run, which } from "./process.mjs";

/** Whether this is Debian, Ubuntu or a child of theirs with apt. */
export function hasApt() {
  return which("apt-get") !== null && which("dpkg-query") !== null;
}

/** Those of `names` that dpkg does not report as installed. */
export async function missingPackages(names) {
  const installed = new Set();
  // dpkg-query exits 1 when it does not know one of the names, but lists the others.
  const text = await run("sh", [
    "-c",
    `dpkg-query -W -f='\${Package} \${db:Status-Status}\\n' "$@" 2>/dev/null || true`,
    "sh",
    ...names,
  ]);
  for (const line of text.split("\n")) {
    const [name, status] = line.split(" ");
    if (status === "installed") installed.add(name);
  }
  return names.filter((n) => !installed.has(n));
}

/**
 * Installs packages (root only); refreshes the package lists first only when the first try fails.
 */
export async function installPackages(names) {
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const install = () =>
    run("apt-get", ["install", "-y", "--no-install-recommends", ...names], { env });
  try {
    await install();
  } catch {
    await run("apt-get", ["update"], { env });
    await install();
  }
}

/**
 * Downloads the source archives of a Debian package into `folder`, through package lists of its
 * own: the machine's own binary sources, read as `deb-src`. Returns the file names that came.
 */
export async function fetchSourcePackage(name, folder) {
  const entries = sourceEntries("/etc/apt");
  if (entries.length === 0) throw new Error("no apt sources found in /etc/apt");
  const parts = join(folder, "sources.list.d");
  const lists = join(folder, "lists");
  const cache = join(folder, "cache");
  for (const made of [parts, join(lists, "partial"), join(cache, "archives", "partial")])
    mkdirSync(made, { recursive: true });
  entries.forEach(({ format, text }, i) =>
    writeFileSync(join(parts, `source-${i}.${format}`), text),
  );
  const options = [
    "-o",
    "Dir::Etc::sourcelist=/dev/null",
    "-o",
    `Dir::Etc::sourceparts=${parts}`,
    "-o",
    `Dir::State::lists=${lists}`,
    "-o",
    `Dir::Cache=${cache}`,
    "-o",
    // the folder is the caller's own: apt's download user may not read it
    "APT::Sandbox::User=root",
    "-o",
    "Acquire::Languages=none",
    "-o",
    "APT::Update::Pre-Invoke::=",
    "-o",
    "APT::Update::Post-Invoke::=",
  ];
  await run("apt-get", [...options, "update"]);
  await run("apt-get", [...options, "source", "--download-only", "--only-source", name], {
    cwd: folder,
  });
  return readdirSync(folder).filter((f) => f.startsWith(`${name}_`));
}

/**
 * The machine's package sources with `deb` turned into `deb-src`: both the one-line and the deb822
 * format.
 */
export function sourceEntries(etcApt) {
  const found = [];
  const list = join(etcApt, "sources.list");
  const parts = join(etcApt, "sources.list.d");
  const files = [
    list,
    ...(existsSync(parts)
      ? readdirSync(parts)
          .sort()
          .map((f) => join(parts, f))
      : []),
  ];
  for (const file of files) {
    if (!existsSync(file)) continue;
    const format = file.endsWith(".sources") ? "sources" : file.endsWith(".list") ? "list" : null;
    if (format === null) continue; // apt, too, reads only these two endings
    const text =
      format === "list"
        ? oneLineToSource(readFileSync(file, "utf8"))
        : deb822ToSource(readFileSync(file, "utf8"));
    if (text !== "") found.push({ format, text });
  }
  return found;
}

/** `deb [options] uri suite components` as `deb-src`; other lines are dropped. */
export function oneLineToSource(text) {
  const lines = text
    .split("\n")
    .map((l) => l.replace(/#.*/, "").trim())
    .filter((l) => /^deb(-src)?\s/.test(l));
  // arch= says which binaries to list, and would be an odd thing to ask of sources.
  const sources = lines.map((l) =>
    l.replace(/^deb(-src)?\s+/, "deb-src ").replace(/\[([^\]]*)\]\s*/, (_, options) => {
      const kept = options
        .trim()
        .split(/\s+/)
        .filter((o) => o !== "" && !o.startsWith("arch"));
      return kept.length > 0 ? `[${kept.join(" ")}] ` : "";
    }),
  );
  return sources.length > 0 ? `${[...new Set(sources)].join("\n")}\n` : "";
}

/** Paragraphs of a `.sources` file with `Types: deb-src`; disabled ones are dropped. */
export function deb822ToSource(text) {
  const paragraphs = text
    .split("\n")
    .filter((l) => !l.startsWith("#"))
    .join("\n")
    .split(/\n\s*\n/);
  const sources = paragraphs
    .filter(
      (p) =>
        /^Types:\s*.*\bdeb\b/im.test(p) &&
        !/^Enabled:\s*(no|false|0|off|without|disable)\b/im.test(p),
    )
    .map((p) =>
      p
        .trim()
        .split("\n")
        .filter((l) => !/^Architectures:/i.test(l))
        .map((l) => l.replace(/^Types:.*/i, "Types: deb-src"))
        .join("\n"),
    );
  return sources.length > 0 ? `${sources.join("\n\n")}\n` : "";
}
