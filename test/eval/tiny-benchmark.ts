import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { Random } from "../../src/eval/stats/random.js";
import { projectRoot } from "../../src/pipeline/root.js";

/**
 * A generated data set that takes a second to make and to measure: pictures of noise around a
 * colour a class, with one object each.
 */
export interface Tiny {
  readonly folder: string;
  /** Writes a config beside the manifests and returns its path. */
  config(name: string, body: string): string;
  readonly pictures: number;
}

export const baselines = join(projectRoot, "models", "baselines");

/** @param pictures at least 2 a class; a class is `i % classes`. */
export async function makeTiny({ pictures = 24, classes = 6 } = {}): Promise<Tiny> {
  const folder = mkdtempSync(join(tmpdir(), "tiny-"));
  mkdirSync(join(folder, "images"));
  const random = new Random("tiny");
  const colours = Array.from({ length: classes }, () => [
    random.below(256),
    random.below(256),
    random.below(256),
  ]);
  const side = 48;
  for (let i = 0; i < pictures; i++) {
    const [r, g, b] = colours[i % classes]!;
    const data = Buffer.alloc(side * side * 3);
    for (let p = 0; p < side * side; p++) {
      const wave = 40 * Math.sin((p % side) / (2 + (i % classes)));
      [r!, g!, b!].forEach((base, c) => {
        data[3 * p + c] = Math.max(0, Math.min(255, base + wave + random.below(120) - 60));
      });
    }
    await sharp(data, { raw: { width: side, height: side, channels: 3 } })
      .png({ compressionLevel: 1 })
      .toFile(join(folder, "images", `${i}.png`));
  }
  const lines = Array.from(
    { length: pictures },
    (_, i) => `images/${i}.png\tclass ${i % classes}\t${i}\n`,
  );
  writeFileSync(join(folder, "all.txt"), lines.join(""));
  writeFileSync(
    join(folder, "gallery.txt"),
    lines
      .filter((_, i) => i >= pictures / 2)
      .map((l) => l.split("\t").slice(0, 2).join("\t") + "\n")
      .join(""),
  );
  writeFileSync(
    join(folder, "boxes.json"),
    JSON.stringify({
      images: lines.map((_, i) => ({ id: i, file_name: `${i}.png`, width: side, height: side })),
      categories: Array.from({ length: classes }, (_, i) => ({
        id: i,
        name: i === 0 ? "stranger" : `class ${i}`,
      })),
      annotations: lines.map((_, i) => ({
        id: i,
        image_id: i,
        category_id: i % classes,
        bbox: [i % 5, 2, 40 - (i % 7), 42],
        area: 42 * (40 - (i % 7)),
        iscrowd: 0,
      })),
    }),
  );
  const head = (name: string, task: string, images = "."): string =>
    `schema: 1\ntask: ${task}\nname: ${name}\ntitle: Tiny\nversion: 1\nlicence: ` +
    `generated\norigin: generated\nimages: ${images}\n`;
  writeFileSync(
    join(folder, "rows.yaml"),
    `${head("rows", "recognition")}evaluation: leave-one-out\nidentity: uid\ngallery: { ` +
      `list: all.txt, delimiter: tab }\n`,
  );
  writeFileSync(
    join(folder, "boxes.yaml"),
    `${head("boxes", "detection", "images")}annotations: { format: coco-json, path: boxes.json }\n`,
  );
  writeFileSync(
    join(folder, "scenes.yaml"),
    `${head("scenes", "pipeline", "images")}gallery: { list: gallery.txt, delimiter: tab, ` +
      `images: . }\nannotations: { format: coco-json, path: boxes.json }\nunknown: stranger\n`,
  );
  return {
    folder,
    pictures,
    config(name, body) {
      const file = join(folder, `${name}.yaml`);
      writeFileSync(
        file,
        `schema: 1\nname: ${name}\ntitle: Tiny\nsettings: { baselines: ` +
          `${JSON.stringify(baselines)} }\n${body}`,
      );
      return file;
    },
  };
}

/** A detection, two retrievals and a pipeline: nine cells without weights. */
export const everyKind = `
measure:
  - kind: detection
    models: ["\${baselines}/whole-image.yaml"]
    datasets: [boxes.yaml]
  - kind: retrieval
    models: ["\${baselines}/pixels-32.yaml", "\${baselines}/colour-histogram.yaml"]
    datasets: [rows.yaml]
    codes: [real, sign]
    indexes: [{ factory: Flat }, { engine: exact, factory: Flat }]
  - kind: pipeline
    systems:
      - name: plain
        detector: "\${baselines}/whole-image.yaml"
        embedder: "\${baselines}/pixels-32.yaml"
        index: { factory: Flat }
    datasets: [scenes.yaml]
`;
