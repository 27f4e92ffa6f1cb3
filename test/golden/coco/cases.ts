/**
 * The cases of the differential test against pycocotools, from a seed: each a small annotation
 * file, a detection file and options, most of them with something that evaluation code gets wrong.
 *
 *   npx tsx test/golden/coco/cases.ts | python3 test/golden/coco/make.py >
 *   test/golden/coco/expected.json
 */
import { pathToFileURL } from "node:url";
import type { DetectionRecord, TruthRecord } from "../../../datasets/formats/coco-set.js";
import { Random } from "../../../src/eval/stats/random.js";

export interface GoldenCase {
  readonly name: string;
  readonly truth: {
    readonly images: readonly {
      readonly id: number | string;
      readonly width: number;
      readonly height: number;
    }[];
    readonly categories: readonly { readonly id: number; readonly name: string }[];
    readonly annotations: readonly Required<Omit<TruthRecord, "ignore">>[];
  };
  readonly detections: readonly DetectionRecord[];
  readonly options: {
    readonly agnostic?: boolean;
    readonly maxDets?: readonly number[];
    readonly areas?: readonly {
      readonly name: string;
      readonly min: number;
      readonly max: number;
    }[];
    readonly iouThresholds?: readonly number[];
  };
}

type Box = readonly [number, number, number, number];

interface Recipe {
  readonly images?: number;
  readonly categories?: number;
  /** True boxes and detections an image, on average. */
  readonly truths?: number;
  readonly clutter?: number;
  /** Detections a true box. */
  readonly shots?: number;
  readonly spread?: number;
  readonly crowd?: number;
  readonly largest?: number;
  readonly score?: (random: Random) => number;
  readonly number?: (value: number) => number;
  readonly firstId?: number;
  readonly imageId?: (i: number) => number | string;
  readonly categoryId?: (k: number) => number;
  readonly mutate?: (set: Mutable, random: Random) => void;
  readonly options?: GoldenCase["options"];
}

interface Mutable {
  images: { id: number | string; width: number; height: number }[];
  categories: { id: number; name: string }[];
  annotations: {
    id: number;
    image_id: number | string;
    category_id: number;
    bbox: readonly number[];
    area: number;
    iscrowd: number | boolean;
  }[];
  detections: {
    image_id: number | string;
    category_id: number;
    bbox: readonly number[];
    score: number;
  }[];
}

const hundredth = (value: number): number => Math.round(value * 100) / 100;

/**
 * A set of images with true boxes, shots at them that miss by a little, and clutter. Only exactly
 * rounded arithmetic.
 */
function make(name: string, recipe: Recipe = {}): GoldenCase {
  const random = new Random(`coco/${name}`);
  const {
    images = 8,
    categories = 3,
    truths = 4,
    clutter = 2,
    shots = 1.5,
    spread = 0.3,
    crowd = 0,
    largest = 200,
    number = hundredth,
  } = recipe;
  const score = recipe.score ?? ((r: Random) => Math.round(r.next() * 1000) / 1000);
  const set: Mutable = { images: [], categories: [], annotations: [], detections: [] };
  for (let i = 0; i < images; i++)
    set.images.push({ id: recipe.imageId?.(i) ?? i + 1, width: 640, height: 480 });
  for (let k = 0; k < categories; k++)
    set.categories.push({ id: recipe.categoryId?.(k) ?? k + 1, name: `class ${k}` });
  const pick = <T>(list: readonly T[]): T => list[random.below(list.length)] as T;
  const some = (mean: number): number => Math.floor(random.next() * 2 * mean + 0.5);
  const draw = (): Box => {
    const w = 4 + random.next() * random.next() * largest;
    const h = 4 + random.next() * random.next() * largest;
    return [random.next() * (640 - w), random.next() * (480 - h), w, h];
  };
  for (const { id } of set.images) {
    for (let i = some(truths); i > 0; i--) {
      const box = draw();
      const [x, y, w, h] = box;
      const category_id = pick(set.categories).id;
      set.annotations.push({
        id: (recipe.firstId ?? 1) + set.annotations.length,
        image_id: id,
        category_id,
        bbox: box.map(number),
        area: number(w * h * (0.5 + random.next() / 2)),
        iscrowd: random.next() < crowd ? 1 : 0,
      });
      for (let j = some(shots); j > 0; j--) {
        const off = (): number => (random.next() - 0.5) * spread;
        set.detections.push({
          image_id: id,
          category_id: random.next() < 0.85 ? category_id : pick(set.categories).id,
          bbox: [x + w * off(), y + h * off(), w * (1 + off()), h * (1 + off())].map(number),
          score: score(random),
        });
      }
    }
    for (let i = some(clutter); i > 0; i--)
      set.detections.push({
        image_id: id,
        category_id: pick(set.categories).id,
        bbox: draw().map(number),
        score: score(random),
      });
  }
  recipe.mutate?.(set, random);
  const { detections, ...truth } = set;
  return { name, truth, detections, options: recipe.options ?? {} };
}

