/**
 * How many values differ from OpenCV's, over random pictures and sizes, and over photos.
 *
 *   npx tsx bench/preprocess-parity.ts [--pictures 500] [--seed 1] [--photos FOLDER] [--json]
 *
 * Resizes with both kernels, and normalises; decodes every picture below FOLDER. Ends with exit
 * code 1 where a bar is missed: linear at most 1 apart in under 0.1% of values, cubic at most 1
 * apart in under 0.5%. Ends with 0 where no Python with cv2 is found.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { print, printJson, table, warn } from "../src/cli/terminal.js";
import { Random } from "../src/eval/stats/random.js";
import { UserError } from "../src/pipeline/errors.js";
import { decode } from "../src/pipeline/image/image.js";
import {
  type KernelName,
  toTensor,
  usePreprocessingKernel,
} from "../src/pipeline/image/preprocess.js";
import { resizeKernel } from "../src/pipeline/image/resize-kernel.js";
import { patchOf } from "../src/pipeline/image/resize.js";
import type { Box, Pixels, Preprocessing } from "../src/pipeline/types.js";
import { findPython, Reference } from "./preprocess-reference.js";
import { writeResult } from "./result.js";

const { values: options } = parseArgs({
  options: {
    pictures: { type: "string", default: "500" },
    seed: { type: "string", default: "1" },
    photos: { type: "string" },
    json: { type: "boolean", default: false },
  },
});

/** Differences between two arrays of values, added up over pictures. */
class Tally {
  pictures = 0;
  values = 0;
  differing = 0;
  largest = 0;

  constructor(
    readonly name: string,
    readonly bar: { readonly share: number; readonly largest: number } | null,
  ) {}

  add(ours: Uint8Array | Float32Array, theirs: Uint8Array | Float32Array): void {
    if (ours.length !== theirs.length)
      throw new Error(`${this.name}: ${ours.length} values, OpenCV has ${theirs.length}`);
    this.pictures++;
    this.values += ours.length;
    for (let i = 0; i < ours.length; i++) {
      if (ours[i] === theirs[i]) continue;
      this.differing++;
      this.largest = Math.max(this.largest, Math.abs(ours[i]! - theirs[i]!));
    }
  }

  get missed(): boolean {
    return (
      this.bar !== null &&
      (this.largest > this.bar.largest || this.differing > this.bar.share * this.values)
    );
  }
}

function randomPicture(random: Random): Pixels {
  const most = random.next() < 0.2 ? 700 : 80;
  const [width, height] = [1 + random.below(most), 1 + random.below(most)];
  const kind = random.below(3);
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++)
    data[i] =
      kind === 0
        ? random.below(256)
        : kind === 1
          ? random.below(2) * 255
          : 128 + 100 * Math.sin(i / 37) + random.below(20);
  return { data, width, height };
}

function randomWindow(random: Random, { width, height }: Pixels): Box {
  if (random.next() < 0.5) return { x0: 0, y0: 0, x1: width, y1: height };
  const [x0, y0] = [random.below(width), random.below(height)];
  return { x0, y0, x1: x0 + 1 + random.below(width - x0), y1: y0 + 1 + random.below(height - y0) };
}

