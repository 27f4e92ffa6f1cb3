import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { readArrowRows, writeArrowRows } from "../../datasets/formats/arrow.js";
import { readBoxDetections, readBoxTruth } from "../../datasets/formats/box-files.js";
import { truthFromRecords } from "../../datasets/formats/coco-records.js";
import { readFvecs, writeFvecs } from "../../datasets/formats/fvecs.js";
import { readNpyVectors, writeNpyRows } from "../../datasets/formats/npy.js";
import { readListPart } from "../../datasets/formats/released-list.js";
import { loadConfig } from "../../src/eval/config/config.js";
import { loadDataset } from "../../src/eval/config/dataset.js";
import { ObservationCache, type CacheKey } from "../../src/eval/observe/cache.js";
import { evaluateCoco } from "../../src/eval/metrics/coco/coco.js";
import { readCases } from "../../src/eval/record/cases.js";
import { readRecord } from "../../src/eval/record/record.js";
import { Random } from "../../src/eval/stats/random.js";
import { decode } from "../../src/pipeline/image/image.js";
import { loadIndex, openIndex } from "../../src/pipeline/index/engine.js";
import { loadCard } from "../../src/pipeline/model/card.js";
import { inspectOnnx } from "../../src/pipeline/onnx/inspect.js";
import { projectRoot } from "../../src/pipeline/root.js";
import {
  model,
  node,
  plainInput,
  tensor,
  value,
  writeModel,
} from "../pipeline/onnx/onnx-builder.js";

/** Something that reads files of others. */
export interface Door {
  readonly name: string;
  readonly text: boolean;
  /** The file that is damaged, inside the folder that `write` fills. */
  readonly file: string;
  /** Reads the damaged file as a verb does; throws as it does. */
  read(file: string, folder: string): Promise<unknown>;
}

const vectors = { data: Float32Array.from({ length: 64 }, (_, i) => Math.sin(i)), dim: 8 };
const truth = {
  images: [
    { id: 1, width: 64, height: 32, file_name: "a.png" },
    { id: 2, width: 64, height: 32, file_name: "b.png" },
  ],
  categories: [
    { id: 1, name: "car" },
    { id: 2, name: "tree" },
  ],
  annotations: [
    { id: 1, image_id: 1, category_id: 1, bbox: [4, 4, 16, 8], area: 128, iscrowd: 0 },
    { id: 2, image_id: 2, category_id: 2, bbox: [8, 8, 8, 8], area: 64, iscrowd: 0 },
  ],
};
const found = [{ image_id: 1, category_id: 1, bbox: [4, 4, 16, 8], score: 0.5 }];
const key: CacheKey = {
  ...{ what: "embedding", model: "m", preprocessing: null, protocol: "standard", engine: "e" },
};

const boxes = async (file: string): Promise<unknown> => {
  const read = await readBoxTruth(file, {
    sizeOf: (name) => Promise.resolve({ name, width: 64, height: 32 }),
  });
  return evaluateCoco(read, { ...read, score: new Float64Array(read.image.length).fill(0.5) })
    .summary;
};

/** The doors, each with a sound file to damage. */
export const doors: readonly Door[] = [
  ...["png", "jpg", "webp", "gif", "tiff"].map((ending): Door => ({
    ...{ name: `image ${ending}`, text: false, file: `picture.${ending}` },
    read: (file) => decode(file),
  })),
  { name: "onnx", text: false, file: "model.onnx", read: (file) => inspectOnnx(file) },
  { name: "card", text: true, file: "model.yaml", read: (file) => loadCard(file) },
  { name: "manifest", text: true, file: "set.yaml", read: (file) => loadDataset(file, {}) },
  { name: "config", text: true, file: "config.yaml", read: (file) => loadConfig(file) },
  ...["list.txt", "list.csv"].map((name): Door => ({
    ...{ name, text: true, file: name },
    read: (file) => readListPart(file, "gallery"),
  })),
  ...["coco.json", "cvat.xml", "open.csv"].map((name): Door => ({
    ...{ name, text: true, file: name },
    read: boxes,
  })),
  { name: "voc", text: true, file: "voc/a.xml", read: (_, folder) => boxes(join(folder, "voc")) },
  {
    name: "yolo",
    text: true,
    file: "yolo/a.txt",
    read: (_, folder) => boxes(join(folder, "yolo")),
  },
  {
    name: "labelme",
    text: true,
    file: "lm/a.json",
    read: (_, folder) => boxes(join(folder, "lm")),
  },
  {
    ...{ name: "detections", text: true, file: "found.json" },
    read: (file) => readBoxDetections(file, truthFromRecords(truth)),
  },
  { name: "npy", text: false, file: "v.npy", read: (file) => readNpyVectors(file) },
  { name: "fvecs", text: false, file: "v.fvecs", read: (file) => readFvecs(file) },
  { name: "arrow", text: false, file: "v.arrow", read: (file) => readArrowRows(file, "real") },
  ...["Flat", "HNSW8", "IVF2,Flat"].map((factory): Door => ({
    ...{ name: `faiss ${factory}`, text: false, file: `${factory}.index` },
    read: async (file) => {
      const bytes = readFileSync(file);
      const shape = {
        engine: "faiss",
        factory,
        kind: "real",
        dim: 8,
        metric: "inner-product",
      } as const;
      const index = await loadIndex({ ...shape, bytes });
      const asked = { data: vectors.data.subarray(0, 8), dim: 8 };
      const answer = await index.search(asked, 3);
      index.close();
      return answer;
    },
  })),
  {
    ...{ name: "record", text: true, file: "record/run.json" },
    read: (_, folder) => readRecord(join(folder, "record")),
  },
  {
    ...{ name: "cases", text: false, file: "record/cases.arrow" },
    read: (file) => Promise.resolve(readCases(file)),
  },
  {
    ...{ name: "cache", text: false, file: "cache-log" },
    read: async (file, folder) => {
      const root = join(folder, "cache");
      const [own] = readdirSync(root);
      copyFileSync(file, join(root, own!, "entries.log"));
      const cache = await ObservationCache.open(root, key);
      const held = cache.get("00".repeat(32));
      await cache.close();
      // Damaged entries are measured again; what is given is as it was put.
      if (held && Buffer.compare(Buffer.from(held), Buffer.from([1, 2, 3])) !== 0)
        throw new Error("the cache gives other bytes than were put");
      return held;
    },
  },
];

