import { createAvatar, type Style, type StyleOptions } from "@dicebear/core";
import {
  adventurer,
  bigEars,
  bigSmile,
  lorelei,
  micah,
  notionists,
  personas,
  toonHead,
} from "@dicebear/collection";
import { Random } from "./random.js";

/**
 * Cartoon heads. A person is a style and its fixed traits (hair, skin, nose, beard, glasses); a
 * picture of that person draws the rest (mouth, eyes, brows, gesture, clothes) anew: the nuisance
 * that a cartoon-face gallery has. Styles without fixed colour traits are held to their shapes.
 */
interface HeadStyle {
  readonly name: string;
  readonly style: Style<StyleOptions<object>>;
  readonly spdx: string;
  readonly author: string;
  /** Options that make the person; each `...Probability` is settled to 0 or 100. */
  readonly identity: readonly string[];
  /** Chance of each optional part. */
  readonly chances: Readonly<Record<string, number>>;
}

const cast = (style: unknown) => style as Style<StyleOptions<object>>;

export const headStyles: readonly HeadStyle[] = [
  {
    name: "adventurer",
    style: cast(adventurer),
    spdx: "CC-BY-4.0",
    author: "Lisa Wischofsky",
    identity: ["hair", "hairColor", "skinColor", "earrings", "glasses", "features"],
    chances: { earrings: 0.25, glasses: 0.35, features: 0.3 },
  },
  {
    name: "big-ears",
    style: cast(bigEars),
    spdx: "CC-BY-4.0",
    author: "The Visual Team",
    identity: ["ear", "face", "frontHair", "hair", "hairColor", "nose", "sideburn", "skinColor"],
    chances: {},
  },
  {
    name: "big-smile",
    style: cast(bigSmile),
    spdx: "CC-BY-4.0",
    author: "Ashley Seo",
    identity: ["hair", "hairColor", "skinColor", "accessories"],
    chances: { accessories: 0.6 },
  },
  {
    name: "lorelei",
    style: cast(lorelei),
    spdx: "CC0-1.0",
    author: "Lisa Wischofsky",
    identity: ["hair", "head", "nose", "beard", "glasses", "earrings"],
    chances: { beard: 0.15, glasses: 0.4, earrings: 0.3 },
  },
  {
    name: "micah",
    style: cast(micah),
    spdx: "CC-BY-4.0",
    author: "Micah Lanier",
    identity: [
      "hair",
      "hairColor",
      "baseColor",
      "ears",
      "nose",
      "glasses",
      "glassesColor",
      "facialHair",
    ],
    chances: { glasses: 0.4, facialHair: 0.25 },
  },
  {
    name: "notionists",
    style: cast(notionists),
    spdx: "CC0-1.0",
    author: "Zoish",
    identity: ["hair", "nose", "beard", "glasses"],
    chances: { beard: 0.3, glasses: 0.4 },
  },
  {
    name: "personas",
    style: cast(personas),
    spdx: "CC-BY-4.0",
    author: "Draftbit",
    identity: ["hair", "hairColor", "skinColor", "nose", "facialHair"],
    chances: { facialHair: 0.4 },
  },
  {
    name: "toon-head",
    style: cast(toonHead),
    spdx: "CC-BY-4.0",
    author: "Johan Melin",
    identity: ["hair", "hairColor", "skinColor", "rearHair", "beard"],
    chances: { rearHair: 0.5, beard: 0.3 },
  },
];

type Options = Record<string, unknown>;

function choices(style: HeadStyle, option: string): readonly unknown[] {
  const property = (
    style.style.schema?.properties as
      Record<string, { items?: { enum?: unknown[] }; default?: unknown }> | undefined
  )?.[option];
  const list = property?.items?.enum ?? property?.default;
  return Array.isArray(list) ? list : [];
}

/**
 * The fixed traits of person number `index`; numbers give distinct people (checked by `peopleOf`).
 */
function person(
  seed: string,
  index: number,
): { style: HeadStyle; options: Options; traits: string } {
  const random = new Random(`${seed}/person/${index}`);
  const style = random.pick(headStyles);
  const options: Options = {};
  for (const option of style.identity) {
    const list = choices(style, option);
    if (list.length > 0) options[option] = [random.pick(list)];
    if (option in style.chances)
      options[`${option}Probability`] = random.chance(style.chances[option]!) ? 100 : 0;
  }
  const traits = JSON.stringify([
    style.name,
    Object.entries(options).filter(([key]) => options[`${key}Probability`] !== 0),
  ]);
  return { style, options, traits };
}

/**
 * The first `count` numbers from `first` on whose traits differ from all before: `people` and
 * nobody else.
 */
export function peopleOf(
  seed: string,
  first: number,
  count: number,
  taken: Set<string> = new Set(),
): number[] {
  const out: number[] = [];
  for (let index = first; out.length < count; index++) {
    const { traits } = person(seed, index);
    if (taken.has(traits)) continue;
    taken.add(traits);
    out.push(index);
  }
  return out;
}

/** SVG of a person with expression number `expression`. */
export function headSvg(seed: string, index: number, expression: number): Buffer {
  const { style, options } = person(seed, index);
  return Buffer.from(
    createAvatar(style.style, {
      ...options,
      seed: `${seed}/${index}/${expression}`,
      size: 128,
    }).toString(),
  );
}
