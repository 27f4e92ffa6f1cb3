import type { Catalogue, Thing } from "./catalogue.js";
import { headThings } from "./detection-things.js";
import type { Picture, SetPlan } from "./plan.js";
import { Random } from "./random.js";
import { cleanLook, takeShot, type Look } from "./shot.js";
import { seed } from "./people.js";

/** Side of a recognition picture in pixels. */
const side = 96;

/** Cameras of the cross-camera set; training uses other ones (`training-pool.ts`). */
const cameras = 12;

interface Row {
  readonly picture: Picture;
  readonly label: string;
  /** The third column: a picture's own number, or its camera. */
  readonly uid?: number;
}

/** A label as it stands in a list: no blanks, no characters that a shell or a path would mind. */
const asLabel = (label: string) => label.replaceAll(/[^A-Za-z0-9]+/g, "-").replace(/-$/, "");

function shot(set: string, name: string, drawing: string, look: Look): Picture {
  const id = `${seed}/${set}/${name}`;
  return {
    file: `images/${name}.jpg`,
    quality: look.level === 0 ? 92 : new Random(`${id}/quality`).int(70, 95),
    paint: (drawings) => ({
      width: side,
      height: side,
      pixels: takeShot(drawings(drawing), id, side, look),
    }),
  };
}

/** Ordinary photographs: neither clean nor hopeless. */
function snapshot(random: Random, low = 0.4, high = 1.1): Look {
  return { level: random.range(low, high), white: 0.25, fill: [0.75, 1.02] };
}

const list = (rows: readonly Row[]) =>
  rows
    .map(
      ({ picture, label, uid }) =>
        `${picture.file} ${label}${uid === undefined ? "" : ` ${uid}`}\n`,
    )
    .join("");

function setOf(
  about: Pick<SetPlan, "name" | "standsFor" | "differs">,
  lists: Readonly<Record<string, readonly Row[]>>,
): SetPlan {
  const rows = Object.values(lists).flat();
  return {
    ...about,
    task: "recognition",
    pictures: rows.map((r) => r.picture),
    counts: {
      classes: new Set(rows.map((r) => r.label)).size,
      ...Object.fromEntries(Object.entries(lists).map(([name, l]) => [name, l.length])),
    },
    files: () =>
      Object.fromEntries(Object.entries(lists).map(([name, l]) => [`${name}.txt`, list(l)])),
  };
}

/** Query = gallery: every picture is searched among all others, itself excluded by its number. */
function leaveOneOut(name: string, things: readonly Thing[], each: number): Row[] {
  const random = new Random(`${seed}/${name}`);
  let uid = 0;
  return things.flatMap((thing, t) => {
    const drawings = random.shuffle(thing.drawings);
    return Array.from({ length: each }, (_, i): Row => ({
      picture: shot(name, `${t}-${i}`, drawings[i % drawings.length]!, snapshot(random)),
      label: asLabel(thing.label),
      uid: uid++,
    }));
  });
}

function goods({ emoji }: Catalogue): SetPlan {
  return setOf(
    {
      name: "mini-goods",
      standsFor: "Aliproduct",
      differs:
        "500 drawn things in place of 50,030 products; as there, its classes are also in the " +
        "training data (other pictures of them)",
    },
    { gallery: leaveOneOut("mini-goods", emoji.train.slice(0, 500), 3) },
  );
}

function stickers({ emoji }: Catalogue): SetPlan {
  return setOf(
    {
      name: "mini-stickers",
      standsFor: "SOP",
      differs:
        "350 drawn things that no training saw, four pictures each, several vendors' " +
        "drawings of one thing; SOP has eBay photographs of 11,316 products",
    },
    { gallery: leaveOneOut("mini-stickers", emoji.sticker, 4) },
  );
}

