// What every page has around its own content beyond what Framework gives it.

/** The corners of a box around a hit. */
const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">' +
  '<path d="M2 2h5M2 2v5M14 14H9M14 14V9" stroke="#0072B2" stroke-width="2" fill="none"/>' +
  '<circle cx="8" cy="8" r="2.6" fill="#D55E00"/></svg>';

/**
 * Mends Framework's frame for who reads by keyboard, by ear or enlarged: the page's language; zoom,
 * which its own viewport forbids; a first stop past the menu; a name for the menu's switch, whose
 * label stands among the items of a list.
 */
const frame = `document.documentElement.lang = "en";
addEventListener("DOMContentLoaded", () => {
  document.querySelector('meta[name="viewport"][content*="maximum-scale"]')?.remove();
  document.body.insertAdjacentHTML(
    "afterbegin",
    '<a class="skip" href="#observablehq-main">Skip to the page</a>',
  );
  document.getElementById("observablehq-main").tabIndex = -1;
  const toggle = document.getElementById("observablehq-sidebar-toggle");
  toggle?.setAttribute("aria-label", "Menu");
  const close = document.getElementById("observablehq-sidebar-close");
  const item = document.createElement("li");
  item.style.display = "contents";
  close?.replaceWith(item);
  if (close) item.append(close);
});`;

export const pageHead = `<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(icon)}">
<link rel="stylesheet" href="/font.css">
<meta name="viewport" content="width=device-width, initial-scale=1">
<script>${frame}</script>`;
