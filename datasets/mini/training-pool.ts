import { join } from "node:path";
import { writeAtomic } from "../../src/pipeline/atomic-file.js";
import type { Catalogue, Thing } from "./catalogue.js";
import type { Drawings } from "./drawings.js";
import { Random } from "./random.js";
import { cleanLook, takeShot, type Look } from "./shot.js";
import { anyDrawing, detectionThings, headThings } from "./detection-things.js";
import { paintScene } from "./scene.js";
import { detectionSets } from "./scene-looks.js";
import { seed } from "./people.js";

/**
 * A chunk of the recognition training pool: raw RGB bytes, `count` pictures of side x side x 3,
 * then their labels as a JSON file beside it.
 */
export interface PoolTask {
  readonly kind: "pool";
  readonly drawings: string;
  readonly stores: readonly string[];
  readonly part: "train" | "dev";
  readonly chunk: number;
  readonly count: number;
  readonly side: number;
  readonly out: string;
}

/**
 * Cameras that training and dev pictures are taken with; the benchmark's own are others
 * (`recognition.ts`).
 */
const trainCameras: readonly [number, number] = [100, 131];
const devCameras: readonly [number, number] = [200, 207];

/** The things of a part, in a fixed order: a training label is a position in this list. */
export function poolThings(catalogue: Catalogue, part: "train" | "dev"): Thing[] {
  if (part === "dev") return [...catalogue.emoji.dev, ...catalogue.token.dev, ...headThings("dev")];
  return [
    ...catalogue.emoji.train,
    ...catalogue.token.train,
    ...catalogue.logo.train,
    ...catalogue.icon.train.filter(({ label }) => !label.startsWith("icon:vscode-")),
    ...headThings("train"),
  ];
}

/**
 * Writes one chunk: two views of each drawn thing, beside one another, of two of its drawings where
 * it has more. Returns the number of pictures.
 */
export async function renderPool(
  task: PoolTask,
  { drawings, catalogue }: { drawings: Drawings; catalogue: Catalogue },
): Promise<number> {
  const { part, chunk, count, side, out } = task;
  const things = poolThings(catalogue, part);
  const random = new Random(`${seed}/pool/${part}/${chunk}`);
  const pixels = new Uint8Array(count * side * side * 3);
  const labels: number[] = [];
  for (let i = 0; i < count; i += 2) {
    const label = random.int(0, things.length - 1);
    const thing = things[label]!;
    const views = random.shuffle(thing.drawings);
    for (let view = 0; view < 2; view++) {
      const name = views[view % views.length]!;
      const shot = takeShot(
        drawings.get(name),
        `${seed}/pool/${part}/${chunk}/${i + view}`,
        side,
        poolLook(random, thing, part),
      );
      pixels.set(shot, (i + view) * side * side * 3);
      labels.push(label);
    }
  }
  const stem = join(out, `${part}-${String(chunk).padStart(3, "0")}`);
  await writeAtomic(`${stem}.rgb`, pixels);
  await writeAtomic(
    `${stem}.json`,
    JSON.stringify({ schema: 1, count, side, classes: things.length, labels }),
  );
  return count;
}

function poolLook(random: Random, thing: Thing, part: "train" | "dev"): Look {
  if (random.chance(0.1)) return { ...cleanLook, fill: [0.78, 1] };
  const level = random.chance(0.5) ? random.range(0.15, 0.7) : random.range(0.7, 1.25);
  const look: Look = { level, white: random.range(0.1, 0.4), fill: [0.72, 1.06] };
  if (thing.label.startsWith("token:") && random.chance(0.5)) {
    const [low, high] = part === "train" ? trainCameras : devCameras;
    return { ...look, camera: random.int(low, high) };
  }
  return look;
}

/**
 * A chunk of the detection training pool: scenes of side x side RGB bytes, and their boxes as JSON.
 */
export interface SceneTask {
  readonly kind: "scenes";
  readonly drawings: string;
  readonly stores: readonly string[];
  readonly part: "train" | "dev";
  readonly chunk: number;
  readonly count: number;
  readonly side: number;
  readonly out: string;
}

/**
 * Writes scenes of the five kinds in turn, square, so that they can be cropped and scaled in
 * training; the boxes are in pixels.
 */
export async function renderScenes(
  task: SceneTask,
  { drawings, catalogue }: { drawings: Drawings; catalogue: Catalogue },
): Promise<number> {
  const { part, chunk, count, side, out } = task;
  const things = detectionThings(catalogue, part);
  const pixels = new Uint8Array(count * side * side * 3);
  const boxes: number[][][] = [];
  for (let i = 0; i < count; i++) {
    const set = detectionSets[i % detectionSets.length]!;
    const name = `${seed}/scenes/${part}/${chunk}/${i}`;
    const random = new Random(name);
    const objects = Array.from({ length: random.int(...set.look.objects) }, () =>
      drawings.get(anyDrawing(random, things, set.things).drawing),
    );
    const scene = paintScene(objects, `${name}/paint`, {
      ...set.look,
      width: [side, side],
      height: [side, side],
    });
    pixels.set(scene.pixels, i * side * side * 3);
    boxes.push(scene.placed.map(({ box }) => [...box]));
  }
  const stem = join(out, `${part}-${String(chunk).padStart(3, "0")}`);
  await writeAtomic(`${stem}.rgb`, pixels);
  await writeAtomic(
    `${stem}.json`,
    JSON.stringify({ schema: 1, count, side, sets: detectionSets.map((s) => s.name), boxes }),
  );
  return count;
}
