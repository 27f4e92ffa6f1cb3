import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openEmbedder } from "../../../src/pipeline/embedding/embedder.js";
import { loadModel } from "../../../src/pipeline/model/model.js";
import { floatToHalf, halfToFloat } from "../../../src/pipeline/onnx/half.js";
import { readOnnx } from "../../../src/pipeline/onnx/read-model.js";
import { openSession } from "../../../src/pipeline/onnx/session.js";
import { bytesField, concatBytes, integerField } from "../../../src/pipeline/onnx/wire.js";
import type { Vectors } from "../../../src/pipeline/types.js";
import { complaintOf } from "../../complaint.js";
import { model, node, plainInput, tensor, value, writeModel } from "../onnx/onnx-builder.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "foreign-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const white = { data: new Uint8Array(12).fill(255), width: 2, height: 2 };
/** The mean of each channel times a matrix of 3 x 8: of a white picture its columns' sums. */
const matrix = Float32Array.from({ length: 24 }, (_, i) => i % 8);
const sums = [0, 3, 6, 9, 12, 15, 18, 21];
const meanTimes = (weights: Uint8Array, types = { in: "float32", out: "float32" }) =>
  model({
    inputs: [value("x", types.in as "float32", ["n", 3, 2, 2])],
    outputs: [value("e", types.out as "float32", ["n", 8])],
    nodes: [
      node("GlobalAveragePool", ["x"], ["p"]),
      node("Flatten", ["p"], ["f"]),
      node("MatMul", ["f", "w"], ["e"]),
    ],
    initializers: [weights],
  });
const card = (input = `colour: rgb, ${plainInput}`): string =>
  `task: recognition\ninput: { width: 2, height: 2, ${input} }\n` +
  "recognition: { size: 8, normalise: false }";
async function featuresOf(path: string): Promise<number[]> {
  const embedder = await openEmbedder(path);
  const { data } = (await embedder.embed([white])) as Vectors;
  await embedder.close();
  return [...data];
}

describe("weights in another file", () => {
  const outside = (entries: Readonly<Record<string, string | number>>): Uint8Array =>
    concatBytes([
      ...[3, 8].map((d) => integerField(1, d)),
      integerField(2, 1),
      bytesField(8, "w"),
      ...Object.entries(entries).map(([key, text]) =>
        bytesField(13, [bytesField(1, key), bytesField(2, String(text))]),
      ),
      integerField(14, 1),
    ]);
  const bytes = new Uint8Array(matrix.buffer);

  it("are used, and the hash covers them", async () => {
    writeFileSync(join(folder, "w.bin"), Buffer.concat([Buffer.alloc(16, 7), bytes]));
    const path = join(folder, "split.onnx");
    const split = meanTimes(outside({ location: "w.bin", offset: 16, length: 96 }));
    writeFileSync(path, split);
    const whole = await readOnnx(path);
    const sha256 = createHash("sha256").update(whole.bytes).digest("hex");
    expect(sha256).not.toBe(createHash("sha256").update(split).digest("hex"));
    // The card as `shitu inspect` drafts it: with the hash of the whole.
    const cardFile = writeModel(folder, "split", split, card());
    const { readFileSync } = await import("node:fs");
    const text = readFileSync(cardFile, "utf8").replace(/sha256: .*/, `sha256: "${sha256}"`);
    writeFileSync(cardFile, text);
    expect(await featuresOf(cardFile)).toEqual(sums);

    writeFileSync(
      join(folder, "w.bin"),
      Buffer.concat([Buffer.alloc(16, 7), bytes.map((b) => b ^ 1)]),
    );
    expect(await complaintOf(loadModel(cardFile))).toMatchObject({
      code: "card-mismatch",
      path: "sha256",
    });
  });

  it.each<[string, Readonly<Record<string, string | number>>, string, RegExp]>([
    ["missing", { location: "none.bin" }, "w", /no file none\.bin/],
    ["too short", { location: "short.bin", length: 96 }, "w", /a file of 8 bytes/],
    ["above the model's folder", { location: "../secret.bin" }, "w", /\.\.\/secret\.bin/],
    ["by an absolute path", { location: "/etc/hostname" }, "w", /hostname/],
    ["by a link that leads out", { location: "link.bin" }, "w", /link\.bin/],
    ["nowhere", {}, "w", /no location/],
    ["before its beginning", { location: "short.bin", offset: -4 }, "w", /8 bytes/],
  ])("%s: refused with the file", async (name, entries, path, found) => {
    const within = join(folder, "within");
    mkdirSync(within, { recursive: true });
    writeFileSync(join(folder, "secret.bin"), bytes);
    writeFileSync(join(within, "short.bin"), Buffer.alloc(8));
    if (name.startsWith("by a link"))
      symlinkSync(join(folder, "secret.bin"), join(within, "link.bin"));
    writeFileSync(join(within, "m.onnx"), meanTimes(outside(entries)));
    const complaint = await complaintOf(readOnnx(join(within, "m.onnx")));
    expect(complaint).toMatchObject({ code: "onnx-external-data", path, found });
  });
});

