import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadDataset } from "../../../src/eval/config/dataset.js";
import { listPictures } from "../../../src/eval/experiments/pictures.js";
import { readListPart } from "../../../datasets/formats/released-list.js";
import { safePath } from "../../../src/pipeline/image/image-root.js";
import { complaintOf } from "../../complaint.js";
import { cellOf, scoreOf, WorkedSet } from "../worked-set.js";

/** Two labels with two pictures each, listed in five ways: all of them the same set. */
const set = new WorkedSet();
const pictures = [
  ["red", "a.png", 0],
  ["red", "b.png", 0],
  ["blue", "c.png", 5],
  ["blue", "d.png", 5],
] as const;

beforeAll(async () => {
  for (const [i, [label, name, place]] of pictures.entries())
    await set.square(`photos/${label}/${name}`, place, 120 + 20 * i);
  const lines = (line: (label: string, name: string) => string): string =>
    pictures.map(([label, name]) => `${line(label, name)}\n`).join("");
  set.write(
    "plain.txt",
    lines((label, name) => `photos/${label}/${name}\t${label}`),
  );
  set.write(
    "windows.txt",
    lines((label, name) => `photos\\${label}\\${name}\t${label}`),
  );
  set.write(
    "absolute.txt",
    lines((label, name) => `${join(set.folder, "photos", label, name)}\t${label}`),
  );
  set.write(
    "header.csv",
    `id,"Image",split,class\n${lines((label, name) => `7,photos/${label}/${name},x,${label}`)}`,
  );
  for (const [name, list] of [
    ...["plain.txt", "windows.txt", "absolute.txt", "header.csv"].map((l) => [l.split(".")[0], l]),
    ["folders", "photos"],
  ])
    set.manifest(name!, "recognition", `evaluation: leave-one-out\ngallery: { list: ${list} }\n`);
});
afterAll(() => {
  set.remove();
});

describe("one set, listed as people do", () => {
  it.each(["plain", "windows", "absolute", "header", "folders"])("%s", async (name) => {
    const dataset = await loadDataset(join(set.folder, `${name}.yaml`), {});
    if (dataset.task !== "recognition") throw new Error("of another task");
    const { rows, pictures: found } = await listPictures(dataset, "gallery", "standard");
    const files = found.map((p) => ("file" in p ? p.file : p.complaint.message));
    const expected = pictures.map(([label, file]) => join(set.folder, "photos", label, file));
    expect(files.sort()).toEqual(expected.map((f) => safePath(set.folder, f)).sort());
    expect(rows.map((r) => r.label).sort()).toEqual(["blue", "blue", "red", "red"]);
  });

  it("gives one recall, through the runner", async () => {
    const names = ["plain", "header", "folders"];
    const ran = await set.run(
      'measure:\n  - { kind: retrieval, models: ["${baselines}/pixels-32.yaml"], ' +
        `datasets: [${names.map((n) => `${n}.yaml`).join(", ")}], k: [1], ` +
        "indexes: [{ factory: Flat }] }\n",
    );
    for (const dataset of names)
      expect(scoreOf(cellOf(ran, { dataset }), "recall@1")).toMatchObject({ value: 1, n: 4 });
  }, 60_000);
});

describe("what is no such list", () => {
  const refused = async (name: string, text: string) => {
    set.write(name, text);
    return complaintOf(readListPart(join(set.folder, name), "gallery"));
  };

  it("says which line of a csv lacks what", async () => {
    const cut = await refused("cut.csv", "path,label\na.png,red\nb.png,\n");
    expect(cut).toMatchObject({ code: "list-line", path: "line 3", expected: "path,label" });
    expect(await refused("long.csv", "path,label\na.png,red,7\n")).toMatchObject({
      path: "line 2",
    });
    expect(await refused("none.csv", "path,label\n")).toMatchObject({ code: "list-empty" });
  });

  it("takes a camera column, and quoted commas", async () => {
    set.write("camera.csv", 'Filename,Identity,Camera\n"a, b.png",7,2\n');
    const { rows, columns } = await readListPart(join(set.folder, "camera.csv"), "gallery");
    expect([columns, rows]).toEqual([3, [{ path: "a, b.png", label: "7", uid: "2", line: 2 }]]);
  });

  it("says of a folder that it holds no classes", async () => {
    set.write("flat/notes.txt", "x");
    expect(await complaintOf(readListPart(join(set.folder, "flat"), "gallery"))).toMatchObject({
      code: "list-empty",
      found: "1 other entries",
    });
  });

  it("refuses absolute paths outside of the root, of either kind", async () => {
    for (const path of ["/etc/passwd", "C:\\photos\\a.png"])
      expect(await complaintOf(() => safePath(set.folder, path)), path).toMatchObject({
        code: "path-outside-root",
        found: "an absolute path",
      });
  });
});

describe("where no picture is left", () => {
  it("says what was looked for: file names with another folder before them", async () => {
    const images = ["a", "b", "c", "d"].map((n, id) => ({ id, file_name: `train/${n}.png` }));
    const lists = { images, categories: [{ id: 1, name: "x" }], annotations: [] };
    set.write("boxes.json", JSON.stringify(lists));
    const annotations = "annotations: { format: coco-json, path: boxes.json }\n";
    set.manifest("boxes", "detection", annotations);
    const { record } = await set.run(
      'measure:\n  - { kind: detection, models: ["${baselines}/whole-image.yaml"], ' +
        "datasets: [boxes.yaml] }\n" +
        '  - { kind: retrieval, models: ["${baselines}/pixels-32.yaml"], ' +
        "datasets: [plain.yaml], k: [1], indexes: [{ factory: Flat }] }\n",
    );
    const failed = record.cells.find((c) => c.state === "failed");
    expect(failed).toMatchObject({ state: "failed" });
    expect(JSON.stringify(failed)).toMatch(/found train\/a\.png: .*; train\/b\.png: .*and 1 more/);
  }, 60_000);
});
