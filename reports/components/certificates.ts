import { html } from "npm:htl";

export interface Certificate {
  readonly title: string;
  readonly verdict: string;
  /** One sentence. */
  readonly why: string;
}

const good = new Set(["passed", "faster", "met"]);
const bad = new Set(["failed", "slower", "missed"]);

/** Verdicts with their reasons, one card each: a word, a shape and a colour. */
export function certificates(list: readonly Certificate[]): HTMLElement | null {
  if (list.length === 0) return null;
  return html`<div class="certificates">${list.map(card)}</div>`;
}

function card({ title, verdict, why }: Certificate): HTMLElement {
  const [box, mark] = looksOf(verdict);
  return html`<section class="certificate ${box}">
    <h3>${title}</h3>
    <span class="verdict ${mark}">${verdict}</span>
    <p class="muted">${why}</p>
  </section>`;
}

/** The classes of a card and of its verdict. */
function looksOf(verdict: string): readonly [string, string] {
  if (good.has(verdict)) return ["passed", "agrees"];
  return bad.has(verdict) ? ["failed", "differs"] : ["neither", "not-comparable"];
}
