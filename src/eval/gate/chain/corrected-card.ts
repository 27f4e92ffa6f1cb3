import { stringify } from "yaml";
import type { Card } from "../../../pipeline/model/card.js";
import { chainOf, type Chain } from "./chain.js";

/** A card that says what a chain does, as far as cards can. */
export interface CorrectedCard {
  readonly card: Card;
  /** Settings that no card has: the export itself must be mended. */
  readonly unsaid: readonly string[];
}

type Triple = [number, number, number];

/** The card that feeds a model by a chain. */
export function correctedCard(card: Card, chain: Chain): CorrectedCard {
  const { colour, scale, mean, std, layout, resampling } = chain;
  const known = resampling === "linear" || resampling === "cubic";
  const input = {
    ...card.input,
    colour,
    scale,
    mean: [...mean] as Triple,
    std: [...std] as Triple,
    layout,
    interpolation: known ? resampling : card.input.interpolation,
  };
  const corrected = withTask({ ...card, input }, chain);
  const said = chainOf(corrected);
  const unsaid = (Object.keys(chain) as (keyof Chain)[]).filter(
    (key) => JSON.stringify(chain[key]) !== JSON.stringify(said[key]),
  );
  // A tensor's declared shape cannot be another than the graph's.
  if (layout !== card.input.layout) unsaid.push("layout");
  return { card: corrected, unsaid };
}

function withTask(card: Card, { normaliseRows, binarise }: Chain): Card {
  if (card.task !== "recognition") return card;
  return { ...card, recognition: { ...card.recognition, normalise: normaliseRows, binarise } };
}

/** The card as YAML, for a model file that lies where `file` says. */
export function cardText(card: Card, file: string): string {
  return `# Written by shitu diagnose --write-card: look it over.\n${stringify({ ...card, file })}`;
}
