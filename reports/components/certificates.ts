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
  return html`<div class="certificates">
    ${list.map(
      ({ title, verdict, why }) =>
        html`<section
          class="certificate ${good.has(verdict) ? "passed" : bad.has(verdict) ? "failed" : "neither"}"
        >
          <h3>${title}</h3>
          <span
            class="verdict ${good.has(verdict) ? "agrees" : bad.has(verdict) ? "differs" : "not-comparable"}"
            >${verdict}</span
          >
          <p class="muted">${why}</p>
        </section>`,
    )}
  </div>`;
}
