import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { catalogueOf, parts, type Catalogue } from "../../datasets/mini/catalogue.js";
import { classificationSet } from "../../datasets/mini/classification-set.js";
import { detectionThings } from "../../datasets/mini/detection-things.js";
import { headStyles, peopleOf } from "../../datasets/mini/heads.js";
import type { Drawing } from "../../datasets/mini/paste.js";
import type { Picture } from "../../datasets/mini/plan.js";
import { recognitionSets } from "../../datasets/mini/recognition-sets.js";
import { plannerOf } from "../../datasets/mini/render.js";
import { sceneSets, testSet } from "../../datasets/mini/scene-sets.js";
import { openSource, sources } from "../../datasets/mini/sources.js";
import { people } from "../../datasets/mini/people.js";
import { poolThings } from "../../datasets/mini/training-pool.js";
import { projectRoot } from "../../src/pipeline/root.js";

/** The real names with made-up hashes: the catalogue needs no pixels. */
function realCatalogue(): Catalogue {
  const hashes = new Map<string, string>();
  for (const source of sources)
    for (const key of openSource(source).keys)
      hashes.set(`${source.name}/${key}`, `${source.name}/${key}`);
  return catalogueOf({ hashes });
}
const catalogue = realCatalogue();
const { emoji, token, logo, icon } = catalogue;
const outcome = (
  placed: { index: number; box: readonly [number, number, number, number]; area: number }[],
) => ({ width: 200, height: 180, hash: "000000", placed });
const labels = (things: readonly { label: string }[]) => things.map((t) => t.label);
const rows = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => line.split(" "));

describe("sources", () => {
  it(
    "declare the licence that their package's own metadata declares, and none that asks to " +
      "share alike",
    () => {
      for (const { npm, spdx, name } of sources) {
        expect(spdx).not.toMatch(/SA/);
        const folder = join(projectRoot, "node_modules", npm);
        if (name === "fluent-3d")
          expect(
            (JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { license: string })
              .license,
          ).toBe(spdx);
        else
          expect(
            (
              JSON.parse(readFileSync(join(folder, "info.json"), "utf8")) as {
                license: { spdx: string };
              }
            ).license.spdx,
          ).toBe(spdx);
      }
      for (const { style, spdx } of headStyles)
        expect(style.meta?.license?.name?.replace("CC BY", "CC-BY").replaceAll(" ", "-")).toBe(
          spdx,
        );
    },
  );
});

describe("catalogueOf", () => {
  it("puts each thing in one part, and no drawing in two", () => {
    for (const family of [emoji, token, logo, icon]) {
      const all = Object.values(
        family as Record<string, { label: string; drawings: readonly string[] }[]>,
      ).flat();
      expect(new Set(labels(all)).size).toBe(all.length);
      const drawings = all.flatMap((t) => t.drawings);
      expect(new Set(drawings).size).toBe(drawings.length);
    }
    expect(emoji.sticker).toHaveLength(parts.sticker);
    expect(token.test).toHaveLength(parts.tokenTest);
    expect(emoji.train.length).toBeGreaterThan(500);
  });

  it("keeps the first of two drawings with the same pixels, and counts the other", () => {
    const { token: tokens, duplicates } = catalogueOf({
      hashes: new Map([
        ["token/a", "1"],
        ["token/b", "1"],
        ["token/c", "2"],
      ]),
    });
    expect(labels(Object.values(tokens).flat()).sort()).toEqual(["token:a", "token:c"]);
    expect(duplicates.get("token")).toBe(1);
  });

  it("makes a class of an emoji only with three independent drawings", () => {
    for (const part of Object.values(emoji))
      for (const { drawings } of part) expect(drawings.length).toBeGreaterThanOrEqual(3);
  });
});

describe("what training may see", () => {
  it("shares no thing with the test parts", () => {
    const seen = new Set([
      ...labels(poolThings(catalogue, "train")),
      ...labels(poolThings(catalogue, "dev")),
      ...labels(Object.values(detectionThings(catalogue, "train")).flat()),
      ...labels(Object.values(detectionThings(catalogue, "dev")).flat()),
    ]);
    for (const label of labels([
      ...emoji.sticker,
      ...emoji.shelf,
      ...token.test,
      ...logo.unseen,
      ...icon.aside,
    ]))
      expect(seen.has(label)).toBe(false);
    const { test, dev, train } = people();
    expect(new Set([...test, ...dev, ...train]).size).toBe(test.length + dev.length + train.length);
    expect(
      labels(Object.values(detectionThings(catalogue, "test")).flat()).filter((l) => seen.has(l)),
    ).toEqual([]);
  });

  it("tells every two people apart by their traits", () => {
    const taken = new Set<string>();
    expect(peopleOf("x", 0, 300, taken)).toHaveLength(300);
    expect(taken.size).toBe(300);
  });
});

