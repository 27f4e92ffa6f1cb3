import { readdirSync, readFileSync, statSync, existsSync } from "node:fs";
import { join } from "node:path";
import { Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { preprocessingOf } from "../../src/pipeline/model/card.js";
import { loadModel } from "../../src/pipeline/model/model.js";
import { explainForm } from "../../src/pipeline/forms/forms.js";
import { projectRoot } from "../../src/pipeline/root.js";
import type { Preprocessing } from "../../src/pipeline/types.js";

const models = join(projectRoot, "models");
const names = readdirSync(models).filter((name) => existsSync(join(models, name, "card.yaml")));

interface Reference {
  readonly side: number;
  readonly inputs: number;
  readonly names: readonly string[];
  readonly outputs: readonly { readonly shape: readonly number[]; readonly float32: string }[];
}

/**
 * The made-up pictures of models/training/export.py: (i * 2654435761 mod 2^32) >> 13 & 255, planes
 * of RGB.
 */
function madeUp(count: number, side: number, { scale, mean, std }: Preprocessing): Float32Array {
  const out = new Float32Array(count * 3 * side * side);
  for (let i = 0; i < out.length; i++) {
    const byte = (Math.imul(i + 1, 2654435761) >>> 13) & 255;
    const channel = Math.floor(i / (side * side)) % 3;
    out[i] = (byte * scale - mean[channel]!) / std[channel]!;
  }
  return out;
}

function floats(base64: string): Float32Array {
  const bytes = Buffer.from(base64, "base64");
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/** Cosine of the angle between two vectors. */
function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += a[i]! * b[i]!;
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

/**
 * Whether ONNX Runtime's int8 kernels sum without rounding here: with VNNI or on ARM. Those for
 * AVX2 alone add pairs of products in 16 bits, which saturates; one step more or less then adds up
 * layer upon layer.
 */
const exactIntegers =
  process.arch === "arm64" ||
  (existsSync("/proc/cpuinfo") && /vnni/.test(readFileSync("/proc/cpuinfo", "utf8")));

describe("models", () => {
  it("are there and take 45 MB at most", () => {
    expect(names.length).toBeGreaterThan(0);
    expect(
      names.reduce((sum, name) => sum + statSync(join(models, name, "model.onnx")).size, 0),
    ).toBeLessThan(45e6);
  });

  it.each(names)("%s agrees with its card, and has its log and figures", async (name) => {
    const model = await loadModel(join(models, name, "card.yaml"));
    expect(model.card.name).toBe(name);
    expect(existsSync(join(models, name, model.card.training!.log!))).toBe(true);
    expect(existsSync(join(models, name, model.card.training!.recipe!))).toBe(true);
    const [head, ...rows] = readFileSync(join(models, name, "figures.csv"), "utf8")
      .trim()
      .split("\n");
    expect(head).toBe("set,metric,value,low,high,n");
    for (const row of rows) {
      const [, , value, low, high, n] = row.split(",");
      expect(Number(value)).toBeGreaterThan(0);
      expect(Number(n)).toBeGreaterThanOrEqual(300);
      if (low) expect(Number(low) <= Number(value) && Number(value) <= Number(high)).toBe(true);
    }
    await model.close();
  });

  it.each(names)("%s computes what torch computed", async (name) => {
    const {
      side,
      inputs,
      names: outputs,
      outputs: wanted,
    } = JSON.parse(readFileSync(join(models, name, "reference.json"), "utf8")) as Reference;
    const model = await loadModel(join(models, name, "card.yaml"));
    const pictures = madeUp(inputs, side, preprocessingOf(model.card));
    const found = outputs.map((): number[] => []);
    const size = 3 * side * side;
    for (let i = 0; i < inputs; i++) {
      const feeds: Record<string, Tensor> = {
        image: new Tensor("float32", pictures.slice(i * size, (i + 1) * size), [1, 3, side, side]),
      };
      if (model.inputs.some((p) => p.name === "scale_factor"))
        feeds.scale_factor = new Tensor("float32", Float32Array.of(0.5, 0.625), [1, 2]);
      const result = await model.run(feeds);
      outputs.forEach((output, k) => {
        found[k]!.push(...(result[output]!.data as Float32Array));
      });
    }
    wanted.forEach(({ float32 }, k) => {
      const expected = floats(float32);
      // scores are shares of 1
      const largest = expected.reduce((m, v) => Math.max(m, Math.abs(v)), 1);
      expect(expected.length).toBeGreaterThan(0);
      expect(found[k]!.length).toBeGreaterThanOrEqual(expected.length);
      if (name.includes("int8") && !exactIntegers)
        expect(cosine(expected, found[k]!)).toBeGreaterThan(0.995);
      else
        expected.forEach((v, i) => {
          expect(Math.abs(v - found[k]![i]!) / largest).toBeLessThan(1e-5);
        });
    });
    await model.close();
  });

  it(
    "come in the three export forms of PicoDet, as " + "soon as there are three detectors",
    async () => {
      const forms = new Set<string | null>();
      let detectors = 0;
      for (const name of names) {
        const model = await loadModel(join(models, name, "card.yaml"));
        if (model.card.task === "detection") {
          detectors++;
          forms.add(
            explainForm(
              model.outputs.map((o) => ({ name: o.name, shape: o.shape })),
              {
                width: model.card.input.width,
                height: model.card.input.height,
                strides: model.card.detection.strides,
              },
            ).form,
          );
        }
        await model.close();
      }
      expect(forms.size).toBe(Math.min(3, detectors));
    },
  );
});