describe("half precision and bytes", () => {
  it("rounds to float16 as IEEE 754 has it, ties to even", () => {
    const bits = (x: number): string => floatToHalf(x).toString(16);
    expect([0, -0, 1, -2, 0.1, 65504].map(bits)).toEqual([
      "0",
      "8000",
      "3c00",
      "c000",
      "2e66",
      "7bff",
    ]);
    // 1 + 2^-11 lies between 1 and 1 + 2^-10: to even, 1. 1 + 3 * 2^-11: up.
    expect([1 + 2 ** -11, 1 + 3 * 2 ** -11].map(bits)).toEqual(["3c00", "3c02"]);
    expect([65519, 65520, -Infinity, NaN].map(bits)).toEqual(["7bff", "7c00", "fc00", "7e00"]);
    expect([2 ** -24, 2 ** -25, 3 * 2 ** -26].map(bits)).toEqual(["1", "0", "1"]);
    for (let h = 0; h < 0x7c00; h++) expect(floatToHalf(halfToFloat(h))).toBe(h);
  });

  it("feeds and reads float16", async () => {
    const half = Uint16Array.from(matrix, floatToHalf);
    const weights = concatBytes([
      ...[3, 8].map((d) => integerField(1, d)),
      integerField(2, 10),
      bytesField(8, "w"),
      bytesField(9, new Uint8Array(half.buffer)),
    ]);
    const types = { in: "float16", out: "float16" };
    const path = writeModel(folder, "half", meanTimes(weights, types), card());
    expect(await featuresOf(path)).toEqual(sums);
  });

  const takesBytes = model({
    inputs: [value("x", "uint8", [1, 2, 2, 3])],
    outputs: [value("e", "float32", [1, 8])],
    nodes: [
      node("Cast", ["x"], ["f"], { to: 1 }),
      node("ReduceMean", ["f"], ["p"], { axes: [1, 2], keepdims: 0 }),
      node("MatMul", ["p", "w"], ["e"]),
    ],
    initializers: [tensor("w", [3, 8], matrix)],
  });
  const plain = "scale: 1, mean: [0, 0, 0], std: [1, 1, 1], interpolation: linear";

  it("feeds bytes as they are, height by width by channel", async () => {
    const input = `layout: nhwc, colour: rgb, ${plain}`;
    const path = writeModel(folder, "bytes", takesBytes, card(input));
    expect(await featuresOf(path)).toEqual(sums.map((s) => 255 * s));
  });

  it("refuses a card that prepares what the graph cannot take", async () => {
    const input = `layout: nhwc, colour: rgb, ${plainInput}`;
    const refused = complaintOf(loadModel(writeModel(folder, "scaled", takesBytes, card(input))));
    expect(await refused).toMatchObject({
      path: "input.scale",
      fix: "set scale: 1, mean: [0, 0, 0], std: [1, 1, 1]",
    });
  });
});

describe("versions that the runtime does not know", () => {
  const versioned = (opset: number, ir: number): Uint8Array => {
    const plain = meanTimes(tensor("w", [3, 8], matrix));
    return concatBytes([plain, integerField(1, ir), bytesField(8, integerField(2, opset))]);
  };
  it.each([
    ["opset", 99, 8, /^this file needs opset 99, and this ONNX Runtime knows \d+ at most$/],
    ["IR", 13, 99, /^this file needs IR version 99, and this ONNX Runtime knows \d+ at most$/],
  ])("%s: one sentence of ours", async (_, opset, ir, message) => {
    const complaint = await complaintOf(openSession(versioned(opset, ir), "m.onnx"));
    expect(complaint).toMatchObject({ code: "onnx-unsupported", message });
    expect(complaint.fix).toMatch(/or lower/);
  });
});
