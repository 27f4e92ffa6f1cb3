import { html } from "npm:htl";
import type { Detail } from "./cases.js";
import { boxedPicture, boxLegend } from "./pictures.js";

const step = 12;

/** The pictures that a detector does worst on, some at a time. */
export function worstPictures(rows: readonly Detail[]): HTMLElement {
  const worst = rows.filter((row) => row.boxes !== null && row.outcome !== "hit");
  if (worst.length === 0) return html`<p>Every picture was answered rightly.</p>`;
  const list = html`<div class="gallery"></div>`;
  const more = html`<button type="button" class="plain"></button>`;
  const add = (): void => {
    const at = list.childElementCount;
    list.append(...worst.slice(at, at + step).map((row) => boxedPicture(row)));
    const left = worst.length - list.childElementCount;
    more.hidden = left <= 0;
    more.textContent = `Show ${Math.min(step, left)} more of ${left}`;
  };
  more.addEventListener("click", add);
  add();
  return html`<div>${boxLegend(worst)}${list}${more}</div>`;
}