const tenths = (random: Random): number => random.below(10) / 10;
const equal = (): number => 0.5;
const each = (n: number, of: (i: number) => GoldenCase): GoldenCase[] =>
  Array.from({ length: n }, (_, i) => of(i));

/** Boxes whose areas lie on, just under and just over COCO's bounds. */
function areasOnBounds(set: Mutable): void {
  const sides = [
    [32, 32],
    [32, 31.99],
    [32, 32.01],
    [96, 96],
    [96, 95.99],
    [96, 96.01],
    [1024, 1],
    [1e5, 1e5],
    [1e5, 100001],
  ] as const;
  sides.forEach(([w, h], i) => {
    const at = set.images[i % set.images.length]!.id;
    const record = { image_id: at, category_id: 1, bbox: [10, 10, w, h] };
    set.annotations.push({ ...record, id: 1000 + i, area: w * h, iscrowd: 0 });
    set.detections.push({ ...record, score: 0.3 + i / 20 });
    set.detections.push({ ...record, bbox: [10, 10, w, h * 0.75], score: 0.9 - i / 20 });
  });
}

/** Detections whose IoU with a true box of 100 x 100 is a threshold exactly. */
function onThresholds(set: Mutable): void {
  for (let i = 0; i <= 10; i++) {
    const at = set.images[i % set.images.length]!.id;
    set.annotations.push({
      id: 2000 + i,
      image_id: at,
      category_id: 1,
      bbox: [0, 0, 100, 100],
      area: 10000,
      iscrowd: 0,
    });
    set.detections.push({
      image_id: at,
      category_id: 1,
      bbox: [0, 0, 100, 50 + 5 * i],
      score: 0.5 + i / 50,
    });
  }
}

/** Every true box again in the same place, and every third detection again. */
function duplicates(set: Mutable): void {
  const last = set.annotations.reduce((most, a) => Math.max(most, a.id), 0);
  set.annotations.push(...set.annotations.map((a, i) => ({ ...a, id: last + 1 + i })));
  set.detections.push(...set.detections.filter((_, i) => i % 3 === 0));
}

const flat = (set: Mutable): void => {
  set.annotations.forEach((a, i) => {
    if (i % 3 === 0)
      Object.assign(a, {
        bbox: [a.bbox[0], a.bbox[1], i % 2 ? 0 : a.bbox[2], i % 2 ? a.bbox[3] : 0],
        area: 0,
      });
  });
  set.detections.forEach((d, i) => {
    if (i % 4 === 0) d.bbox = [d.bbox[0]!, d.bbox[1]!, 0, i % 8 ? d.bbox[3]! : 0];
  });
};

const shuffled = (set: Mutable, random: Random): void => {
  set.images = random.shuffled(set.images);
  set.categories = random.shuffled(set.categories);
  set.annotations = random.shuffled(set.annotations);
  set.detections = random.shuffled(set.detections);
};

/** All at once. */
const kitchenSink = (set: Mutable, random: Random): void => {
  duplicates(set);
  areasOnBounds(set);
  onThresholds(set);
  flat(set);
  shuffled(set, random);
};

