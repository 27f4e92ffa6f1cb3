/**
 * Writes the three detection sets that `bench/coco.ts` measures: seeded, so that every machine gets
 * the same bytes.
 *
 *   npx tsx bench/coco-generate.ts FOLDER [val|dense|body ...]
 *
 * val    5,000 images, 80 categories, 36,781 truths as in COCO val2017, 36,781 detections dense
 * the same truth, 250,000 detections body   1 category, 5,000 images, 10,000 truths, 500,000
 * detections: main-body detection with every proposal kept
 *
 * Truth boxes have two decimals as COCO's; detections are float32 values printed in full, as
 * detectors dump them.
 */
import { closeSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Random } from "../src/eval/stats/random.js";

export interface BenchSet {
  readonly seed: number;
  readonly images: number;
  readonly categories: number;
  readonly truths: number;
  readonly detections: number;
}

export const benchSets: Readonly<Record<string, BenchSet>> = {
  val: { seed: 2017, images: 5000, categories: 80, truths: 36_781, detections: 36_781 },
  dense: { seed: 2017, images: 5000, categories: 80, truths: 36_781, detections: 250_000 },
  body: { seed: 2021, images: 5000, categories: 1, truths: 10_000, detections: 500_000 },
};

const width = 640;
const height = 480;
const cents = (value: number): number => Math.round(value * 100) / 100;

/** The path of one set's files in `folder`. */
export function benchFiles(folder: string, name: string): { truth: string; detections: string } {
  return {
    truth: join(folder, `${name}-truth.json`),
    detections: join(folder, `${name}-detections.json`),
  };
}

interface Truth {
  readonly image: number;
  readonly category: number;
  readonly box: readonly [number, number, number, number];
}

/** Writes both files of one set. */
export function writeBenchSet(folder: string, name: string, set: BenchSet): void {
  mkdirSync(folder, { recursive: true });
  const files = benchFiles(folder, name);
  const generator = new Random(set.seed);
  const random = (): number => generator.next();
  // Frequent classes are far more frequent, as in COCO, where one annotation in three is a person.
  const drawCategory = (): number => Math.floor(set.categories * random() ** 3);
  const drawBox = (): [number, number, number, number] => {
    // 8 to 480 px, so that small, medium and large objects all occur
    const side = 8 * 60 ** random();
    const w = Math.min(width, side * (0.6 + 0.8 * random()));
    const h = Math.min(height, side * (0.6 + 0.8 * random()));
    return [random() * (width - w), random() * (height - h), w, h];
  };

  const truths: Truth[] = [];
  writeList(files.truth, (line) => {
    line('{"info": {"description": "generated"}, "images": [');
    for (let i = 0; i < set.images; i++) {
      line(
        `${i ? ", " : ""}{"license": 4, "file_name": ` +
          `"${String(i + 1).padStart(12, "0")}.jpg", "height": ${height}, "width": ${width}, ` +
          `"id": ${i + 1}}`,
      );
    }
    line('], "annotations": [');
    for (let i = 0; i < set.truths; i++) {
      const box = drawBox().map(cents) as [number, number, number, number];
      const truth = {
        image: 1 + Math.floor(random() * set.images),
        category: 1 + drawCategory(),
        box,
      };
      const crowd = random() < 0.012 ? 1 : 0;
      truths.push(truth);
      line(
        `${i ? ", " : ""}{"segmentation": [], "area": ` +
          `${cents(box[2] * box[3] * (0.5 + 0.5 * random()))}, "iscrowd": ${crowd}, ` +
          `"image_id": ${truth.image}, "bbox": [${box.join(", ")}], "category_id": ` +
          `${truth.category}, "id": ${i + 1}}`,
      );
    }
    line('], "categories": [');
    for (let c = 1; c <= set.categories; c++)
      line(`${c > 1 ? ", " : ""}{"supercategory": "thing", "id": ${c}, "name": "class ${c}"}`);
    line("]}");
  });

  writeList(files.detections, (line) => {
    line("[");
    for (let i = 0; i < set.detections; i++) {
      // The first pass finds most objects, later passes are near-duplicates and clutter, with lower
      // scores.
      const pass = Math.floor(i / set.truths);
      let image: number, category: number, score: number;
      let box: readonly number[];
      if (random() < (pass === 0 ? 0.8 : 0.3)) {
        const truth = truths[i % set.truths] as Truth;
        const jitter = (): number => (random() + random() - 1) * (pass === 0 ? 0.2 : 0.6);
        const [x, y, w, h] = truth.box;
        box = [x + jitter() * w, y + jitter() * h, w * (1 + jitter()), h * (1 + jitter())];
        image = truth.image;
        category = random() < 0.95 ? truth.category : 1 + drawCategory();
        score = 1 - random() ** 2 * 0.9;
      } else {
        box = drawBox();
        image = 1 + Math.floor(random() * set.images);
        category = 1 + drawCategory();
        score = random() ** 2;
      }
      score /= 1 + pass * random();
      line(
        `${i ? ", " : ""}{"image_id": ${image}, "category_id": ${category}, "bbox": ` +
          `[${box.map(Math.fround).join(", ")}], "score": ${Math.fround(score)}}`,
      );
    }
    line("]");
  });
}

/** Streams `fill`'s lines into a file that only gets its name once it is whole. */
function writeList(file: string, fill: (line: (text: string) => void) => void): void {
  const temporary = `${file}.part`;
  const handle = openSync(temporary, "w");
  let pending = "";
  fill((text) => {
    pending += text;
    if (pending.length > 1 << 20) {
      writeSync(handle, pending);
      pending = "";
    }
  });
  writeSync(handle, pending);
  closeSync(handle);
  renameSync(temporary, file);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [folder, ...names] = process.argv.slice(2);
  if (!folder) {
    console.error(
      `usage: npx tsx bench/coco-generate.ts FOLDER [${Object.keys(benchSets).join("|")} ...]`,
    );
    process.exit(2);
  }
  for (const name of names.length ? names : Object.keys(benchSets)) {
    const set = benchSets[name];
    if (!set) {
      console.error(
        `no set ${JSON.stringify(name)}: choose from ${Object.keys(benchSets).join(", ")}`,
      );
      process.exit(2);
    }
    writeBenchSet(folder, name, set);
    console.log(`${name}: ${Object.values(benchFiles(folder, name)).join(", ")}`);
  }
}
