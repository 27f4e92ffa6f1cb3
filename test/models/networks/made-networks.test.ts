import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Tensor } from "onnxruntime-node";
import { afterEach, describe, expect, it } from "vitest";
import { networkNamed } from "../../../models/networks/catalogue.js";
import { cachedNetwork, madeNetwork } from "../../../models/networks/network-files.js";
import { drawnPicture } from "../../../models/networks/settle-norms.js";
import { inspectOnnx } from "../../../src/pipeline/onnx/inspect.js";
import { parseOnnx, type OnnxModel } from "../../../src/pipeline/onnx/read-model.js";
import { openSession, runSession } from "../../../src/pipeline/onnx/session.js";
import { nodeOutputs, traceTensors } from "../../../src/pipeline/onnx/trace.js";
import { concatBytes } from "../../../src/pipeline/onnx/wire.js";
import { modelParts } from "../../../src/pipeline/onnx/write-model.js";
import { loadCard } from "../../../src/pipeline/model/card.js";
import { checkCard } from "../../../src/pipeline/model/model.js";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

async function made(name: string, size: number, int8 = false): Promise<OnnxModel> {
  const model = await madeNetwork(networkNamed(name), { seed: 1, size, int8 });
  return parseOnnx(concatBytes(modelParts(model)), name);
}

/** Flat areas and edges, unlike the picture that settled the norms. */
function chequers(size: number): Float32Array {
  const cell = size / 4;
  return Float32Array.from({ length: 3 * size * size }, (_, i) => {
    const [row, column] = [Math.floor(i / size) % size, i % size];
    return (Math.floor(row / cell) + Math.floor(column / cell)) % 2 === 0 ? 2 : -1.5;
  });
}

const smallestNormal = 2 ** -126;

describe("networks that nobody trained", () => {
  it.each([
    ["pp-lcnet-0.25x", 128],
    ["mobilenet-v2-0.5x", 128],
    ["shufflenet-v2-0.33x", 128],
    ["mobilenet-v3-small-1.25x", 128],
    ["pp-yolo-tiny", 128],
    ["picodet-lcnet-2.5x-mainbody", 128],
  ])("%s: values keep their scale through every layer, none denormal", async (name, size) => {
    const model = await made(name, size);
    for (const picture of [drawnPicture(size), chequers(size)]) {
      const image = new Tensor("float32", picture, [1, 3, size, size]);
      const norms = model.graph.nodes.filter((n) => n.op === "BatchNormalization");
      const values = await traceTensors(
        model,
        { image },
        norms.map((n) => n.outputs[0]!),
      );
      expect(values.size).toBeGreaterThan(20);
      for (const [value, { data }] of values) {
        const list = [...(data as Float32Array)];
        const rootMeanSquare = Math.sqrt(list.reduce((sum, v) => sum + v * v, 0) / list.length);
        expect(rootMeanSquare > 0.05 && rootMeanSquare < 100, `${value}: ${rootMeanSquare}`).toBe(
          true,
        );
        expect(list.some((v) => v !== 0 && Math.abs(v) < smallestNormal)).toBe(false);
      }
    }
  });

  it("gives the same bits for a seed, others for another", async () => {
    const [first, again] = [await made("pp-lcnet-0.25x", 64), await made("pp-lcnet-0.25x", 64)];
    expect(Buffer.compare(first.bytes, again.bytes)).toBe(0);
    const other = await madeNetwork(networkNamed("pp-lcnet-0.25x"), { seed: 2, size: 64 });
    expect(Buffer.compare(first.bytes, concatBytes(modelParts(other)))).not.toBe(0);
  });

  it.each(["pp-lcnet-0.25x", "mobilenet-v1-1x"])(
    "%s in eight bits answers nearly as it does in floats",
    async (name) => {
      const [float, integer] = [await answers(name, false), await answers(name, true)];
      const dot = (a: number[], b: number[]): number => a.reduce((sum, v, i) => sum + v * b[i]!, 0);
      const cosine = dot(float, integer) / Math.sqrt(dot(float, float) * dot(integer, integer));
      expect(cosine).toBeGreaterThan(0.85);
    },
  );

  it("decodes boxes in floats behind eight-bit convolutions", async () => {
    const model = await made("pp-yolo-tiny", 64, true);
    const image = new Tensor("float32", drawnPicture(64), [1, 3, 64, 64]);
    const session = await openSession(model.bytes, "pp-yolo-tiny");
    const { boxes } = await runSession(session, { image }, "pp-yolo-tiny");
    await session.release();
    const list = [...(boxes!.data as Float32Array)];
    expect(new Set(list).size).toBeGreaterThan(30);
    expect(Math.max(...list) - Math.min(...list)).toBeGreaterThan(32);
    expect(nodeOutputs(model).some((o) => o.endsWith("dequantised"))).toBe(true);
  });

  async function answers(name: string, int8: boolean): Promise<number[]> {
    const model = await made(name, 64, int8);
    const image = new Tensor("float32", drawnPicture(64), [1, 3, 64, 64]);
    const session = await openSession(model.bytes, name);
    const { logits } = await runSession(session, { image }, name);
    await session.release();
    return [...(logits!.data as Float32Array)];
  }
});

describe("the cache of networks", () => {
  it("builds once, with a card that agrees", async () => {
    const root = mkdtempSync(join(tmpdir(), "shitu-networks-"));
    folders.push(root);
    const network = networkNamed("pp-lcnet-0.25x");
    const folder = await cachedNetwork(network, { seed: 1, size: 64, int8: true }, root);
    const [model, card] = [join(folder, "model.onnx"), join(folder, "card.yaml")];
    const before = statSync(model).mtimeMs;
    expect(await cachedNetwork(network, { seed: 1, size: 64, int8: true }, root)).toBe(folder);
    expect(statSync(model).mtimeMs).toBe(before);
    const read = await loadCard(card);
    if ("baseline" in read) throw new Error("a baseline");
    await checkCard(read, card, model);
    expect(readFileSync(card, "utf8")).toContain("drawn, seed 1");
    expect((await inspectOnnx(model)).quantisation).toBe("qdq");
    const float = await cachedNetwork(network, { seed: 1, size: 64 }, root);
    expect(statSync(join(float, "model.onnx")).size / statSync(model).size).toBeGreaterThan(3);
  });
});