async function compareResize(
  reference: Reference,
  kernels: readonly KernelName[],
  pictures: number,
  random: Random,
): Promise<Tally[]> {
  const bars = { linear: { share: 0.001, largest: 1 }, cubic: { share: 0.005, largest: 1 } };
  const tallies = new Map<string, Tally>();
  const tally = (name: string, bar: Tally["bar"]): Tally =>
    tallies.get(name) ?? tallies.set(name, new Tally(name, bar)).get(name)!;
  for (let i = 0; i < pictures; i++) {
    const pixels = randomPicture(random);
    const window = randomWindow(random, pixels);
    // Now and then exactly half, OpenCV's special case.
    const halved = random.next() < 0.1 && window.x1 - window.x0 > 1 && window.y1 - window.y0 > 1;
    const most = random.next() < 0.2 ? 700 : 80;
    const width = halved ? (window.x1 - window.x0) >> 1 : 1 + random.below(most);
    const height = halved ? (window.y1 - window.y0) >> 1 : 1 + random.below(most);
    await reference.load(pixels);
    for (const interpolation of ["linear", "cubic"] as const) {
      const theirs = await reference.resize(window, width, height, interpolation);
      const spec: Preprocessing = {
        width,
        height,
        interpolation,
        colour: "rgb",
        layout: "nchw",
        scale: 1 / 255,
        mean: [0.485, 0.456, 0.406],
        std: [0.229, 0.224, 0.225],
      };
      const { tensor } = await reference.chain(window, spec, true);
      for (const kernel of kernels) {
        usePreprocessingKernel(kernel);
        const ours = new Uint8Array(width * height * 3);
        resizeKernel().toBytes(patchOf(pixels, window), width, height, interpolation, ours);
        tally(`${interpolation}, ${kernel}`, bars[interpolation]).add(ours, theirs);
        tally(`${interpolation} and normalise, ${kernel}`, null).add(
          toTensor(pixels, spec, undefined, window),
          tensor,
        );
      }
    }
  }
  return [...tallies.values()];
}

async function compareDecode(reference: Reference, folder: string): Promise<Tally> {
  const tally = new Tally("decode", null);
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.(jpe?g|png|webp|tiff?)$/i.test(entry.name)) continue;
    const file = join(entry.parentPath ?? entry.path, entry.name);
    const bytes = readFileSync(file);
    try {
      const ours = await decode(bytes, { file });
      const theirs = await reference.ask({ op: "decode", want: true }, bytes);
      if (theirs.width !== ours.width || theirs.height !== ours.height)
        warn(
          `${file}: ${ours.width} x ${ours.height}, OpenCV has ${String(theirs.width)} x ` +
            `${String(theirs.height)}`,
        );
      else tally.add(ours.data, theirs.payload);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      warn(error.message);
    }
  }
  return tally;
}

const python = findPython();
if (python === null) {
  warn(
    "no Python with cv2 and numpy was found: nothing to compare with. On Debian: apt-get " +
      "install python3-opencv; elsewhere set SHITU_PYTHON",
  );
} else {
  const reference = new Reference(python);
  const { cv2, numpy } = await reference.ask({ op: "versions" });
  const kernels: KernelName[] = ["native", "typescript"];
  const tallies = await compareResize(
    reference,
    kernels,
    Number(options.pictures),
    new Random(options.seed),
  );
  if (options.photos !== undefined) tallies.push(await compareDecode(reference, options.photos));
  reference.close();
  await writeResult({
    name: "preprocess-parity",
    title: "Decoding and resizing beside cv2",
    subject: "preprocessing",
    versions: { cv2: String(cv2), numpy: String(numpy) },
    findings: [`Against cv2 ${String(cv2)} and NumPy ${String(numpy)}, seed ${options.seed}.`],
    tables: [
      {
        columns: [
          { head: "what", unit: "text" },
          { head: "pictures", unit: "count" },
          { head: "values", unit: "count" },
          { head: "differing", unit: "count" },
          { head: "largest difference", unit: "count" },
        ],
        rows: tallies.map((t) => [t.name, t.pictures, t.values, t.differing, t.largest]),
      },
    ],
  });
  if (options.json)
    printJson({
      cv2,
      numpy,
      seed: options.seed,
      results: tallies.map((t) => ({ ...t, missed: t.missed })),
    });
  else {
    print(`against cv2 ${String(cv2)} and NumPy ${String(numpy)}, seed ${options.seed}\n`);
    print(
      table(
        [
          { head: "what" },
          { head: "pictures", align: "right" },
          { head: "values", align: "right" },
          { head: "differing", align: "right" },
          { head: "largest difference", align: "right" },
          { head: "bar" },
        ],
        tallies.map((t) => [
          t.name,
          t.pictures,
          t.values,
          t.differing,
          t.largest,
          t.bar === null ? "-" : t.missed ? "missed" : "kept",
        ]),
      ),
    );
  }
  if (tallies.some((t) => t.missed)) process.exitCode = 1;
}
