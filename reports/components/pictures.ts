import { html, svg } from "npm:htl";
import { parseBoxes, type JudgedBox } from "../analysis/boxes.js";
import { stageName } from "../analysis/record-view.js";
import { pictureUrl, type Detail } from "./cases.js";

/** A thumbnail, or a grey field with the picture's name where the site holds none. */
export function thumbnail(
  sets: readonly string[],
  picture: string | null,
  alt: string,
): HTMLElement {
  const holder = html`<span class="thumb"
    ><span class="thumb-name">${picture ?? "no picture"}</span></span
  >`;
  pictureUrl(sets, picture)
    .then((url) => {
      if (url === null) return;
      const image = html`<img alt="${alt}" decoding="async" />` as HTMLImageElement;
      image.src = url;
      holder.classList.add("has-picture");
      holder.replaceChildren(image);
    })
    .catch((error: unknown) => console.error(error));
  return holder;
}

const fateNames = {
  truth: "truth, found",
  missed: "missed",
  hit: "hit",
  false: "false",
  kept: "kept",
  dropped: "dropped",
} as const;

/**
 * A picture with its boxes: found truth thin and solid, missed truth dashed, hits and false boxes
 * thick with their score.
 */
export function boxedPicture(row: Detail, numbered: readonly JudgedBox[] = []): HTMLElement {
  const boxes = numbered.length > 0 ? numbered : (parseBoxes(row.boxes) ?? []);
  const numbers = new Map(answered(numbered).map((box, i) => [box, i + 1]));
  const count = (fate: string): number => boxes.filter((box) => box.fate === fate).length;
  const told = (
    count("kept") > 0
      ? ["kept", "dropped"]
      : ["hit", "false", "missed", ...(count("dropped") > 0 ? ["dropped"] : [])]
  )
    .map((fate) => `${count(fate)} ${fate}`)
    .join(", ");
  const width = row.width ?? Math.max(1, ...boxes.map((b) => b.x1));
  const height = row.height ?? Math.max(1, ...boxes.map((b) => b.y1));
  const unit = Math.max(width, height) / 320;
  const order = ["dropped", "truth", "kept", "hit", "false", "missed"];
  const drawn = [...boxes].sort((a, b) => order.indexOf(a.fate) - order.indexOf(b.fate));
  const overlay = svg`<svg class="boxes" viewBox="0 0 ${width} ${height}" role="img" aria-label="${`${row.item}: ${told}`}">
    ${drawn.map((b) => svg`<rect class="${b.fate}" x=${b.x0} y=${b.y0} width=${Math.max(0, b.x1 - b.x0)} height=${Math.max(0, b.y1 - b.y0)}><title>${fateNames[b.fate]}${b.lostAt === undefined ? "" : ` (${stageName(b.lostAt)})`}${b.label === "" ? "" : `: ${b.label}`}${b.score === null ? "" : `, ${b.score.toFixed(2)}`}</title></rect>`)}
    ${drawn.filter((b) => b.score !== null && b.fate !== "dropped").map((b) => svg`<text class="${b.fate}" x=${b.x0 + 3 * unit} y=${Math.max(b.y0 - 3 * unit, 10 * unit)} font-size=${10 * unit}>${numbers.get(b) ?? b.score!.toFixed(2)}</text>`)}
  </svg>`;
  const picture = html`<figure class="boxed">
    <div class="boxed-stage" style=${`aspect-ratio: ${width} / ${height}`}>
      ${thumbnail([row.dataset], row.image, "")}${overlay}
    </div>
    <figcaption><span class="name">${row.item}</span><span class="told">${told}</span></figcaption>
  </figure>`;
  return picture;
}

