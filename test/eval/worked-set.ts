import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { loadConfig } from "../../src/eval/config/config.js";
import type { Case } from "../../src/eval/record/case.js";
import { casesFromArrow } from "../../src/eval/record/cases.js";
import type { Cell, RecordedScore, RunRecord } from "../../src/eval/record/record.js";
import { readSamples, type Samples } from "../../src/eval/record/samples.js";
import { runExperiment } from "../../src/eval/run/runner.js";
import { floatTensor, writeOnnx } from "../../src/pipeline/onnx/write-model.js";
import { projectRoot } from "../../src/pipeline/root.js";

/**
 * A folder of pictures, lists and manifests that are small enough to work out by hand what a run
 * must say of them.
 */
export class WorkedSet {
  readonly folder = mkdtempSync(join(tmpdir(), "worked-"));

  write(name: string, text: string): void {
    mkdirSync(dirname(join(this.folder, name)), { recursive: true });
    writeFileSync(join(this.folder, name), text);
  }

  /**
   * A dark picture of 32 x 32 with one bright square, in cell `place` of a grid of 4 x 4: two of
   * them are alike to the `pixels-32` baseline where they share the cell, and only there. Several
   * places make several squares.
   */
  async square(name: string, places: number | readonly number[], brightness = 255): Promise<void> {
    const data = Buffer.alloc(32 * 32 * 3);
    for (const place of [places].flat())
      for (let y = 0; y < 8; y++)
        for (let x = 0; x < 8; x++) {
          const at = (8 * Math.floor(place / 4) + y) * 32 + 8 * (place % 4) + x;
          data.fill(brightness, 3 * at, 3 * at + 3);
        }
    mkdirSync(dirname(join(this.folder, name)), { recursive: true });
    await sharp(data, { raw: { width: 32, height: 32, channels: 3 } })
      .png({ compressionLevel: 1 })
      .toFile(join(this.folder, name));
  }

  /**
   * A classifier of squares, with its card: place p of the grid is output `outputs[p]` of
   * `classes`. `said` is the card's block of the task.
   */
  async classifier(
    name: string,
    outputs: readonly number[],
    classes: number,
    said: string,
  ): Promise<void> {
    const weights = new Float32Array(3 * 32 * 32 * classes);
    outputs.forEach((output, place) => {
      for (let i = 0; i < 3 * 32 * 32; i++) {
        const [x, y] = [i % 32, Math.floor(i / 32) % 32];
        if (4 * Math.floor(y / 8) + Math.floor(x / 8) === place) weights[i * classes + output] = 1;
      }
    });
    const file = join(this.folder, `${name}.onnx`);
    await writeOnnx(file, {
      opset: 13,
      producer: "test",
      graph: {
        name,
        inputs: [{ name: "x", dtype: "float32", shape: [1, 3, 32, 32] }],
        outputs: [{ name: "y", dtype: "float32", shape: [1, classes] }],
        initializers: [floatTensor("w", [3 * 32 * 32, classes], weights)],
        nodes: [
          { op: "Flatten", inputs: ["x"], outputs: ["flat"], attributes: { axis: 1 } },
          { op: "MatMul", inputs: ["flat", "w"], outputs: ["y"] },
        ],
      },
    });
    const sha256 = createHash("sha256").update(readFileSync(file)).digest("hex");
    this.write(
      `${name}.yaml`,
      `schema: 1\nname: ${name}\nversion: "1"\ntask: classification\nfile: ${name}.onnx\n` +
        `sha256: "${sha256}"\ninput: { width: 32, height: 32, colour: rgb, scale: 1/255, ` +
        "mean: [0, 0, 0], std: [1, 1, 1], interpolation: linear }\n" +
        `classification:\n  ${said}\nlicence: generated\norigin: generated\n`,
    );
  }

  /** A manifest of the task; `body` has what the task needs. */
  manifest(name: string, task: string, body: string): void {
    this.write(
      `${name}.yaml`,
      `schema: 1\ntask: ${task}\nname: ${name}\ntitle: Worked\nversion: 1\nlicence: generated\n` +
        `origin: generated\nimages: .\n${body}`,
    );
  }

  /** Runs a config with this body; one cell or more. */
  async run(body: string): Promise<Ran> {
    const baselines = JSON.stringify(join(projectRoot, "models", "baselines"));
    this.write(
      "worked.yaml",
      `schema: 1\nname: worked\ntitle: Worked\nsettings: { baselines: ${baselines} }\n${body}`,
    );
    const loaded = await loadConfig(join(this.folder, "worked.yaml"));
    const { record, folder } = await runExperiment(loaded, {
      runs: mkdtempSync(join(this.folder, "runs-")),
      cache: mkdtempSync(join(this.folder, "cache-")),
    });
    return {
      record,
      cases: casesFromArrow(readFileSync(join(folder, "cases.arrow"))),
      samples: await readSamples(folder),
    };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export interface Ran {
  readonly record: RunRecord;
  readonly cases: readonly Case[];
  readonly samples: Samples;
}

type Completed = Extract<Cell, { state: "completed" }>;

/** The only completed cell with these labels; throws with what there is where there is none. */
export function cellOf({ record }: Ran, labels: Readonly<Record<string, string>> = {}): Completed {
  const cells = record.cells.filter((c) =>
    Object.entries(labels).every(([name, value]) => c.labels[name] === value),
  );
  const cell = cells[0];
  if (cells.length !== 1 || cell?.state !== "completed")
    throw new Error(`no one completed cell ${JSON.stringify(labels)}: ${JSON.stringify(cells)}`);
  return cell;
}

/** The only score of a metric, of exactly these things. */
export function scoreOf(
  cell: Completed,
  metric: string,
  of: Readonly<Record<string, string>> = {},
): RecordedScore {
  const found = cell.scores.filter(
    (s) => s.metric === metric && Object.entries(of).every(([k, v]) => s.of?.[k] === v),
  );
  if (found.length !== 1) {
    const there = JSON.stringify(cell.scores.map((s) => [s.metric, s.of]));
    throw new Error(`${found.length} scores ${metric} ${JSON.stringify(of)}: ${there}`);
  }
  return found[0]!;
}
