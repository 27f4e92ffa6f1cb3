/**
 * Do the laws of growth hold? Seeded data sets: an index is measured at three sizes, and what the
 * law says of a fourth, 2.4 times as large as the largest, is held against what is measured there.
 * Sizes are a tenth of 10k, 30k, 60k and 145k unless told otherwise.
 *
 *   npx tsx bench/choose-growth.ts
 *   npx tsx bench/choose-growth.ts --sets 5 --sizes 10000,30000,60000,145000 --dim 512
 */
import { parseArgs } from "node:util";
import { build } from "../src/eval/choose/building/built.js";
import { firstRows, type LabelledVectors } from "../src/eval/choose/data/choice-data.js";
import { growthOf } from "../src/eval/choose/growth/growth.js";
import { measurePoint } from "../src/eval/choose/measure.js";
import { valueOf, type FigureName, type Point, type Setting } from "../src/eval/choose/point.js";
import { factoryAt } from "../src/eval/choose/space.js";
import { findTruth } from "../src/eval/choose/truth.js";
import { Random } from "../src/eval/stats/random.js";
import { wilsonInterval } from "../src/eval/stats/proportion.js";
import { writeResult } from "./result.js";

const { values } = parseArgs({
  options: {
    sets: { type: "string", default: "20" },
    sizes: { type: "string", default: "1000,3000,6000,14500" },
    dim: { type: "string", default: "64" },
  },
});
const sizes = values.sizes.split(",").map(Number);
const dim = Number(values.dim);
const metric = "inner-product" as const;

const base = { engine: "faiss", codes: "real", build: {}, leastSize: 1 } as const;
const nprobe = { name: "nprobe", values: [8], largest: 8 };
const efSearch = { name: "efSearch", values: [64], largest: 64 };
const settings: readonly Setting[] = [
  { ...base, family: "Flat", factory: "Flat", knob: null },
  { ...base, family: "IVF", factory: "IVF{root},Flat", knob: nprobe },
  { ...base, family: "HNSW", factory: "HNSW32", knob: efSearch },
];

/** Unit vectors around centres whose number, width and weight are drawn with the set. */
function draw(set: number, n: number, stream: string): LabelledVectors {
  const of = new Random(`choose-growth/${set}`);
  const clusters = 20 + of.below(300);
  const spread = 0.3 + 0.5 * of.next();
  const middle = Float32Array.from({ length: clusters * dim }, () => of.normal());
  const random = new Random(`choose-growth/${set}/${stream}`);
  const data = new Float32Array(n * dim);
  for (let row = 0; row < n; row++) {
    const own = random.below(clusters) * dim;
    const vector = data.subarray(row * dim, (row + 1) * dim);
    for (let d = 0; d < dim; d++) vector[d] = middle[own + d]! + spread * random.normal();
    const norm = Math.hypot(...vector);
    for (let d = 0; d < dim; d++) vector[d]! /= norm;
  }
  return { rows: { data, dim }, labels: null };
}

async function measureAt(
  setting: Setting,
  gallery: LabelledVectors,
  queries: LabelledVectors,
  size: number,
): Promise<Point> {
  const truth = await findTruth({ gallery, queries, metric, size, k: 10 });
  const built = await build(setting, firstRows(gallery.rows, size), metric);
  const { knob } = setting;
  const parameters = knob === null ? {} : { [knob.name]: knob.values[0]! };
  const effort = { leastSamples: 300, mostSamples: 300, timingMs: 0, batchRounds: 1 };
  try {
    return await measurePoint(built, { truth, parameters, effort });
  } finally {
    built.index.close();
  }
}

interface Held {
  readonly family: string;
  readonly figure: FigureName;
  readonly covered: boolean;
  readonly error: number;
}

async function hold(set: number): Promise<Held[]> {
  const last = sizes.at(-1)!;
  const gallery = draw(set, last, "gallery");
  const queries = draw(set, 300, "queries");
  const held: Held[] = [];
  for (const setting of settings) {
    const points: Point[] = [];
    for (const size of sizes) points.push(await measureAt(setting, gallery, queries, size));
    const truth = points.at(-1)!;
    const known = points.slice(0, -1);
    const growth = growthOf(known, known.at(-1)!, dim, [last]);
    if ("why" in growth) throw new Error(growth.why);
    if (truth.factory !== factoryAt(setting, last)) throw new Error("not what was asked for");
    for (const { figure, predictions } of growth.figures) {
      const found = valueOf(truth, figure);
      const [said] = predictions;
      if (found === null || said === undefined) continue;
      const [low, high] = said.ci ?? [said.value, said.value];
      const covered = found >= low && found <= high;
      held.push({ family: setting.family, figure, covered, error: said.value / found - 1 });
    }
  }
  return held;
}

const all: Held[] = [];
for (let set = 0; set < Number(values.sets); set++) {
  all.push(...(await hold(set)));
  console.log(`${set + 1} of ${values.sets}`);
}
const groups = new Map<string, Held[]>();
for (const one of all) {
  const name = `${one.family}, ${one.figure}`;
  groups.set(name, [...(groups.get(name) ?? []), one]);
}
const within = (of: readonly Held[], most: number): number =>
  of.filter((h) => Math.abs(h.error) <= most).length;
const most = (figure: FigureName): number => (figure === "diskBytes" ? 0.01 : 0.15);
const rows = [...groups].map(([name, of]) => {
  const covered = of.filter((h) => h.covered).length;
  const { low, high } = wilsonInterval(covered, of.length);
  const errors = of.map((h) => Math.abs(h.error)).sort((a, b) => a - b);
  const either = of.filter((h) => h.covered || Math.abs(h.error) <= most(h.figure)).length;
  return [
    name,
    of.length,
    {
      value: covered / of.length,
      ci: [low, high] as [number, number],
    },
    errors[Math.floor(errors.length / 2)]!,
    within(of, most(of[0]!.figure)) / of.length,
    either / of.length,
  ];
});
const held = all.filter((h) => h.covered || Math.abs(h.error) <= most(h.figure)).length;
const known = sizes.slice(0, -1).join(", ");
await writeResult({
  name: "choose-growth",
  title: "Growth foretold",
  subject: "search-engines",
  findings: [
    `${values.sets} data sets of ${dim} floats, measured at ${known} and held against ` +
      `${sizes.at(-1)}: the interval or the tolerance (15%, bytes 1%) holds ${held} of ` +
      `${all.length} figures.`,
  ],
  tables: [
    {
      columns: [
        { head: "index, figure", unit: "text" },
        { head: "data sets", unit: "count" },
        { head: "covered by the 95% interval", unit: "share" },
        { head: "median error", unit: "share" },
        { head: "within 15% (bytes 1%)", unit: "share" },
        { head: "either", unit: "share" },
      ],
      rows,
    },
  ],
});