/** The drawings that a picture is painted from; painting itself stops at the first pixel. */
function drawnFrom({ paint }: Picture): string[] {
  const names: string[] = [];
  const untouchable: Drawing = {
    get levels(): never {
      throw new Error("enough");
    },
  };
  expect(() =>
    paint((name) => {
      names.push(name);
      return untouchable;
    }),
  ).toThrow("enough");
  return names;
}

describe("recognition sets", () => {
  const plans = Object.fromEntries(
    Object.entries(recognitionSets).map(([name, planner]) => [name, planner(catalogue)]),
  );
  const lists = Object.fromEntries(
    Object.entries(plans).map(([name, plan]) => [
      name,
      Object.fromEntries(Object.entries(plan.files([])).map(([file, text]) => [file, rows(text)])),
    ]),
  );

  it(
    "have 500 queries and 300 classes or more, every picture listed once, labels without " +
      "blanks",
    () => {
      for (const [name, plan] of Object.entries(plans)) {
        const all = Object.values(lists[name]!).flat();
        expect(all).toHaveLength(plan.pictures.length);
        expect(new Set(all.map((r) => r[0])).size).toBe(all.length);
        expect(all.map((r) => r[0])).toEqual(plan.pictures.map((p) => p.file));
        expect(new Set(all.map((r) => r[1])).size).toBeGreaterThanOrEqual(300);
        expect(
          (lists[name]!["query.txt"] ?? lists[name]!["gallery.txt"]!).length,
        ).toBeGreaterThanOrEqual(500);
        expect(plan.counts.classes).toBe(new Set(all.map((r) => r[1])).size);
      }
    },
  );

  it("number their pictures where query and gallery are one", () => {
    for (const name of ["mini-goods", "mini-stickers"]) {
      const uids = lists[name]!["gallery.txt"]!.map((r) => r[2]);
      expect(new Set(uids).size).toBe(uids.length);
    }
  });

  it("give every cross-camera query a positive by another camera, and junk by its own", () => {
    const { "query.txt": query, "gallery.txt": gallery } = lists["mini-tokens"]!;
    for (const [, label, camera] of query!) {
      const same = gallery!.filter((r) => r[1] === label);
      expect(same.some((r) => r[2] !== camera)).toBe(true);
      expect(same.some((r) => r[2] === camera)).toBe(true);
    }
  });

  it("give every other query a positive in the gallery", () => {
    for (const name of ["mini-logos", "mini-faces", "mini-shelf"]) {
      const known = new Set(lists[name]!["gallery.txt"]!.map((r) => r[1]));
      for (const [, label] of lists[name]!["query.txt"]!) expect(known.has(label!)).toBe(true);
    }
  });

  it("ask the shelf with another vendor's drawing than any that it holds", () => {
    const drawn = new Map<string, string>();
    for (const picture of plans["mini-shelf"]!.pictures)
      drawn.set(picture.file, drawnFrom(picture)[0]!);
    const byClass = new Map<string, { query: Set<string>; gallery: Set<string> }>();
    for (const [file, name] of drawn) {
      const [, kind, number] = /(query|gallery)-(\d+)-/.exec(file)!;
      const entry = byClass.get(number!) ?? { query: new Set(), gallery: new Set() };
      entry[kind as "query" | "gallery"].add(name);
      byClass.set(number!, entry);
    }
    for (const { query, gallery } of byClass.values())
      expect([...query].filter((d) => gallery.has(d))).toEqual([]);
  });
});