export function goldenCases(): GoldenCase[] {
  const finer = [
    { name: "all", min: 0, max: 1e10 },
    { name: "tiny", min: 0, max: 256 },
    { name: "some", min: 100, max: 5000 },
    { name: "none", min: 1e9, max: 1e10 },
  ];
  return [
    ...each(4, (i) => make(`plain ${i}`)),
    make("one image, one class", { images: 1, categories: 1 }),
    make("many classes, few boxes", { categories: 30, images: 6 }),
    ...each(3, (i) => make(`crowds ${i}`, { crowd: 0.3, shots: 3 })),
    make("crowds over everything", {
      crowd: 0.1,
      shots: 2,
      mutate: ({ images, annotations }) =>
        images.forEach(({ id }, i) =>
          annotations.push({
            id: 500 + i,
            image_id: id,
            category_id: 1 + (i % 3),
            bbox: [0, 0, 640, 480],
            area: 300000,
            iscrowd: true,
          }),
        ),
    }),
    make("only crowds", { crowd: 1 }),
    make("empty images", { images: 30, truths: 0.4, clutter: 0.3 }),
    make("no detections", {
      mutate: (set) => {
        set.detections = [];
      },
    }),
    make("no truth", {
      mutate: (set) => {
        set.annotations = [];
      },
    }),
    make("neither", {
      mutate: (set) => {
        set.annotations = [];
        set.detections = [];
      },
    }),
    make("a class without truth, a class without detections", {
      mutate: (set) => {
        set.annotations = set.annotations.filter((a) => a.category_id !== 1);
        set.detections = set.detections.filter((d) => d.category_id !== 2);
      },
    }),
    make("detections of a class that the truth lacks", {
      mutate: ({ detections }) =>
        detections.forEach((d, i) => {
          if (i % 5 === 0) d.category_id = 77;
        }),
    }),
    ...each(3, (i) => make(`ties ${i}`, { score: tenths, shots: 3 })),
    make("all scores equal", { score: equal, shots: 2 }),
    make("all scores equal, agnostic", { score: equal, shots: 2, options: { agnostic: true } }),
    make("scores below 0 and above 1", { score: (r) => Math.round((r.next() - 0.5) * 40) / 10 }),
    make("scores that differ in the last bit", { score: (r) => 0.7 + r.below(8) * 2 ** -53 }),
    make("duplicate boxes", { mutate: duplicates }),
    make("duplicate boxes and ties", { score: tenths, mutate: duplicates }),
    make("zero areas", { mutate: flat }),
    make("negative sizes", {
      mutate: ({ annotations, detections }) => {
        annotations.forEach((a, i) => {
          if (i % 4 === 0)
            Object.assign(a, { bbox: [a.bbox[0], a.bbox[1], -a.bbox[2]!, a.bbox[3]] });
        });
        annotations.forEach((a, i) => {
          if (i % 9 === 0) Object.assign(a, { area: -a.area });
        });
        detections.forEach((d, i) => {
          if (i % 5 === 0)
            d.bbox = [d.bbox[0]!, d.bbox[1]!, -d.bbox[2]!, i % 2 ? d.bbox[3]! : -d.bbox[3]!];
        });
      },
    }),
    make("huge boxes", {
      mutate: ({ annotations, detections }) => {
        annotations.forEach((a, i) => {
          if (i % 4 === 0) Object.assign(a, { bbox: [-1e160, -1e160, 2e160, 2e160], area: 1e300 });
        });
        detections.forEach((d, i) => {
          if (i % 4 === 0) d.bbox = [-1e160, -1e160, 2e160, 1.9e160];
        });
      },
    }),
    make("boxes too small for their areas", {
      mutate: ({ annotations, detections }) =>
        [...annotations, ...detections].forEach((r) => {
          r.bbox = [
            r.bbox[0]! * 1e-190,
            r.bbox[1]! * 1e-190,
            r.bbox[2]! * 1e-190,
            r.bbox[3]! * 1e-190,
          ];
        }),
    }),
    make("boxes outside the images", {
      mutate: ({ detections }) =>
        detections.forEach((d, i) => {
          if (i % 4 === 0) d.bbox = [d.bbox[0]! - 900, d.bbox[1]!, d.bbox[2]!, d.bbox[3]!];
        }),
    }),
    make("whole numbers", { number: Math.round, spread: 0.1, shots: 3 }),
    make("numbers of full precision", { number: (v) => v, score: (r) => r.next() }),
    make("areas on the bounds", { mutate: areasOnBounds }),
    make("overlaps on the thresholds", { mutate: onThresholds }),
    make("perfect", {
      mutate: (set) => {
        set.detections = set.annotations.map((a, i) => ({
          image_id: a.image_id,
          category_id: a.category_id,
          bbox: a.bbox,
          score: 1 - i / 1000,
        }));
      },
    }),
    make("near misses, dense", { images: 4, truths: 20, shots: 4, largest: 60, spread: 0.5 }),
    make("dense with mixed sizes", {
      images: 3,
      truths: 40,
      shots: 2,
      largest: 400,
      spread: 0.6,
      crowd: 0.1,
      categories: 2,
    }),
    make("more than 100 detections an image", {
      images: 3,
      categories: 1,
      truths: 10,
      clutter: 140,
    }),
    make("more than 100, agnostic", {
      images: 3,
      categories: 4,
      truths: 10,
      clutter: 140,
      options: { agnostic: true },
    }),
    make("maxDets 1, 2, 3", { shots: 4, clutter: 5, options: { maxDets: [1, 2, 3] } }),
    make("maxDets 5, out of order, ties", {
      shots: 4,
      score: tenths,
      options: { maxDets: [5, 1, 20] },
    }),
    make("maxDets 1000", {
      images: 2,
      categories: 1,
      clutter: 400,
      options: { maxDets: [10, 300, 1000] },
    }),
    make("other areas", { truths: 8, options: { areas: finer } }),
    make("other thresholds", { truths: 8, options: { iouThresholds: [0.1, 0.5, 0.33, 1] } }),
    make("threshold 1, boxes off by less than 1e-10 and by more", {
      options: { iouThresholds: [0.5, 1] },
      mutate: ({ annotations, detections }) =>
        annotations.forEach((a, i) =>
          detections.push({
            image_id: a.image_id,
            category_id: a.category_id,
            bbox: [a.bbox[0]!, a.bbox[1]!, a.bbox[2]!, a.bbox[3]! * (1 - [0, 1e-11, 1e-9][i % 3]!)],
            score: 0.9,
          }),
        ),
    }),
    make("one threshold, agnostic", {
      truths: 8,
      options: { iouThresholds: [0.5], agnostic: true },
    }),
    ...each(3, (i) =>
      make(`agnostic ${i}`, {
        score: tenths,
        crowd: 0.1,
        shots: 3,
        options: { agnostic: true },
        categoryId: (k) => 9 - 2 * k,
      }),
    ),
    make("ids with gaps, in no order", {
      imageId: (i) => ((i * 7919) % 1000) + 13,
      categoryId: (k) => [90, 1, 44][k]!,
      score: tenths,
      mutate: shuffled,
    }),
    make("ids far apart", { imageId: (i) => i * 900_000_000_000 + 5, mutate: shuffled }),
    make("ids below 0", {
      imageId: (i) => i - 4,
      categoryId: (k) => k - 1,
      firstId: -1000,
      score: tenths,
    }),
    make("image ids of text", {
      imageId: (i) => `${"zaéZ𝒳9"[i % 5] ?? ""}${i}`,
      score: tenths,
      mutate: shuffled,
    }),
    ...each(3, (i) =>
      make(`an annotation of id 0, ${i}`, {
        firstId: 0,
        truths: 6,
        shots: 2,
        score: tenths,
        options: { agnostic: i === 2 },
      }),
    ),
    ...each(4, (i) =>
      make(`id 0 where it matters, ${i}`, {
        firstId: 1,
        shots: 2,
        mutate: ({ annotations, detections }) => {
          const first = annotations[0]!;
          const side = [20, 60, 200, 60][i]!;
          Object.assign(first, {
            id: 0,
            bbox: [5, 5, side, side],
            area: [400, 3600, 5000, 300][i]!,
            iscrowd: 0,
          });
          detections.push({
            image_id: first.image_id,
            category_id: first.category_id,
            bbox: [5, 5, side, side - 1],
            score: 0.99,
          });
          detections.push({
            image_id: first.image_id,
            category_id: first.category_id,
            bbox: [5, 5, side, side],
            score: 0.98,
          });
        },
      }),
    ),
    make("id 0 among boxes that overlap it", {
      shots: 2,
      mutate: ({ annotations, detections }) => {
        const first = annotations[0]!;
        Object.assign(first, { id: 0, bbox: [5, 5, 60, 60], area: 3000, iscrowd: 0 });
        annotations.push(
          { ...first, id: 700, bbox: [5, 5, 60, 50], area: 2500 },
          { ...first, id: 701, bbox: [15, 5, 50, 60], area: 900 },
        );
        for (const [height, score] of [
          [60, 0.99],
          [55, 0.98],
          [50, 0.97],
          [58, 0.96],
        ] as const)
          detections.push({
            image_id: first.image_id,
            category_id: first.category_id,
            bbox: [5, 5, 60, height],
            score,
          });
      },
    }),
    ...each(6, (i) =>
      make(`everything ${i}`, {
        images: 12,
        truths: 6,
        shots: 3,
        crowd: 0.1,
        score: i % 2 ? tenths : undefined,
        mutate: kitchenSink,
        options: { agnostic: i >= 4 },
      } as Recipe),
    ),
  ];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href)
  process.stdout.write(JSON.stringify(goldenCases()));