/** What the strokes mean, for beside a gallery. */
export function boxLegend(rows: readonly Detail[]): HTMLElement {
  const seen = new Set(rows.flatMap((row) => parseBoxes(row.boxes) ?? []).map((box) => box.fate));
  return html`<p class="box-legend">
    ${Object.entries(fateNames)
      .filter(([fate]) => (seen as Set<string>).has(fate))
      .map(
        ([fate, name]) =>
          html`<span
            ><svg width="22" height="14" class="boxes" aria-hidden="true">
              <rect class="${fate}" x="2" y="2" width="18" height="10"></rect></svg
            >${name}</span
          >`,
      )}
  </p>`;
}

/** The boxes that a pipeline answered with, the surest first. */
function answered(boxes: readonly JudgedBox[]): JudgedBox[] {
  return boxes.filter(
    (box) => box.neighbours !== undefined && ["hit", "false", "kept"].includes(box.fate),
  );
}

/**
 * One query with its picture and its three best neighbours, right and wrong marked in word, shape
 * and colour; of a pipeline, those of each box that it answered with.
 */
export function queryCard(row: Detail): HTMLElement {
  const boxes = parseBoxes(row.boxes) ?? [];
  const answers = answered(boxes);
  const sets = [`${row.dataset} gallery`, row.dataset];
  const isRight = (label: string): boolean => label === row.truth;
  const mark = (right: boolean): HTMLElement =>
    html`<span class="mark"
      >${right ? "✓" : "✗"}<span class="only-read"> ${right ? "right" : "wrong"}</span></span
    >`;
  const neighbour = (
    [label, score, picture]: readonly [string, number, string | null],
    right: boolean,
  ): HTMLElement =>
    html`<li class=${right ? "right" : "wrong"}>
      ${thumbnail(sets, picture, `neighbour ${label}`)}${mark(right)}
      <span class="name">${label}</span> <span class="number muted">${score.toFixed(3)}</span>
    </li>`;
  const missed = boxes.filter((box) => box.fate === "missed");
  const wide = answers.length > 0;
  return html`<article
    class="query ${row.outcome === "hit" ? "right" : "wrong"}${wide ? " wide" : row.neighbours.length === 0 ? " alone" : ""}"
  >
    <div class="query-self">
      ${row.boxes === null ? thumbnail([row.dataset], row.image, `query ${row.item}`) : boxedPicture(row, boxes)}
      <p>
        <span class="mark"
          >${row.outcome === "hit" ? "✓" : row.outcome === "none" ? "" : "✗"} ${row.outcome}</span
        >${row.lostAt === null ? null : html` <span class="lost">${stageName(row.lostAt)}</span>`}<br /><span
          class="name"
          >${row.item}</span
        >${row.truth === null ? null : html`<br /><span class="muted">truth:</span> ${row.truth}`}${row.prediction === null || row.neighbours.length > 0 || wide ? null : html`<br /><span class="muted">said:</span> ${row.prediction}`}
      </p>
    </div>
    ${
      wide
        ? html`<ol class="answers">
            ${answers.map(
              (box, i) =>
                html`<li>
                  <p class=${box.fate === "hit" ? "right" : box.fate === "false" ? "wrong" : ""}>
                    <span class="box-number">${i + 1}</span
                    >${box.fate === "kept" ? null : mark(box.fate === "hit")}
                    <strong>${box.label}</strong>
                    <span class="number muted">${box.score?.toFixed(3) ?? ""}</span>
                  </p>
                  <ol class="neighbours">
                    ${box.neighbours!.map((n) =>
                      neighbour(
                        n,
                        boxes.some(
                          (t) => (t.fate === "truth" || t.fate === "missed") && t.label === n[0],
                        ),
                      ),
                    )}
                  </ol>
                </li>`,
            )}
            ${missed.length === 0 ? null : html`<li class="muted">Not recognised: ${missed.map((box, i) => html`${i > 0 ? "; " : ""}${box.label}${box.lostAt === undefined ? "" : ` (${stageName(box.lostAt)})`}`)}</li>`}
          </ol>`
        : row.neighbours.length === 0
          ? null
          : html`<ol class="neighbours">
              ${row.neighbours.map((n) => neighbour(n, isRight(n[0])))}
            </ol>`
    }
  </article>`;
}
