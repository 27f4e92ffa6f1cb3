// components/: rows of analysis/ in; elements of a page out. It never sees a file of a record.
import embed from "npm:vega-embed";
import { html } from "npm:htl";
import { dataTable, type Column } from "./data-table.js";
import { isDark, onSchemeChange, palette, type Palette } from "./palette.js";

export interface ChartOptions<Row> {
  readonly title: string;
  /** The text alternative: what the chart shows and what is to be seen in it. */
  readonly description: string;
  readonly rows: readonly Row[];
  /** A Vega-Lite spec for a width in pixels; its `data` is the rows unless it names other. */
  readonly spec: (colours: Palette, width: number) => Record<string, unknown>;
  readonly height?: number;
  /** The rows as a table below the chart. */
  readonly columns: readonly Column<Row>[];
  readonly note?: string;
}

let serial = 0;

/**
 * A Vega-Lite chart that follows its container's width and the reader's colour scheme, with its
 * data as a table for those who do not see it.
 */
export function chart<Row extends object>({
  title,
  description,
  rows,
  spec,
  height = 260,
  columns,
  note,
}: ChartOptions<Row>): HTMLElement {
  const id = `chart-${++serial}`;
  const plot = html`<div class="plot"></div>`;
  const figure = html`<figure class="chart" aria-labelledby="${id}" aria-describedby="${id}-text">
    <h3 id="${id}">${title}</h3>
    <p class="chart-text" id="${id}-text">${description}</p>
    ${plot} ${note === undefined ? null : html`<p class="note-line">${note}</p>`}
    <details class="as-table">
      <summary>Data as a table (${rows.length} ${rows.length === 1 ? "row" : "rows"})</summary>
    </details>
  </figure>`;
  const details = figure.querySelector("details")!;
  details.addEventListener("toggle", () => {
    if (details.open && details.childElementCount === 1)
      details.append(dataTable({ caption: title, columns, rows }));
  });

  let drawn = "";
  let view: { finalize(): void } | undefined;
  const draw = async (): Promise<void> => {
    const width = Math.floor(plot.clientWidth);
    const wanted = `${width} ${isDark()}`;
    if (width === 0 || wanted === drawn) return;
    drawn = wanted;
    const colours = palette();
    const made = html`<div></div>`;
    const result = await embed(
      made,
      {
        $schema: "https://vega.github.io/schema/vega-lite/v6.json",
        width: "container" as never,
        height,
        data: { values: [...rows] },
        background: "transparent",
        autosize: { type: "fit-x", contains: "padding" },
        ...spec(colours, width),
        ...("width" in spec(colours, width) ? {} : { width }),
      } as never,
      { actions: false, renderer: "svg", config: config(colours) as never, mode: "vega-lite" },
    );
    if (drawn !== wanted) return result.finalize();
    view?.finalize();
    view = result;
    asOnePicture(made, `${title}. ${description}`);
    plot.replaceChildren(made);
    plot.dataset.drawn = "true";
  };
  const redraw = (): void => {
    draw().catch((error: unknown) => {
      plot.replaceChildren(
        html`<p class="problem">This chart could not be drawn: ${(error as Error).message}</p>`,
      );
      console.error(error);
    });
  };
  new ResizeObserver(redraw).observe(plot);
  onSchemeChange(redraw);
  return figure;
}

/** One picture with a name; what its marks say stands in the table, with digits for people. */
function asOnePicture(made: HTMLElement, name: string): void {
  const svg = made.querySelector("svg")!;
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", name);
  svg.parentElement!.removeAttribute("role");
  svg.parentElement!.removeAttribute("aria-roledescription");
  svg.parentElement!.removeAttribute("aria-label");
}

function config(colours: Palette): object {
  const text = {
    labelColor: colours.muted,
    titleColor: colours.muted,
    labelFontSize: 11,
    titleFontSize: 11,
    titleFontWeight: 500,
    labelLimit: 220,
  };
  return {
    font: '"Inter Variable", system-ui, sans-serif',
    axis: {
      aria: false,
      ...text,
      gridColor: colours.faint,
      domainColor: colours.faint,
      tickColor: colours.faint,
      tickSize: 4,
      labelPadding: 4,
      titlePadding: 8,
    },
    axisQuantitative: { domain: false, ticks: false, labelOverlap: "parity" },
    axisX: { tickCount: 8 },
    legend: {
      aria: false,
      ...text,
      orient: "top",
      symbolSize: 70,
      symbolBaseFillColor: colours.muted,
      symbolBaseStrokeColor: colours.muted,
      title: null,
      offset: 6,
      columnPadding: 14,
    },
    header: { ...text, labelFontWeight: 600, labelColor: colours.ink },
    view: { stroke: null },
    range: {
      category: colours.category,
      ramp: colours.ramp,
      heatmap: colours.ramp,
      ordinal: colours.ramp,
    },
    mark: { tooltip: true, aria: false },
    bar: { cornerRadiusEnd: 2 },
    rule: { color: colours.muted },
    text: { color: colours.ink, fontSize: 11 },
    point: { filled: true, size: 70 },
  };
}
