import { html, svg } from "npm:htl";
import { parseBoxes } from "../analysis/boxes.js";
import { pictureUrl, type Detail } from "./cases.js";

/** A thumbnail, or a grey field with the picture's name where the site holds none. */
export function thumbnail(sets: readonly string[], picture: string | null, alt: string): HTMLElement {
  const holder = html`<span class="thumb"><span class="thumb-name">${picture ?? "no picture"}</span></span>`;
  pictureUrl(sets, picture).then((url) => {
    if (url === null) return;
    const image = html`<img alt="${alt}" decoding="async">` as HTMLImageElement;
    image.src = url;
    holder.classList.add("has-picture");
    holder.replaceChildren(image);
  }).catch((error: unknown) => console.error(error));
  return holder;
}

const fateNames = { truth: "truth, found", missed: "missed", hit: "hit", false: "false", kept: "kept", dropped: "dropped" } as const;

/** A picture with its boxes: found truth thin and solid, missed truth dashed, hits and false boxes thick with their score. */
export function boxedPicture(row: Detail): HTMLElement {
  const boxes = parseBoxes(row.boxes) ?? [];
  const count = (fate: string): number => boxes.filter((box) => box.fate === fate).length;
  const told = (count("kept") > 0 ? ["kept", "dropped"] : ["hit", "false", "missed", ...(count("dropped") > 0 ? ["dropped"] : [])]).map((fate) => `${count(fate)} ${fate}`).join(", ");
  const width = row.width ?? Math.max(1, ...boxes.map((b) => b.x1));
  const height = row.height ?? Math.max(1, ...boxes.map((b) => b.y1));
  const unit = Math.max(width, height) / 320;
  const order = ["dropped", "truth", "kept", "hit", "false", "missed"];
  const drawn = [...boxes].sort((a, b) => order.indexOf(a.fate) - order.indexOf(b.fate));
  const overlay = svg`<svg class="boxes" viewBox="0 0 ${width} ${height}" role="img" aria-label="${`${row.item}: ${told}`}">
    ${drawn.map((b) => svg`<rect class="${b.fate}" x=${b.x0} y=${b.y0} width=${Math.max(0, b.x1 - b.x0)} height=${Math.max(0, b.y1 - b.y0)}><title>${fateNames[b.fate]}${b.lostAt === undefined ? "" : ` (${b.lostAt})`}${b.label === "" ? "" : `: ${b.label}`}${b.score === null ? "" : `, ${b.score.toFixed(2)}`}</title></rect>`)}
    ${drawn.filter((b) => b.score !== null && b.fate !== "dropped").map((b) => svg`<text class="${b.fate}" x=${b.x0 + 3 * unit} y=${Math.max(b.y0 - 3 * unit, 10 * unit)} font-size=${10 * unit}>${b.score!.toFixed(2)}</text>`)}
  </svg>`;
  const picture = html`<figure class="boxed"><div class="boxed-stage" style=${`aspect-ratio: ${width} / ${height}`}>${thumbnail([row.dataset], row.image, "")}${overlay}</div>
    <figcaption><span class="name">${row.item}</span><span class="told">${told}</span></figcaption></figure>`;
  return picture;
}

/** What the strokes mean, for beside a gallery. */
export function boxLegend(rows: readonly Detail[]): HTMLElement {
  const seen = new Set(rows.flatMap((row) => parseBoxes(row.boxes) ?? []).map((box) => box.fate));
  return html`<p class="box-legend">${Object.entries(fateNames).filter(([fate]) => (seen as Set<string>).has(fate)).map(([fate, name]) => html`<span><svg width="22" height="14" class="boxes" aria-hidden="true"><rect class="${fate}" x="2" y="2" width="18" height="10"></rect></svg>${name}</span>`)}</p>`;
}

/** One query with its picture and its three best neighbours, right and wrong marked in word and colour. */
export function queryCard(row: Detail): HTMLElement {
  const right = (label: string): boolean => label === row.truth;
  return html`<article class="query ${row.outcome === "hit" ? "right" : "wrong"}${row.neighbours.length === 0 ? " alone" : ""}">
    <div class="query-self">${row.boxes === null ? thumbnail([row.dataset], row.image, `query ${row.item}`) : boxedPicture(row)}
      <p><span class="mark">${row.outcome}</span>${row.lostAt === null ? null : html` <span class="lost">lost at: ${row.lostAt}</span>`}<br><span class="name">${row.item}</span>${row.truth === null ? null : html`<br><span class="muted">truth</span> ${row.truth}`}${row.prediction === null || row.neighbours.length > 0 ? null : html`<br><span class="muted">said</span> ${row.prediction}`}</p></div>
    ${row.neighbours.length === 0 ? null : html`<ol class="neighbours">${row.neighbours.map(([label, score, picture]) => html`<li class=${right(label) ? "right" : "wrong"}>${thumbnail([`${row.dataset} gallery`, row.dataset], picture, `neighbour ${label}`)}<span class="mark">${right(label) ? "✓" : "✗"}<span class="only-read"> ${right(label) ? "right" : "wrong"}</span></span> <span class="name">${label}</span> <span class="number muted">${score.toFixed(3)}</span></li>`)}</ol>`}
  </article>`;
}
