import fc from "fast-check";
import {
  detectionsFromRecords,
  truthFromRecords,
} from "../../../../datasets/formats/coco-records.js";
import type { DetectionRecord, TruthRecord } from "../../../../datasets/formats/coco-set.js";
import {
  type CocoEvaluation,
  type CocoOptions,
  evaluateCoco,
} from "../../../../src/eval/metrics/coco/coco.js";

/** A detection set as records. */
export interface RecordSet {
  readonly images: readonly {
    readonly id: number;
    readonly width: number;
    readonly height: number;
  }[];
  readonly categories: readonly { readonly id: number; readonly name: string }[];
  readonly annotations: readonly TruthRecord[];
  readonly detections: readonly DetectionRecord[];
}

export function evaluate(set: RecordSet, options: CocoOptions = {}): CocoEvaluation {
  const truth = truthFromRecords(set);
  return evaluateCoco(truth, detectionsFromRecords(truth, set.detections), options);
}

export function valuesOf({ summary }: CocoEvaluation): Record<string, number | null> {
  return Object.fromEntries(summary.map((score) => [score.metric, score.value]));
}

/** One image of 1000 x 1000, id 1; `truths` and `detections` as [category, box, score]. */
export function oneImage(
  truths: readonly (readonly [number, readonly number[]])[],
  detections: readonly (readonly [number, readonly number[], number])[],
): RecordSet {
  const categories = [...new Set([...truths, ...detections].map(([category]) => category))].sort(
    (a, b) => a - b,
  );
  return {
    images: [{ id: 1, width: 1000, height: 1000 }],
    categories: categories.map((id) => ({ id, name: `class ${id}` })),
    annotations: truths.map(([category_id, bbox], i) => ({
      id: i + 1,
      image_id: 1,
      category_id,
      bbox,
      iscrowd: 0,
    })),
    detections: detections.map(([category_id, bbox, score]) => ({
      image_id: 1,
      category_id,
      bbox,
      score,
    })),
  };
}

interface Drawn {
  readonly image: number;
  readonly category: number;
  readonly cell: number;
  readonly size: number;
  readonly off: number;
  readonly crowd: boolean;
}

const drawn = fc.record({
  image: fc.nat(4),
  category: fc.nat(2),
  cell: fc.nat(8),
  size: fc.integer({ min: 5, max: 90 }),
  off: fc.double({ min: -0.5, max: 0.5, noNaN: true }),
  crowd: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
});

/**
 * Boxes in a grid of cells 100 px apart, so that boxes of other cells never meet; scores all
 * differ.
 */
export const recordSets: fc.Arbitrary<RecordSet> = fc
  .record({
    images: fc.integer({ min: 1, max: 5 }),
    categories: fc.integer({ min: 1, max: 3 }),
    truths: fc.array(drawn, { maxLength: 25 }),
    shots: fc.array(drawn, { maxLength: 40 }),
  })
  .map(({ images, categories, truths, shots }) => {
    const place = ({ cell, size, off }: Drawn): number[] => [
      (cell % 3) * 100 + (1 + off) * 2,
      Math.floor(cell / 3) * 100 + (1 - off) * 2,
      size * (1 + off / 10),
      size,
    ];
    return {
      images: Array.from({ length: images }, (_, i) => ({ id: i + 1, width: 640, height: 480 })),
      categories: Array.from({ length: categories }, (_, k) => ({ id: k + 1, name: `class ${k}` })),
      annotations: truths.map((d, i) => ({
        id: i + 1,
        image_id: (d.image % images) + 1,
        category_id: (d.category % categories) + 1,
        bbox: place(d),
        iscrowd: d.crowd ? 1 : 0,
      })),
      detections: shots.map((d, i) => ({
        image_id: (d.image % images) + 1,
        category_id: (d.category % categories) + 1,
        bbox: place(d),
        score: ((i * 37) % 41) / 41,
      })),
    };
  });
