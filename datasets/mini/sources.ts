import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../src/pipeline/root.js";

/** What the drawings of a source become in the benchmark. */
export type Family = "emoji" | "logo" | "token" | "icon" | "head";

export interface Source {
  /** Short name, also the folder-free prefix of its drawings. */
  readonly name: string;
  readonly family: Family;
  /** npm package (pinned in package.json). */
  readonly npm: string;
  readonly spdx: string;
  readonly author: string;
  readonly origin: string;
}

/**
 * Every package that is drawn from, with the licence that its own metadata declares. CC BY-SA sets
 * (OpenMoji, EmojiOne v1) are left out on purpose: a rendered benchmark is an adaptation, and would
 * have to be shared under the same licence.
 */
export const sources: readonly Source[] = [
  {
    name: "twemoji",
    family: "emoji",
    npm: "@iconify-json/twemoji",
    spdx: "CC-BY-4.0",
    author: "Twitter",
    origin: "https://github.com/jdecked/twemoji",
  },
  {
    name: "noto",
    family: "emoji",
    npm: "@iconify-json/noto",
    spdx: "Apache-2.0",
    author: "Google Inc",
    origin: "https://github.com/googlefonts/noto-emoji",
  },
  {
    name: "noto-v1",
    family: "emoji",
    npm: "@iconify-json/noto-v1",
    spdx: "Apache-2.0",
    author: "Google Inc",
    origin: "https://github.com/googlefonts/noto-emoji",
  },
  {
    name: "fluent-flat",
    family: "emoji",
    npm: "@iconify-json/fluent-emoji-flat",
    spdx: "MIT",
    author: "Microsoft Corporation",
    origin: "https://github.com/microsoft/fluentui-emoji",
  },
  {
    name: "emojione",
    family: "emoji",
    npm: "@iconify-json/emojione",
    spdx: "CC-BY-4.0",
    author: "Emoji One",
    origin: "https://github.com/EmojiTwo/emojitwo",
  },
  {
    name: "fluent-3d",
    family: "emoji",
    npm: "@lobehub/fluent-emoji-3d",
    spdx: "MIT",
    author: "Microsoft Corporation, packaged by LobeHub",
    origin: "https://github.com/lobehub/fluent-emoji",
  },
  {
    name: "logos",
    family: "logo",
    npm: "@iconify-json/logos",
    spdx: "CC0-1.0",
    author: "Gil Barbara",
    origin: "https://github.com/gilbarbara/logos",
  },
  {
    name: "token",
    family: "token",
    npm: "@iconify-json/token-branded",
    spdx: "MIT",
    author: "0xa3k5",
    origin: "https://github.com/0xa3k5/web3icons",
  },
  {
    name: "devicon",
    family: "icon",
    npm: "@iconify-json/devicon",
    spdx: "MIT",
    author: "konpa",
    origin: "https://github.com/devicons/devicon",
  },
  {
    name: "skill",
    family: "icon",
    npm: "@iconify-json/skill-icons",
    spdx: "MIT",
    author: "tandpfun",
    origin: "https://github.com/tandpfun/skill-icons",
  },
  {
    name: "vscode",
    family: "icon",
    npm: "@iconify-json/vscode-icons",
    spdx: "MIT",
    author: "Roberto Huertas",
    origin: "https://github.com/vscode-icons/vscode-icons",
  },
];

/** One drawing to render: SVG text or an encoded picture. */
export interface Original {
  readonly key: string;
  readonly data: Buffer;
}

interface IconSet {
  readonly width?: number;
  readonly height?: number;
  readonly icons: Readonly<
    Record<string, { body: string; width?: number; height?: number; left?: number; top?: number }>
  >;
}

function packageFolder(npm: string): string {
  return join(projectRoot, "node_modules", npm);
}

/** The installed version of a source's package. */
export function packageVersion(npm: string): string {
  return (
    JSON.parse(readFileSync(join(packageFolder(npm), "package.json"), "utf8")) as {
      version: string;
    }
  ).version;
}