/** Writes every sound file. */
export async function writeSound(folder: string): Promise<void> {
  const at = (name: string): string => join(folder, name);
  const write = (name: string, text: string | Uint8Array): void => {
    mkdirSync(join(at(name), ".."), { recursive: true });
    writeFileSync(at(name), text);
  };
  const random = new Random("sound");
  const pixels = Buffer.from(Array.from({ length: 24 * 16 * 3 }, () => random.below(256)));
  const picture = sharp(pixels, { raw: { width: 24, height: 16, channels: 3 } });
  for (const ending of ["png", "jpg", "webp", "gif", "tiff"])
    await picture.clone().toFile(at(`picture.${ending}`));
  const bytes = model({
    inputs: [value("x", "float32", ["n", 3, 4, 4])],
    outputs: [value("e", "float32", ["n", 8])],
    nodes: [
      node("GlobalAveragePool", ["x"], ["p"]),
      node("Flatten", ["p"], ["f"], { axis: 1 }),
      node("MatMul", ["f", "w"], ["e"]),
    ],
    initializers: [
      tensor(
        "w",
        [3, 8],
        Float32Array.from({ length: 24 }, (_, i) => i),
      ),
    ],
  });
  writeModel(
    folder,
    "model",
    bytes,
    `task: recognition\ninput: { width: 4, height: 4, colour: rgb, ${plainInput} }\n` +
      "recognition: { size: 8 }",
  );
  write("list.txt", "a.png\tred\t1\nb.png\tred\t2\nc.png\tblue\t1\n");
  write("list.csv", "path,label,camera\na.png,red,1\nb.png,blue,2\n");
  write(
    "set.yaml",
    "schema: 1\ntask: recognition\nname: set\ntitle: Set\nversion: 1\nlicence: x\norigin: x\n" +
      "images: .\nevaluation: leave-one-out\nidentity: uid\ngallery: { list: list.txt }\n",
  );
  write(
    "config.yaml",
    "schema: 1\nname: config\ntitle: Config\nmeasure:\n  - kind: retrieval\n    models: " +
      "[model.yaml]\n    datasets: [set.yaml]\n    k: [1, 5]\n    indexes: [{ factory: Flat }]\n",
  );
  write("coco.json", JSON.stringify(truth));
  write("found.json", JSON.stringify(found));
  write("voc/a.xml", voc);
  write("cvat.xml", cvat);
  write("yolo/a.txt", "0 .5 .5 .25 .25\n1 .25 .25 .125 .5\n");
  write("yolo/classes.txt", "car\ntree\n");
  write(
    "lm/a.json",
    JSON.stringify({
      shapes: [
        {
          label: "car",
          points: [
            [1, 2],
            [9, 8],
          ],
          shape_type: "rectangle",
        },
      ],
      ...{ imagePath: "a.png", imageWidth: 64, imageHeight: 32 },
    }),
  );
  write(
    "open.csv",
    "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsGroupOf\na,x,car,1,.1,.5,.2,.6,0\n",
  );
  await writeNpyRows(at("v.npy"), vectors);
  await writeFvecs(at("v.fvecs"), vectors);
  await writeArrowRows(at("v.arrow"), vectors);
  for (const factory of ["Flat", "HNSW8", "IVF2,Flat"]) {
    const shape = {
      engine: "faiss",
      factory,
      kind: "real",
      dim: 8,
      metric: "inner-product",
    } as const;
    const index = await openIndex(shape);
    if (!index.trained) await index.train(vectors);
    await index.add(vectors);
    write(`${factory}.index`, await index.serialize());
    index.close();
  }
  for (const name of ["run.json", "cases.arrow"])
    write(`record/${name}`, readFileSync(join(reference, name)));
  const cache = await ObservationCache.open(join(folder, "cache"), key);
  cache.put("00".repeat(32), Uint8Array.of(1, 2, 3));
  cache.put("11".repeat(32), new Uint8Array(40));
  await cache.close();
  const [own] = readdirSync(at("cache"));
  write("cache-log", readFileSync(join(at("cache"), own!, "entries.log")));
}

const references = join(projectRoot, "runs/reference");
const reference = join(
  references,
  readdirSync(references).find((name) => name.includes("mini-table5"))!,
);

const voc =
  "<annotation><filename>a.png</filename><size><width>64</width><height>32</height></size>\n" +
  "<object><name>car</name><difficult>0</difficult><bndbox><xmin>5</xmin><ymin>5</ymin>" +
  "<xmax>20</xmax><ymax>12</ymax></bndbox></object></annotation>\n";
const cvat =
  "<annotations><meta><task><labels><label><name>car</name></label></labels></task></meta>\n" +
  '<image id="0" name="a.png" width="64" height="32"><box label="car" xtl="1" ytl="2" xbr="9" ' +
  'ybr="8"/></image></annotations>\n';
