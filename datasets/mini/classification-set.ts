import type { Catalogue } from "./catalogue.js";
import type { Picture, SetPlan } from "./plan.js";
import { Random } from "./random.js";
import { takeShot } from "./shot.js";
import { seed } from "./people.js";

const side = 72;
const classes = 120;
const trainEach = 50;
const valEach = 10;

/**
 * The set behind Table 6: closed-set classification. One vendor of each class is kept from
 * training; half of the validation pictures show it.
 */
export function classificationSet({ emoji }: Catalogue): SetPlan {
  const random = new Random(`${seed}/mini-classes`);
  const things = emoji.train.filter(({ drawings }) => drawings.length >= 5).slice(0, classes);
  const pictures: Picture[] = [];
  const rows = { train: [] as string[], val: [] as string[] };
  things.forEach((thing, label) => {
    const drawings = random.shuffle(thing.drawings);
    const [unseen, ...seen] = drawings;
    const add = (list: "train" | "val", i: number, drawing: string) => {
      const id = `${seed}/mini-classes/${list}/${label}/${i}`;
      const look = { level: random.range(0.3, 1), white: 0.25, fill: [0.75, 1.02] as const };
      const file = `images/${list}-${label}-${i}.jpg`;
      pictures.push({
        file,
        quality: new Random(`${id}/quality`).int(75, 95),
        paint: (of) => ({
          width: side,
          height: side,
          pixels: takeShot(of(drawing), id, side, look),
        }),
      });
      rows[list].push(`${file} ${label}\n`);
    };
    for (let i = 0; i < trainEach; i++) add("train", i, seen[i % seen.length]!);
    for (let i = 0; i < valEach; i++) add("val", i, i % 2 === 0 ? unseen! : random.pick(seen));
  });
  return {
    name: "mini-classes",
    task: "classification",
    standsFor: "ImageNet-1k (Table 6)",
    differs:
      `${classes} classes of drawn things at ${side} px in place of 1,000 ` +
      "photographed ones; one vendor's drawing of each class appears in validation " +
      "only",
    pictures,
    counts: { classes: things.length, train: rows.train.length, val: rows.val.length },
    files: () => ({
      "train.txt": rows.train.join(""),
      "val.txt": rows.val.join(""),
      "classes.txt": things.map(({ label }) => `${label.replace("emoji:", "")}\n`).join(""),
    }),
  };
}
