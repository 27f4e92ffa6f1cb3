import type { GateDocument } from "../../src/eval/gate/gate-record.js";

/** A gate's judgement as the site holds it. */
export interface GateView {
  /** Of its record. */
  readonly key: string;
  readonly document: GateDocument;
}

/** Flips a data set that are shown with their picture. */
export const picturedFlips = 24;

/** A value of the two graphs in the divergence chart. */
export interface DivergencePoint {
  /** Its place in the order of computation, from 1. */
  readonly place: number;
  readonly value: string;
  readonly operator: string;
  readonly db: number;
  readonly kind: "first below the floor" | "below the floor" | "as usual";
}

/** Values that agree better than this are drawn here: rounding, and no finding. */
export const mostDb = 120;

/** The values whose agreement could be told, in the order of computation. */
export function divergencePoints(document: GateDocument): DivergencePoint[] {
  const layers = document.diagnosis?.layers;
  if (!layers) return [];
  const at = layers.first === null ? -1 : layers.rows.findIndex((row) => same(row, layers.first!));
  return layers.rows.flatMap(({ op, candidate, db }, i): DivergencePoint[] => {
    if (db === null) return [];
    const below = db < layers.floorDb;
    const kind = i === at ? "first below the floor" : below ? "below the floor" : "as usual";
    return [{ place: i + 1, value: candidate, operator: op, db: Math.min(db, mostDb), kind }];
  });
}

type Row = NonNullable<NonNullable<GateDocument["diagnosis"]>["layers"]>["rows"][number];

/** In JSON the first divergence is a copy of its row. */
function same(a: Row, b: Row): boolean {
  return a.candidate === b.candidate && a.baseline === b.baseline;
}

/** What the divergence chart shows, in words. */
export function divergenceSentence(document: GateDocument): string {
  const layers = document.diagnosis?.layers;
  if (!layers) return "The values of the two graphs were not compared.";
  const points = divergencePoints(document);
  const first = points.find((p) => p.kind === "first below the floor");
  const count = `${points.length} values of the two graphs`;
  const head = `How well each of ${count} agrees, in the order of computation`;
  return first
    ? `${head}: the first below ${layers.floorDb} dB is ${first.value} (${first.operator}).`
    : `${head}: none is below ${layers.floorDb} dB.`;
}