describe("scene sets", () => {
  it("annotate in COCO's way", () => {
    const plan = sceneSets["mini-objects"]!(catalogue);
    expect(plan.pictures.length).toBeGreaterThanOrEqual(300);
    const { "instances.json": text } = plan.files(
      plan.pictures.map(() => outcome([{ index: 0, box: [10, 20, 40, 70], area: 900 }])),
    );
    const { images, annotations, categories } = JSON.parse(text!) as {
      images: { id: number; file_name: string }[];
      annotations: {
        id: number;
        image_id: number;
        bbox: number[];
        area: number;
        category_id: number;
      }[];
      categories: unknown[];
    };
    expect(annotations[0]).toMatchObject({
      id: 1,
      image_id: 1,
      category_id: 1,
      bbox: [10, 20, 30, 50],
      area: 900,
    });
    expect(images).toHaveLength(plan.pictures.length);
    expect(images[0]!.file_name).toBe("0000.jpg");
    expect(categories).toHaveLength(1);
  });

  it(
    "show in every test scene one thing of the gallery or more, and hold 1,500 gallery " +
      "pictures",
    () => {
      const plan = testSet(catalogue);
      expect(plan.counts.images).toBe(200);
      expect(plan.counts.gallery).toBeGreaterThanOrEqual(1500);
      // The backmost object always finds room, so index 0 is what every scene shows.
      const files = plan.files(
        plan.pictures.map(() => outcome([{ index: 0, box: [0, 0, 9, 9], area: 81 }])),
      );
      const gallery = new Set(rows(files["gallery.txt"]!).map((r) => r[1]));
      for (const [, names] of rows(files["query.txt"]!)) expect(gallery.has(names!)).toBe(true);
    },
  );

  it("show of a thing in the gallery only drawings that the gallery shows", () => {
    const plan = testSet(catalogue);
    const shown = new Set<string>();
    const asked = new Set<string>();
    for (const picture of plan.pictures)
      for (const name of drawnFrom(picture))
        (picture.file.startsWith("gallery/") ? shown : asked).add(name);
    const known = new Set(
      [
        ...emoji.sticker,
        ...emoji.shelf.slice(0, -60),
        ...token.test.slice(0, 200),
        ...logo.unseen,
      ].flatMap((t) => t.drawings),
    );
    expect(asked.size).toBeGreaterThan(200);
    expect([...asked].filter((name) => known.has(name) && !shown.has(name))).toEqual([]);
  });

  it("classify 100 classes or more, with one vendor of each kept for validation", () => {
    const plan = classificationSet(catalogue);
    const files = plan.files([]);
    const count = (list: string) => new Set(rows(files[list]!).map((r) => r[1])).size;
    expect(count("train.txt")).toBeGreaterThanOrEqual(100);
    expect(count("val.txt")).toBe(count("train.txt"));
  });
});

describe("manifests", () => {
  it("name the files that each set writes, and its protocol", () => {
    const plans = [
      ...Object.values(recognitionSets),
      ...Object.values(sceneSets),
      testSet,
      classificationSet,
    ].map((planner) => planner(catalogue));
    for (const { name, task, pictures, standsFor, files } of plans) {
      const manifest = parse(
        readFileSync(join(projectRoot, "datasets", "mini", "sets", `${name}.yaml`), "utf8"),
      ) as Record<string, unknown>;
      expect(manifest).toMatchObject({ schema: 1, name, task });
      expect(manifest.title).toContain(standsFor.replace(/^the | of Table 9$| \(Table 6\)$/g, ""));
      const written = new Set(
        Object.keys(
          files(pictures.map(() => ({ width: 1, height: 1, hash: "000000", placed: [] }))),
        ),
      );
      const named = JSON.stringify(manifest).match(/\.\.\/build\/[^"]+\.(txt|json)/g)!;
      expect(named.length).toBeGreaterThan(0);
      for (const file of named)
        expect(written.has(file.replace(`../build/${name}/`, ""))).toBe(true);
      if (task === "recognition") expect("query" in manifest).toBe(written.has("query.txt"));
    }
  });
});

describe("further draws of mini-test", () => {
  it("show other things in other scenes, by the same rules", () => {
    const plans = ["mini-test", "mini-test-draw-1", "mini-test-draw-2"].map((name) =>
      plannerOf(name)(catalogue),
    );
    const [own] = plans;
    expect(plans.map(({ name }) => name)).toEqual([
      "mini-test",
      "mini-test-draw-1",
      "mini-test-draw-2",
    ]);
    expect(plans.map(({ counts }) => counts.images)).toEqual([200, 200, 200]);
    expect(plans.map(({ counts }) => counts.classes)).toEqual(Array(3).fill(own!.counts.classes));
    const asked = plans.map(
      (plan) =>
        plan.files(plan.pictures.map(() => outcome([{ index: 0, box: [0, 0, 9, 9], area: 81 }])))[
          "query.txt"
        ],
    );
    expect(new Set(asked).size).toBe(3);
    expect(asked[0]).toBe(
      testSet(catalogue).files(
        own!.pictures.map(() => outcome([{ index: 0, box: [0, 0, 9, 9], area: 81 }])),
      )["query.txt"],
    );
  });
});
