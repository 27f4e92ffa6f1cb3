import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withSystem } from "../../src/cli/system-options.js";
import { modelConfig } from "../../src/import/paddle/cards/config.js";
import { idMapPickle } from "../../src/import/paddle/galleries/pickle.js";
import { readDeployment } from "../../src/import/paddle/system/deployment.js";
import { importSystem } from "../../src/import/paddle/system/import-system.js";
import { Gallery } from "../../src/pipeline/gallery/gallery.js";
import { FaissIndex } from "../../src/pipeline/index/faiss.js";
import { loadCard } from "../../src/pipeline/model/card.js";
import { projectRoot } from "../../src/pipeline/root.js";
import { readSystem } from "../../src/pipeline/system/system-file.js";
import { complaintOf } from "../complaint.js";

const golden = join(projectRoot, "test", "golden", "paddle", "blocks", "old");
const options = {
  name: "shop",
  opset: 17,
  batch: null,
  size: null,
  form: null,
  keepNorms: false,
  drawSeed: null,
};

/** As PaddleClas writes them, with its own spelling. */
const deployment = `
Global:
  rec_inference_model_dir: "./models/blocks"
  rec_nms_thresold: 0.07
  threshold: 0.25
  max_det_results: 4
RecPreProcess:
  transform_ops:
    - ResizeImage: { resize_short: 256, interpolation: bicubic, backend: cv2 }
    - CropImage: { size: 224 }
    - NormalizeImage: { scale: 1.0/255.0, mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2], order: hwc }
    - ToCHWImage:
RecPostProcess: null
IndexProcess:
  index_dir: "./index"
  dist_type: "IP"
  return_k: 3
  score_thres: 0.6
`;

let root: string;
let file: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "shitu-system-"));
  const deploy = join(root, "deploy");
  mkdirSync(join(deploy, "configs"), { recursive: true });
  cpSync(golden, join(deploy, "models", "blocks"), { recursive: true });
  file = join(deploy, "configs", "inference_shop.yaml");
  writeFileSync(file, deployment);
  mkdirSync(join(deploy, "index"));
  const index = FaissIndex.open({ kind: "real", metric: "inner-product", dim: 5 }, "Flat");
  await index.add({ data: new Float32Array(10).fill(0.4), dim: 5 }, Float64Array.from([0, 1]));
  writeFileSync(join(deploy, "index", "vector.index"), await index.serialize());
  index.close();
  const rows = new Map([
    [0, "a.jpg cola"],
    [1, "b.jpg tea"],
  ]);
  writeFileSync(join(deploy, "index", "id_map.pkl"), idMapPickle(rows));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

describe("PaddleClas's file of a whole system", () => {
  it("comes in as a folder: models, gallery, constants", async () => {
    const out = join(root, "shop");
    const imported = await importSystem(await readDeployment(file), out, options);
    expect(imported).toMatchObject({ detector: null, gallery: 2, notes: [] });
    const system = await readSystem(out);
    expect(system.settings).toMatchObject({
      protocol: "paddleclas",
      k: 3,
      maxDetections: 4,
      detectionThreshold: 0.25,
      scoreThreshold: 0.6,
      hammingRadius: 100,
      suppressIou: 0.07,
      addWholeImage: true,
    });
    const gallery = await Gallery.load(system.gallery);
    expect(gallery.rows.map((r) => r.label)).toEqual(["cola", "tea"]);
    expect(gallery.settings.model.card).toBe(join(out, "embedder", "card.yaml"));
    gallery.close();
  });

  it("says in the embedder's card what its transforms say", async () => {
    const card = await loadCard(join(root, "shop", "embedder", "card.yaml"));
    expect(card).toMatchObject({
      task: "recognition",
      input: {
        colour: "rgb",
        mean: [0.5, 0.5, 0.5],
        std: [0.2, 0.2, 0.2],
        interpolation: "cubic",
      },
    });
  });

  it("is written whole or not at all", async () => {
    const bad = join(root, "deploy", "configs", "bad.yaml");
    writeFileSync(bad, deployment.replace("./models/blocks", "./models/none"));
    const complaint = await complaintOf(readDeployment(bad));
    expect(complaint).toMatchObject({ code: "file-missing", found: "./models/none" });
    const index = join(root, "deploy", "configs", "index.yaml");
    writeFileSync(index, deployment.replace("./index", "./models"));
    const work = readDeployment(index).then((d) => importSystem(d, join(root, "never"), options));
    expect((await complaintOf(work)).code).toBe("gallery-missing");
    expect(existsSync(join(root, "never"))).toBe(false);
  });

  it("comes in without a gallery where none is there, and says so", async () => {
    const bare = join(root, "deploy", "configs", "bare.yaml");
    writeFileSync(bare, deployment.replace("./index", "./elsewhere"));
    const out = join(root, "bare");
    const { gallery, notes } = await importSystem(await readDeployment(bare), out, options);
    expect([gallery, notes[0]]).toEqual([
      null,
      "no gallery in ./elsewhere: build one, and name it in system.yaml",
    ]);
  });

  it("is refused where it is another kind of file", async () => {
    const other = join(root, "other.yaml");
    writeFileSync(other, "Global: { rec_inference_model_dir: m }\n");
    expect(await complaintOf(readDeployment(other))).toMatchObject({
      code: "schema",
      path: "IndexProcess",
    });
  });
});

describe("what is typed beside a system", () => {
  const typed = (...names: string[]) => ({
    getOptionValueSource: (name: string) => (names.includes(name) ? "cli" : "default"),
  });
  const usual = {
    k: "5",
    scoreThreshold: "0.5",
    hammingRadius: "100",
    detectionThreshold: "0.2",
    maxDetections: "5",
    suppressIou: "0.05",
    wholeImage: true,
  };

  it("counts before what the system says, and defaults do not", async () => {
    const system = join(root, "shop");
    const given = { ...usual, system, k: "9" };
    expect(await withSystem(given, typed("k"))).toMatchObject({
      k: "9",
      scoreThreshold: "0.6",
      protocol: "paddleclas",
      gallery: join(system, "gallery"),
      embedder: join(system, "embedder", "card.yaml"),
    });
  });

  it("has to be a gallery where no system is named", async () => {
    expect((await complaintOf(withSystem(usual, typed()))).code).toBe("gallery-unnamed");
  });
});

describe("transforms of a deployment", () => {
  const config = (ops: unknown[], more: object = {}) =>
    modelConfig({ RecPreProcess: { transform_ops: ops }, ...more }, "f.yaml");

  it("are read from the part of each model", () => {
    const short = { ResizeImage: { resize_short: 256 } };
    const cut = config([short, { CropImage: { size: 224 } }]).preparation;
    expect([cut.resizeShort?.value, cut.size?.value]).toEqual([256, { width: 224, height: 224 }]);
    expect(cut.resizeShort?.from).toMatch(/^f.yaml: RecPreProcess.transform_ops\[0\]/);
  });

  it("tell codes, colours and labels", () => {
    const codes = config([], { RecPostProcess: { Binarize: { method: "sign" } } });
    expect(codes).toMatchObject({ binarise: "sign", task: "recognition" });
    expect(codes.preparation.colour).toEqual({
      value: "rgb",
      from: "deploy/python/predict_rec.py",
    });
    const detector = modelConfig(
      { Global: { label_list: ["foreground"] }, DetPreProcess: { transform_ops: [] } },
      "f.yaml",
    );
    expect(detector).toMatchObject({ task: "detection", labels: ["foreground"], binarise: null });
  });
});
