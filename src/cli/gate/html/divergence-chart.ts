import type { LayerReport } from "../../../eval/gate/diagnosis.js";
import { markup, type Markup } from "./markup.js";

const width = 720;
const height = 240;
const margin = { left: 44, right: 12, top: 14, bottom: 34 };
/** Values that agree better than this are drawn at the top: rounding, and no finding. */
const mostDb = 120;

/**
 * How well each value of the two graphs agrees, in the order of computation: the floor of this kind
 * of change, and the first value below it.
 */
export function divergenceChart({ rows, first, floorDb }: LayerReport): Markup {
  const known = rows.flatMap((row, i) => (row.db === null ? [] : [{ row, i, db: row.db }]));
  if (known.length === 0) return markup`<p>No value of the two graphs could be compared.</p>`;
  const least = Math.min(0, floorDb, ...known.map(({ db }) => db));
  const bottom = height - margin.bottom;
  const x = (i: number): string => {
    const share = rows.length < 2 ? 0.5 : i / (rows.length - 1);
    return (margin.left + share * (width - margin.left - margin.right)).toFixed(1);
  };
  const y = (db: number): string => {
    const share = (Math.min(db, mostDb) - least) / (mostDb - least);
    return (bottom - share * (bottom - margin.top)).toFixed(1);
  };
  const across = (kind: string, db: number): Markup => {
    const [from, to] = [margin.left, width - margin.right];
    return markup`<line class="${kind}" x1="${from}" x2="${to}" y1="${y(db)}" y2="${y(db)}"/>`;
  };
  const ticks = [0, 30, 60, 90, 120].map(
    (db) => markup`${across("grid", db)}
<text x="${margin.left - 6}" y="${y(db)}" class="tick">${db}</text>
`,
  );
  const dots = known.map(({ row, i, db }) => {
    const kind = row === first ? "first" : db < floorDb ? "below" : "fine";
    const told = markup`<title>${row.op}, ${row.candidate}: ${db.toFixed(1)} dB</title>`;
    const radius = row === first ? 5 : 2.5;
    return markup`<circle class="${kind}" cx="${x(i)}" cy="${y(db)}" r="${radius}">${told}</circle>
`;
  });
  const label = sentence(first, floorDb, known.length);
  return markup`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">
${ticks}
${across("floor", floorDb)}
<text x="${width - margin.right}" y="${y(floorDb)}" class="above">usual: ${floorDb} dB</text>
${dots}
<text x="${margin.left}" y="${height - 8}">order of computation, ${rows.length} values</text>
<text x="4" y="10">signal to noise (dB)</text>
</svg>`;
}

function sentence(first: LayerReport["first"], floorDb: number, count: number): string {
  return first
    ? `Of ${count} values, the first below ${floorDb} dB is ${first.candidate} (${first.op}).`
    : `None of ${count} values is below ${floorDb} dB.`;
}
