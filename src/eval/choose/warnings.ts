import { createHash } from "node:crypto";
import { isCodes, rowCount, type Codes, type Vectors } from "../../pipeline/types.js";
import { binarise } from "../../pipeline/index/binarise.js";
import type { ChoiceData } from "./data/choice-data.js";
import type { Judged } from "./pick.js";
import { isOlder } from "./space.js";
import { valueOf, type Point } from "./point.js";

export interface Warning {
  /** Stable, kebab-case. */
  readonly code: string;
  readonly message: string;
}

const share = (n: number, of: number): string => `${n} of ${of} (${((100 * n) / of).toFixed(1)}%)`;

/** What a reader should know of the vectors, before any index. */
export function dataWarnings(data: ChoiceData, similarNeighbours: number | null): Warning[] {
  const { rows } = data.gallery;
  const n = rowCount(rows);
  const warnings: Warning[] = [];
  const twins = duplicates(rows);
  if (twins > 0) {
    warnings.push({
      code: "duplicates",
      message:
        `${share(twins, n)} vectors equal another: which of them comes back is chance, ` +
        "and recall counts any",
    });
  }
  const constant = constantBits(rows);
  if (constant > 0) {
    warnings.push({
      code: "constant-bits",
      message: `${constant} of the signs are the same in all vectors: binary indexes waste them`,
    });
  }
  if (similarNeighbours !== null && similarNeighbours >= burstShare) {
    warnings.push({
      code: "burst-shots",
      message:
        `${(100 * similarNeighbours).toFixed(0)}% of the held-out queries have an all but equal ` +
        `vector in the gallery (cosine ${burstCosine} or more): burst shots make recall look ` +
        "higher than new pictures will have it",
    });
  }
  return warnings;
}

const burstShare = 0.2;
/** Two pictures this alike are taken for shots of one burst. */
export const burstCosine = 0.95;

/** Rows that are equal to an earlier one. */
export function duplicates(rows: Vectors | Codes): number {
  const width = isCodes(rows) ? rows.bits / 8 : rows.dim * 4;
  const bytes = new Uint8Array(rows.data.buffer, rows.data.byteOffset, rows.data.byteLength);
  const seen = new Set<string>();
  const n = rowCount(rows);
  for (let row = 0; row < n; row++) {
    const own = bytes.subarray(row * width, (row + 1) * width);
    seen.add(createHash("sha1").update(own).digest("base64"));
  }
  return n - seen.size;
}

function constantBits(rows: Vectors | Codes): number {
  if (!isCodes(rows) && rows.dim % 8 !== 0) return 0;
  const codes = isCodes(rows) ? rows : binarise(rows.data, rows.dim, "sign");
  if ("nanRow" in codes || rowCount(codes) < 2) return 0;
  const width = codes.bits / 8;
  const changed = new Uint8Array(width);
  for (let i = width; i < codes.data.length; i++) {
    changed[i % width]! |= codes.data[i]! ^ codes.data[i % width]!;
  }
  let constant = codes.bits;
  for (let byte of changed) for (; byte > 0; byte &= byte - 1) constant--;
  return constant;
}

/** What to know of the index that is picked. */
export function pickWarnings(
  best: Judged | null,
  points: readonly Point[],
  faiss: string,
): Warning[] {
  const warnings: Warning[] = [];
  if (isOlder(faiss, "1.8.0")) {
    warnings.push({
      code: "faiss-version",
      message:
        `measured with Faiss ${faiss}: a later one, for AVX-512, searches HNSW up to twice as ` +
        "fast; measure with the one that you deploy",
    });
  }
  if (best === null) return warnings;
  const { point } = best;
  const { setting, parameters } = point;
  for (const [name, usual] of Object.entries(defaults)) {
    const value = parameters[name];
    if (value === undefined) continue;
    warnings.push({ code: `${name}-default`, message: defaultMessage(name, usual, point, points) });
  }
  if (!point.removable) {
    warnings.push({
      code: "no-removal",
      message:
        "this index cannot remove entries: it must be built anew; " +
        "--deletes chooses among those that can",
    });
  }
  for (const message of point.warnings) warnings.push({ code: "training", message });
  if (setting.engine === "two-stage") {
    warnings.push({
      code: "two-stage",
      message: "the shortlist is ranked by this program: other software needs those lines, too",
    });
  }
  return warnings;
}

/** What Faiss takes where nobody sets it. */
const defaults: Readonly<Record<string, number>> = { nprobe: 1, efSearch: 16 };

function defaultMessage(
  name: string,
  usual: number,
  point: Point,
  points: readonly Point[],
): string {
  const value = point.parameters[name]!;
  const plain = points.find((p) => p.factory === point.factory && p.parameters[name] === usual);
  const recall = plain ? valueOf(plain, "neighbourRecall") : null;
  if (value === usual) return `${name} ${usual} is Faiss's default; set it all the same`;
  const there = recall === null ? "" : `, where recall is ${recall.toFixed(3)}`;
  const without = `without that Faiss, and PaddleClas, search with ${usual}${there}`;
  return `set ${name} to ${value}: ${without}`;
}
