import type { Catalogue, Thing } from "./catalogue.js";
import { anyDrawing, detectionThings, headThings } from "./detection-things.js";
import type { Outcome, Picture, SetPlan } from "./plan.js";
import { Random } from "./random.js";
import { paintScene, type SceneLook } from "./scene.js";
import { detectionSets, queryLook, type DetectionSet } from "./scene-looks.js";
import { cleanLook, takeShot } from "./shot.js";
import { seed } from "./people.js";

const scenesASet = 300;
const queryScenes = 200;
const gallerySide = 96;

function scene(id: string, file: string, drawings: readonly string[], look: SceneLook): Picture {
  return {
    file,
    quality: new Random(`${id}/quality`).int(75, 95),
    paint: (drawing) => paintScene(drawings.map(drawing), id, look),
  };
}

interface Annotated {
  readonly picture: Picture;
  /** Category number of each drawn object, in drawing order. */
  readonly categories: readonly number[];
}

/** COCO json of the scenes: `area` counts visible pixels, boxes are left, top, width, height. */
function cocoJson(
  info: string,
  scenes: readonly Annotated[],
  outcomes: readonly Outcome[],
  categories: readonly { id: number; name: string; supercategory: string }[],
): string {
  let id = 0;
  const annotations = scenes.flatMap(({ categories: of }, i) =>
    outcomes[i]!.placed.map(({ index, box: [x0, y0, x1, y1], area }) => ({
      id: ++id,
      image_id: i + 1,
      category_id: of[index]!,
      bbox: [x0, y0, x1 - x0, y1 - y0],
      area,
      iscrowd: 0,
    })),
  );
  const images = scenes.map(({ picture }, i) => ({
    id: i + 1,
    file_name: picture.file.replace(/^images\//, ""),
    width: outcomes[i]!.width,
    height: outcomes[i]!.height,
  }));
  return `${JSON.stringify({ info: { description: info }, images, annotations, categories })}\n`;
}

export function detectionSet(set: DetectionSet): (catalogue: Catalogue) => SetPlan {
  return (catalogue) => {
    const things = detectionThings(catalogue, "test");
    const scenes = Array.from({ length: scenesASet }, (_, i): Annotated => {
      const id = `${seed}/${set.name}/${i}`;
      const random = new Random(id);
      const drawings = Array.from(
        { length: random.int(...set.look.objects) },
        () => anyDrawing(random, things, set.things).drawing,
      );
      return {
        picture: scene(
          `${id}/paint`,
          `images/${String(i).padStart(4, "0")}.jpg`,
          drawings,
          set.look,
        ),
        categories: drawings.map(() => 1),
      };
    });
    return {
      name: set.name,
      task: "detection",
      standsFor: set.standsFor,
      differs: set.differs,
      pictures: scenes.map((s) => s.picture),
      counts: { images: scenes.length },
      files: (outcomes) => ({
        "instances.json": cocoJson(
          `${set.name}: stands in for ${set.standsFor}`,
          scenes,
          outcomes,
          [{ id: 1, name: "foreground", supercategory: "foreground" }],
        ),
      }),
    };
  };
}

const asLabel = (label: string) => label.replaceAll(/[^A-Za-z0-9]+/g, "-").replace(/-$/, "");

/**
 * The test set of Table 9: scenes to be recognised, and the gallery. Things in the gallery were
 * seen by no training. Draw 0 is the benchmark's; others show other drawings of the same things in
 * other scenes, all by the same rules.
 */
export function testSet(catalogue: Catalogue, draw = 0): SetPlan {
  const name = draw === 0 ? "mini-test" : `mini-test-draw-${draw}`;
  const { emoji, token, logo, icon } = catalogue;
  const outsiders = 60;
  const known: Thing[] = [
    ...emoji.sticker,
    ...emoji.shelf.slice(0, -outsiders),
    ...token.test.slice(0, 200),
    ...logo.unseen,
  ];
  const unknown: Thing[] = [
    ...emoji.shelf.slice(-outsiders),
    ...icon.aside,
    ...headThings("test").slice(400),
  ];
  const number = new Map(known.map(({ label }, i) => [label, i + 1]));
  const distractor = known.length + 1;
  const random = new Random(`${seed}/${name}`);
  // What the gallery shows of each thing, and so what a scene may show of it: an object of the
  // gallery, not another vendor's idea of one.
  const shown = new Map(
    [...known, ...unknown].map((thing) => [thing, random.shuffle(thing.drawings).slice(0, 3)]),
  );
  const gallery = known.flatMap((thing, t) =>
    shown.get(thing)!.map((drawing, i) => {
      const id = `${seed}/${name}/gallery/${t}/${i}`;
      const look =
        i === 0
          ? cleanLook
          : { level: random.range(0.1, 0.4), white: 0.6, fill: [0.82, 1] as const };
      const picture: Picture = {
        file: `gallery/${t}-${i}.jpg`,
        quality: 92,
        paint: (drawings) => ({
          width: gallerySide,
          height: gallerySide,
          pixels: takeShot(drawings(drawing), id, gallerySide, look),
        }),
      };
      return { picture, label: asLabel(thing.label) };
    }),
  );
  const scenes = Array.from({ length: queryScenes }, (_, i): Annotated => {
    const count = random.int(...queryLook.objects);
    // Drawn from back to front: a thing of the gallery first, so that every scene shows one.
    const inScene = Array.from({ length: count }, (__, n) =>
      random.pick(n > 0 && random.chance(0.3) ? unknown : known),
    );
    const drawings = inScene.map((thing) => random.pick(shown.get(thing)!));
    return {
      picture: scene(
        `${seed}/${name}/scene/${i}`,
        `images/${String(i).padStart(3, "0")}.jpg`,
        drawings,
        queryLook,
      ),
      categories: inScene.map(({ label }) => number.get(label) ?? distractor),
    };
  });
  const categories = [
    ...known.map(({ label }, i) => ({ id: i + 1, name: asLabel(label), supercategory: "gallery" })),
    { id: distractor, name: "not-in-gallery", supercategory: "distractor" },
  ];
  return {
    name,
    task: "pipeline",
    standsFor: "the 200-image test set of Table 9",
    differs:
      "painted scenes of one to four drawn things, and boxes and labels that the paper's set " +
      "lacks; its gallery is drawn too, where the paper's is Products-10k",
    pictures: [...scenes.map((s) => s.picture), ...gallery.map((g) => g.picture)],
    counts: { images: scenes.length, gallery: gallery.length, classes: known.length },
    files: (outcomes) => ({
      "instances.json": cocoJson(
        "mini-test: query scenes with boxes and labels",
        scenes,
        outcomes.slice(0, scenes.length),
        categories,
      ),
      "gallery.txt": gallery.map(({ picture, label }) => `${picture.file} ${label}\n`).join(""),
      "query.txt": scenes
        .map(
          ({ picture, categories: of }, i) =>
            `${picture.file} ${[...new Set(outcomes[i]!.placed.map((p) => of[p.index]!))]
              .filter((c) => c !== distractor)
              .map((c) => categories[c - 1]!.name)
              .join(",")}\n`,
        )
        .join(""),
    }),
  };
}

export const sceneSets = Object.fromEntries(
  detectionSets.map((set) => [set.name, detectionSet(set)]),
);