function iconSet(npm: string): IconSet {
  return JSON.parse(readFileSync(join(packageFolder(npm), "icons.json"), "utf8")) as IconSet;
}

function svg(set: IconSet, key: string): Buffer {
  const icon = set.icons[key]!;
  const [width, height] = size(set, key);
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ` +
      `viewBox="${icon.left ?? 0} ${icon.top ?? 0} ${width} ${height}" width="${width}" ` +
      `height="${height}">` +
      `${icon.body.replaceAll("currentColor", "#222")}</svg>`,
  );
}

function size(set: IconSet, key: string): [number, number] {
  const icon = set.icons[key]!;
  return [icon.width ?? set.width ?? 16, icon.height ?? set.height ?? 16];
}

/**
 * Skin tones repeat one drawing in other colours; flags are told apart by a 32x32 thumbnail
 * already.
 */
const plainEmoji = (key: string) =>
  !/skin-tone|-(light|medium|dark)(-|$)/.test(key) && !key.startsWith("flag-");

let shared: ReadonlySet<string> | undefined;

/** Emoji names that three or more vendors drew: the classes. */
function sharedEmoji(): ReadonlySet<string> {
  if (shared) return shared;
  const count = new Map<string, number>();
  for (const { name, family, npm } of sources) {
    if (family !== "emoji" || name === "fluent-3d") continue;
    for (const key of Object.keys(iconSet(npm).icons))
      if (plainEmoji(key)) count.set(key, (count.get(key) ?? 0) + 1);
  }
  for (const { key } of fluent3d(new Set(count.keys()))) count.set(key, (count.get(key) ?? 0) + 1);
  shared = new Set([...count].filter(([, n]) => n >= 3).map(([key]) => key));
  return shared;
}

/** The 3-D set is keyed by code points: the vendors' character tables give the names. */
function fluent3d(wanted: ReadonlySet<string>): { key: string; file: string }[] {
  const names = new Map<string, string>();
  for (const set of ["noto", "twemoji", "emojione"]) {
    const file = join(packageFolder(`@iconify-json/${set}`), "chars.json");
    for (const [code, name] of Object.entries(
      JSON.parse(readFileSync(file, "utf8")) as Record<string, string>,
    ))
      names.set(code, name);
  }
  const folder = join(packageFolder("@lobehub/fluent-emoji-3d"), "assets");
  const seen = new Set<string>();
  return readdirSync(folder)
    .sort()
    .flatMap((file) => {
      const code = file.replace(".webp", "");
      const key = names.get(code) ?? names.get(code.replaceAll("-fe0f", ""));
      if (key === undefined || !wanted.has(key) || seen.has(key)) return [];
      seen.add(key);
      return [{ key, file: join(folder, file) }];
    });
}

/** The names of a source's usable drawings, in a fixed order. `load` gives the picture of one. */
export function openSource(source: Source): {
  readonly keys: readonly string[];
  load(key: string): Buffer;
} {
  if (source.name === "fluent-3d") {
    const files = new Map(fluent3d(sharedEmoji()).map(({ key, file }) => [key, file]));
    return { keys: [...files.keys()], load: (key) => readFileSync(files.get(key)!) };
  }
  const set = iconSet(source.npm);
  const all = Object.keys(set.icons).sort();
  return { keys: all.filter(usable(source, set, new Set(all))), load: (key) => svg(set, key) };
}

function usable(source: Source, set: IconSet, all: ReadonlySet<string>): (key: string) => boolean {
  switch (source.family) {
    case "emoji": {
      const names = sharedEmoji();
      return (key) => names.has(key);
    }
    case "logo":
      // A word mark is mostly white when fitted to a square, and a variant would be a second class
      // of one brand.
      return (key) => {
        const [width, height] = size(set, key);
        return (
          !/-(dark|light|vertical|glyph|stack)$/.test(key) &&
          !all.has(`${key}-icon`) &&
          width / height > 0.5 &&
          width / height < 2
        );
      };
    case "token":
      return (key) => !key.endsWith("-background");
    default:
      return (key) => !/wordmark|-light$|-opened$|^folder-type|-original$|-line$/.test(key);
  }
}