function tokens({ token }: Catalogue): SetPlan {
  const random = new Random(`${seed}/mini-tokens`);
  const query: Row[] = [];
  const gallery: Row[] = [];
  token.test.forEach((thing, t) => {
    const label = asLabel(thing.label);
    const seenBy = random.shuffle(Array.from({ length: cameras }, (_, c) => c)).slice(0, 6);
    seenBy.forEach((camera, i) => {
      const row = (again: number): Row => ({
        picture: shot("mini-tokens", `${t}-${camera}-${again}`, thing.drawings[0]!, {
          level: random.range(0.5, 1),
          white: 0,
          fill: [0.72, 1],
          camera,
        }),
        label,
        uid: camera,
      });
      // Two cameras give a query and a gallery picture: the latter is junk for the former.
      if (i < 2) query.push(row(0));
      gallery.push(row(1));
    });
  });
  return setOf(
    {
      name: "mini-tokens",
      standsFor: "VeRI-Wild",
      differs:
        "coin marks under twelve fixed cameras (ground, slant, light, blur) in place of " +
        "vehicles under 174; same label and same camera is junk, as there",
    },
    { query, gallery },
  );
}

function logos({ logo }: Catalogue): SetPlan {
  const random = new Random(`${seed}/mini-logos`);
  const things = logo.train.slice(0, 600);
  const rows = (kind: string, each: number) =>
    things.flatMap((thing, t) =>
      Array.from({ length: each }, (_, i): Row => ({
        picture: shot("mini-logos", `${kind}-${t}-${i}`, thing.drawings[0]!, snapshot(random)),
        label: asLabel(thing.label),
      })),
    );
  return setOf(
    {
      name: "mini-logos",
      standsFor: "LogoDet-3K",
      differs:
        "600 brand marks photographed alone; LogoDet-3K crops 3,000 from street and product " +
        "pictures. As there, validation searches the training gallery and the classes are " +
        "shared",
    },
    { gallery: rows("train", 3), query: rows("val", 2) },
  );
}

function faces(): SetPlan {
  const random = new Random(`${seed}/mini-faces`);
  const people = headThings("test").slice(0, 400);
  const rows = (from: number, to: number) =>
    people.flatMap((person, p) =>
      person.drawings.slice(from, to).map((drawing, i): Row => ({
        picture: shot("mini-faces", `${p}-${from + i}`, drawing, snapshot(random, 0.3, 0.9)),
        label: asLabel(person.label),
      })),
    );
  return setOf(
    {
      name: "mini-faces",
      standsFor: "iCartoonFace",
      differs:
        "400 generated cartoon people (fixed hair, skin, nose, glasses; new expression in " +
        "every picture) of eight styles in place of 5,013 characters from films",
    },
    { query: rows(3, 5), gallery: rows(0, 3) },
  );
}

function shelf({ emoji }: Catalogue): SetPlan {
  const random = new Random(`${seed}/mini-shelf`);
  const query: Row[] = [];
  const gallery: Row[] = [];
  emoji.shelf.forEach((thing, t) => {
    const label = asLabel(thing.label);
    const worn = thing.drawings.filter((d) => d.startsWith("fluent-"));
    const asked =
      worn.length > 0 && worn.length < thing.drawings.length ? worn : thing.drawings.slice(0, 1);
    const kept = thing.drawings.filter((d) => !asked.includes(d)).slice(0, 3);
    for (let i = 0; i < 2; i++)
      query.push({
        picture: shot("mini-shelf", `query-${t}-${i}`, asked[i % asked.length]!, snapshot(random)),
        label,
      });
    kept.forEach((drawing, i) => {
      const look =
        i === 0
          ? cleanLook
          : { level: random.range(0.1, 0.4), white: 0.6, fill: [0.82, 1] as const };
      gallery.push({ picture: shot("mini-shelf", `gallery-${t}-${i}`, drawing, look), label });
    });
  });
  return setOf(
    {
      name: "mini-shelf",
      standsFor: "In-shop Clothes",
      differs:
        "a snapshot of one vendor's drawing searches the near-clean drawings of other " +
        "vendors; In-shop searches shop photographs of the same garment. Classes that no " +
        "training saw, as there",
    },
    { query, gallery },
  );
}

export const recognitionSets = {
  "mini-goods": goods,
  "mini-tokens": tokens,
  "mini-logos": logos,
  "mini-faces": faces,
  "mini-stickers": stickers,
  "mini-shelf": shelf,
} as const;
