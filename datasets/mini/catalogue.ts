import type { Drawings } from "./drawings.js";
import { hash32 } from "./random.js";
import { sources, type Family } from "./sources.js";

/** One thing that can be recognised, with its drawings (`source/key`), oldest source first. */
export interface Thing {
  readonly label: string;
  readonly drawings: readonly string[];
}

/**
 * Who may see what. `train` is for training, `dev` for every choice (architecture, schedule,
 * threshold), the rest only for the final figures. A thing is in exactly one part; parts are filled
 * in the order of a hash of the label, so that adding a package changes as little as can be.
 */
export interface Catalogue {
  readonly emoji: {
    readonly sticker: Thing[];
    readonly shelf: Thing[];
    readonly dev: Thing[];
    readonly train: Thing[];
  };
  readonly token: { readonly test: Thing[]; readonly dev: Thing[]; readonly train: Thing[] };
  readonly logo: { readonly unseen: Thing[]; readonly train: Thing[] };
  /** `aside` never has a gallery entry: distractors in test scenes. */
  readonly icon: { readonly aside: Thing[]; readonly train: Thing[] };
  /** Drawings left out because another has the same pixels, by source. */
  readonly duplicates: ReadonlyMap<string, number>;
}

export const parts = {
  sticker: 350,
  shelf: 350,
  emojiDev: 100,
  tokenTest: 400,
  tokenDev: 100,
  logoUnseen: 150,
  iconAside: 300,
} as const;

/** Sorts all drawings of the stores into things and parts. */
export function catalogueOf(drawings: Pick<Drawings, "hashes">): Catalogue {
  const duplicates = new Map<string, number>();
  const seen = new Set<string>();
  const groups: Record<Exclude<Family, "head">, Map<string, string[]>> = {
    emoji: new Map(),
    logo: new Map(),
    token: new Map(),
    icon: new Map(),
  };
  const names = new Map<string, string[]>();
  for (const name of drawings.hashes.keys()) {
    const source = name.slice(0, name.indexOf("/"));
    names.set(source, [...(names.get(source) ?? []), name]);
  }
  for (const { name: source, family } of sources) {
    if (family === "head") continue;
    for (const name of names.get(source) ?? []) {
      const hash = drawings.hashes.get(name)!;
      if (seen.has(hash)) {
        duplicates.set(source, (duplicates.get(source) ?? 0) + 1);
        continue;
      }
      seen.add(hash);
      const key = name.slice(name.indexOf("/") + 1);
      const label = family === "icon" ? `${source}-${key}` : key;
      const list = groups[family].get(label);
      if (list) list.push(name);
      else groups[family].set(label, [name]);
    }
  }
  const emoji = ordered(groups.emoji, 3, "emoji");
  const token = ordered(groups.token, 1, "token");
  const logo = ordered(groups.logo, 1, "logo");
  const logoStems = new Set([...groups.logo.keys()].map(stem));
  // An icon of a brand that is a logo already would be a second class of one thing.
  const icon = ordered(groups.icon, 1, "icon").filter(
    ({ label }) =>
      !logoStems.has(stem(label.replace(/^icon:(devicon|skill|vscode)-(file-type-)?/, ""))),
  );
  const aside = icon
    .filter(({ label }) => label.startsWith("icon:vscode-"))
    .slice(0, parts.iconAside);
  const asideLabels = new Set(aside.map(({ label }) => label));
  const cut = <T>(list: T[], from: number, count: number) => list.slice(from, from + count);
  const { sticker, shelf, emojiDev, tokenTest, tokenDev, logoUnseen } = parts;
  return {
    emoji: {
      sticker: cut(emoji, 0, sticker),
      shelf: cut(emoji, sticker, shelf),
      dev: cut(emoji, sticker + shelf, emojiDev),
      train: emoji.slice(sticker + shelf + emojiDev),
    },
    token: {
      test: cut(token, 0, tokenTest),
      dev: cut(token, tokenTest, tokenDev),
      train: token.slice(tokenTest + tokenDev),
    },
    logo: { unseen: cut(logo, 0, logoUnseen), train: logo.slice(logoUnseen) },
    icon: { aside, train: icon.filter(({ label }) => !asideLabels.has(label)) },
    duplicates,
  };
}

const stem = (label: string) => label.replace(/-(icon|plain|dark|light)$/, "").replaceAll("-", "");

function ordered(
  group: ReadonlyMap<string, readonly string[]>,
  least: number,
  family: string,
): Thing[] {
  return [...group]
    .filter(([, list]) => list.length >= least)
    .map(([label, list]) => ({
      label: `${family}:${label}`,
      drawings: list,
      rank: hash32(`${family}:${label}`),
    }))
    .sort((a, b) => a.rank - b.rank || (a.label < b.label ? -1 : 1))
    .map(({ label, drawings }) => ({ label, drawings }));
}
