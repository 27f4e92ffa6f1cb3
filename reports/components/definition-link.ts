import { html } from "npm:htl";
import { definitionOf } from "../analysis/definitions.js";

/**
 * A small link to where a number is defined; null where it is none of ours, and in a page that is
 * one file, which has no other pages beside it.
 */
export function definitionLink(name: string, kind?: string): HTMLElement | null {
  const target = definitionOf(name, kind);
  if (target === null || "pageData" in globalThis) return null;
  const [page, anchor] = target.split("#");
  return html`<a
    class="definition"
    href="./methodology/${page}.html${anchor === undefined ? "" : `#${anchor}`}"
    aria-label="What ${name} means"
    title="What ${name} means"
    >?</a
  >`;
}
