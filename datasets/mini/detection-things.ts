import type { Catalogue, Thing } from "./catalogue.js";
import type { DetectionSet } from "./scene-looks.js";
import type { Random } from "./random.js";
import { expressions, people, type Part } from "./people.js";

export type DetectionPart = "train" | "dev" | "test";

/** Heads of a part as things. */
export function headThings(part: Part): Thing[] {
  return people()[part].map((person) => ({
    label: `head:${person}`,
    drawings: Array.from({ length: expressions[part] }, (_, e) => `head-${part}/${person}-${e}`),
  }));
}

/** What a set's objects may be in a part: test scenes show only things that no training saw. */
export function detectionThings(
  catalogue: Catalogue,
  part: DetectionPart,
): Record<DetectionSet["things"][number], Thing[]> {
  const { emoji, token, logo, icon } = catalogue;
  switch (part) {
    case "test":
      return {
        emoji: [...emoji.sticker, ...emoji.shelf],
        token: token.test,
        logo: logo.unseen,
        icon: icon.aside,
        head: headThings("test"),
      };
    case "dev":
      // Logos and icons have no dev part; dev scenes do without (tokens stand for logos).
      return {
        emoji: emoji.dev,
        token: token.dev,
        logo: token.dev,
        icon: emoji.dev,
        head: headThings("dev"),
      };
    case "train":
      return {
        emoji: emoji.train,
        token: token.train,
        logo: logo.train,
        icon: icon.train,
        head: headThings("train"),
      };
  }
}

/**
 * A thing and one of its drawings, the kind drawn first so that a big family does not crowd out a
 * small one.
 */
export function anyDrawing(
  random: Random,
  things: Record<DetectionSet["things"][number], Thing[]>,
  kinds: DetectionSet["things"],
): { thing: Thing; drawing: string } {
  const thing = random.pick(things[random.pick(kinds)]);
  return { thing, drawing: random.pick(thing.drawings) };
}
