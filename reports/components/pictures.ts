import { html, svg } from "npm:htl";
import { judgeBoxes, type JudgedBox } from "../analysis/boxes.js";
import { stageName } from "../analysis/record-view.js";
import type { Detail } from "./cases.js";
import { pictureUrl } from "./picture-parts.js";

/** A thumbnail, or a grey field with the picture's name where the site holds none. */
export function thumbnail(
  sets: readonly string[],
  picture: string | null,
  alt: string,
): HTMLElement {
  const holder = html`<span class="thumb"
    ><span class="thumb-name">${picture ?? "no picture"}</span></span
  >`;
  const load = async (): Promise<void> => {
    const url = await pictureUrl(sets, picture);
    if (url === null) return;
    const image = html`<img alt="${alt}" decoding="async" />` as HTMLImageElement;
    image.src = url;
    holder.classList.add("has-picture");
    holder.replaceChildren(image);
  };
  whenNear(holder, () => {
    load().catch((error: unknown) => console.error(error));
  });
  return holder;
}

/** Calls back once the element comes near to what is seen: a page of pictures is long. */
function whenNear(element: HTMLElement, call: () => void): void {
  const observer = new IntersectionObserver(
    (entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      observer.disconnect();
      call();
    },
    { rootMargin: "300px" },
  );
  observer.observe(element);
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
  const boxes = numbered.length > 0 ? numbered : boxesOf(row);
  const told = fateCounts(boxes);
  const { width, height } = sizeOf(row, boxes);
  return html`<figure class="boxed">
    <div class="boxed-stage" style=${`aspect-ratio: ${width} / ${height}`}>
      ${thumbnail([row.dataset], row.image, row.item)}${overlay(boxes, {
        width,
        height,
        name: `Boxes: ${told}`,
        numbers: new Map(answeredBoxes(numbered).map((box, i) => [box, i + 1])),
      })}
    </div>
    <figcaption><span class="name">${row.item}</span><span class="told">${told}</span></figcaption>
  </figure>`;
}

/** The boxes of a case, judged; none where it has none. */
export function boxesOf(row: Detail): JudgedBox[] {
  return row.boxes === null ? [] : judgeBoxes(row.boxes);
}

/** The boxes that a pipeline answered with, the surest first. */
export function answeredBoxes(boxes: readonly JudgedBox[]): JudgedBox[] {
  return boxes.filter(
    (box) => box.neighbours !== undefined && ["hit", "false", "kept"].includes(box.fate),
  );
}

/** "2 hit, 1 false, 0 missed": dropped boxes only where there are some. */
function fateCounts(boxes: readonly JudgedBox[]): string {
  const count = (fate: string): number => boxes.filter((box) => box.fate === fate).length;
  const judged = ["hit", "false", "missed", ...(count("dropped") > 0 ? ["dropped"] : [])];
  const told = count("kept") > 0 ? ["kept", "dropped"] : judged;
  return told.map((fate) => `${count(fate)} ${fate}`).join(", ");
}

function sizeOf(
  row: Detail,
  boxes: readonly JudgedBox[],
): { readonly width: number; readonly height: number } {
  return {
    width: row.width ?? Math.max(1, ...boxes.map((b) => b.x1)),
    height: row.height ?? Math.max(1, ...boxes.map((b) => b.y1)),
  };
}

interface Overlay {
  readonly width: number;
  readonly height: number;
  /** What the drawing shows, for who cannot see it. */
  readonly name: string;
  /** Shown in place of the score. */
  readonly numbers: ReadonlyMap<JudgedBox, number>;
}

/** Later ones are drawn over earlier ones. */
const drawingOrder = ["dropped", "truth", "kept", "hit", "false", "missed"];

function overlay(
  boxes: readonly JudgedBox[],
  { width, height, name, numbers }: Overlay,
): SVGElement {
  const unit = Math.max(width, height) / 320;
  const drawn = [...boxes].sort(
    (a, b) => drawingOrder.indexOf(a.fate) - drawingOrder.indexOf(b.fate),
  );
  const labelled = drawn.filter((b) => b.score !== null && b.fate !== "dropped");
  const text = (b: JudgedBox): string => String(numbers.get(b) ?? b.score!.toFixed(2));
  return svg`<svg class="boxes" viewBox="0 0 ${width} ${height}" role="img" aria-label="${name}">
    ${drawn.map(boxOutline)}
    ${labelled.map((b) => boxText(b, unit, text(b)))}
  </svg>` as SVGElement;
}

function boxOutline(b: JudgedBox): SVGElement {
  const [width, height] = [Math.max(0, b.x1 - b.x0), Math.max(0, b.y1 - b.y0)];
  return svg`<rect class="${b.fate}" x=${b.x0} y=${b.y0} width=${width} height=${height}>
    <title>${boxTitle(b)}</title>
  </rect>` as SVGElement;
}

function boxText(b: JudgedBox, unit: number, text: string): SVGElement {
  const [x, y] = [b.x0 + 3 * unit, Math.max(b.y0 - 3 * unit, 10 * unit)];
  const size = 10 * unit;
  return svg`<text class="${b.fate}" x=${x} y=${y} font-size=${size}>${text}</text>` as SVGElement;
}

function boxTitle({ fate, lostAt, label, score }: JudgedBox): string {
  const stage = lostAt === undefined ? "" : ` (${stageName(lostAt)})`;
  const name = label === "" ? "" : `: ${label}`;
  return `${fateNames[fate]}${stage}${name}${score === null ? "" : `, ${score.toFixed(2)}`}`;
}

/** What the strokes mean, for beside a gallery. */
export function boxLegend(rows: readonly Detail[]): HTMLElement {
  const seen = new Set(rows.flatMap(boxesOf).map((box) => box.fate));
  const stroke = (fate: string, name: string): HTMLElement =>
    html`<span
      ><svg width="22" height="14" class="boxes" aria-hidden="true">
        <rect class="${fate}" x="2" y="2" width="18" height="10"></rect></svg
      >${name}</span
    >`;
  return html`<p class="box-legend">
    ${Object.entries(fateNames)
      .filter(([fate]) => (seen as Set<string>).has(fate))
      .map(([fate, name]) => stroke(fate, name))}
  </p>`;
}
