import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Tensor } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel, loadModelFor } from "../../../src/pipeline/model/model.js";
import { ensureBuilt } from "../../../build.mjs";
import { projectRoot } from "../../../src/pipeline/root.js";
import { complaintOf } from "../../complaint.js";
import {
  model,
  node,
  plainInput,
  tensor,
  value,
  weights,
  writeModel,
  type GraphParts,
} from "../onnx/onnx-builder.js";

const input = `input: { width: 6, height: 4, colour: rgb, ${plainInput} }`;
const embedderParts: GraphParts = {
  inputs: [value("x", "float32", ["n", 3, 4, 6])],
  outputs: [value("e", "float32", ["n", 8]), value("logits", "float32", ["n", 5])],
  nodes: [
    node("Conv", ["x", "w"], ["c"]),
    node("GlobalAveragePool", ["c"], ["p"]),
    node("Flatten", ["p"], ["e"]),
    node("MatMul", ["e", "v"], ["logits"]),
  ],
  initializers: [weights("w", 8, 3, 1, 1), weights("v", 8, 5)],
};
const embedder = model(embedderParts);
const recognition = `task: recognition\n${input}\nrecognition: { output: e, size: 8 }`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "shitu-model-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe("a model and its card", () => {
  it("load, run and close", async () => {
    const loaded = await loadModel(writeModel(folder, "good", embedder, recognition));
    expect(loaded).toMatchObject({ id: "good", bytes: embedder.length, imageInput: { name: "x" } });
    expect(loaded.load.sessionMs).toBeGreaterThan(0);
    const { e } = await loaded.run({
      x: new Tensor("float32", new Float32Array(2 * 72).fill(1), [2, 3, 4, 6]),
    });
    expect(e!.dims).toEqual([2, 8]);
    await loaded.close();
    await loaded.close();
    await expect(loaded.run({})).rejects.toThrow(/used after close/);
  });

  it("may lie in different folders", async () => {
    const card = writeModel(folder, "moved", embedder, recognition);
    mkdirSync(join(folder, "elsewhere"));
    renameSync(join(folder, "moved.onnx"), join(folder, "elsewhere", "moved.onnx"));
    expect(await complaintOf(loadModel(card))).toMatchObject({
      code: "file-unreadable",
      file: join(folder, "moved.onnx"),
    });
    await (await loadModel(card, { modelFolder: join(folder, "elsewhere") })).close();
  });

  it("are another model when the weights or a setting change, not when a note does", async () => {
    const version = async (rest: string, bytes = embedder): Promise<string> => {
      const loaded = await loadModel(writeModel(folder, "version", bytes, rest));
      await loaded.close();
      return loaded.version;
    };
    const before = await version(recognition);
    expect(await version(`${recognition}\nnotes: seen`)).toBe(before);
    expect(await version(recognition.replace("linear", "cubic"))).not.toBe(before);
    expect(await version(recognition.replace("size: 8", "size: 8, binarise: sign"))).not.toBe(
      before,
    );
    expect(
      await version(
        recognition,
        model({
          ...embedderParts,
          initializers: [weights("w", 8, 3, 1, 1), tensor("v", [8, 5], new Float32Array(40))],
        }),
      ),
    ).not.toBe(before);
  });
});

const two: GraphParts = {
  inputs: [value("x", "float32", [1, 3, 4, 6]), value("z", "float32", [1, 3, 4, 6])],
  outputs: [value("e", "float32", [1, 3, 4, 6])],
  nodes: [node("Add", ["x", "z"], ["e"])],
};
const bytesIn: GraphParts = {
  inputs: [value("x", "uint8", [1, 3, 4, 6])],
  outputs: [value("e", "uint8", [1, 3, 4, 6])],
  nodes: [node("Identity", ["x"], ["e"])],
};
const heads: GraphParts = {
  inputs: [value("x", "float32", [1, 3, 8, 8]), value("scale_factor", "float32", [1, 2])],
  outputs: [value("s", "float32", [1, 1, 3]), value("d", "float32", [1, 1, 32])],
  nodes: [node("Identity", ["c1"], ["s"]), node("Identity", ["c2"], ["d"])],
  initializers: [weights("c1", 1, 1, 3), weights("c2", 1, 1, 32)],
};
const detection =
  `task: detection\ninput: { width: 8, height: 8, colour: rgb, ${plainInput} ` +
  `}\ndetection: { classes: 3, strides: [8] }`;

describe("a card that lies", () => {
  it.each<[string, Uint8Array, string, string, RegExp, RegExp]>([
    [
      "the height",
      embedder,
      recognition.replace("height: 4", "height: 5"),
      "input.height",
      /x \[n, 3, 4, 6\]/,
      /set input.height to 4/,
    ],
    [
      "the width",
      embedder,
      recognition.replace("width: 6", "width: 7"),
      "input.width",
      /x \[n, 3, 4, 6\]/,
      /set input.width to 6/,
    ],
    [
      "the layout",
      embedder,
      recognition.replace("colour", "layout: nhwc, colour"),
      "input.layout",
      /x \[n, 3, 4, 6\]/,
      /set input.layout to nchw/,
    ],
    [
      "the input's name",
      embedder,
      recognition.replace("width: 6", "name: y, width: 6"),
      "input.name",
      /x \[n/,
      /set input.name to x/,
    ],
    [
      "the size",
      embedder,
      recognition.replace("size: 8", "size: 16"),
      "recognition.size",
      /e \[n, 8\]/,
      /set recognition.size to 8/,
    ],
    [
      "the output",
      embedder,
      recognition.replace("output: e", "output: features"),
      "recognition.output",
      /e \[n, 8\], logits \[n, 5\]/,
      /e or logits/,
    ],
    [
      "leaving out which of two outputs",
      embedder,
      recognition.replace("output: e, ", ""),
      "recognition.output",
      /logits/,
      /e or logits/,
    ],
    [
      "the number of classes",
      embedder,
      `task: classification\n${input}\nclassification: { output: logits, classes: 4 }`,
      "classification.classes",
      /logits \[n, 5\]/,
      /to 5/,
    ],
    [
      "that there is one input",
      model(two),
      recognition,
      "input.name",
      /x \[1, 3, 4, 6\], z/,
      /x or z/,
    ],
    ["that bytes are prepared", model(bytesIn), recognition, "input.scale", /uint8/, /scale: 1/],
    [
      "the export form",
      model(heads),
      detection.replace("classes: 3", "form: decoded, classes: 3"),
      "detection.form",
      /raw \(c\)/,
      /set detection.form to raw/,
    ],
    [
      "the classes of a detector",
      model(heads),
      detection.replace("classes: 3", "classes: 80"),
      "detection.classes",
      /^3$/,
      /to 3/,
    ],
    [
      "the strides",
      model(heads),
      detection.replace("strides: [8]", "strides: [4]"),
      "detection.form",
      /1 cells/,
      /shitu inspect/,
    ],
    [
      "that it is a detector",
      embedder,
      `task: detection\n${input}\ndetection: { classes: 3 }`,
      "detection.form",
      /not one output/,
      /shitu inspect/,
    ],
  ])("about %s is refused", async (_, bytes, rest, path, found, fix) => {
    const card = writeModel(folder, "lie", bytes, rest);
    const complaint = await complaintOf(loadModel(card));
    expect(complaint).toMatchObject({ code: "card-mismatch", file: card, path });
    expect(complaint.found).toMatch(found);
    expect(complaint.fix).toMatch(fix);
    expect(complaint.expected).toBeTruthy();
  });

  it("about the hash is refused with both hashes", async () => {
    const card = writeModel(folder, "hash", embedder, recognition);
    const other = model({
      ...embedderParts,
      initializers: [weights("w", 8, 3, 1, 1), tensor("v", [8, 5], new Float32Array(40))],
    });
    writeFileSync(join(folder, "hash.onnx"), other);
    expect(await complaintOf(loadModel(card))).toMatchObject({
      code: "card-mismatch",
      path: "sha256",
    });
  });

  it("cannot hide that the model is cut in half", async () => {
    const card = writeModel(folder, "half", embedder, recognition);
    writeFileSync(join(folder, "half.onnx"), embedder.subarray(0, embedder.length / 2));
    expect(await complaintOf(loadModel(card))).toMatchObject({ code: "onnx-unreadable" });
  });

  it("about the task is refused where another is asked for", async () => {
    expect(
      await complaintOf(
        loadModelFor("detection", writeModel(folder, "task", embedder, recognition)),
      ),
    ).toMatchObject({ code: "card-mismatch", path: "task" });
  });

  it(
    "a graph that ONNX Runtime refuses is said so, " + "after the card was found to agree",
    async () => {
      const odd = model({
        ...embedderParts,
        nodes: [...embedderParts.nodes.slice(0, 3), node("Gone", ["e", "v"], ["logits"])],
      });
      expect(
        await complaintOf(loadModel(writeModel(folder, "odd", odd, recognition))),
      ).toMatchObject({ code: "onnx-unsupported" });
    },
  );
});

describe("a run that fails", () => {
  it("is the user's error, the process stays, and nothing is written to the terminal", async () => {
    await ensureBuilt();
    // Picks row 9 of 8 where the picture is not black.
    const failing = model({
      ...embedderParts,
      nodes: [
        ...embedderParts.nodes.slice(0, 2),
        node("Flatten", ["p"], ["f"]),
        node("ReduceMax", ["x"], ["m"], { keepdims: 0 }),
        node("Mul", ["m", "nine"], ["i"]),
        node("Cast", ["i"], ["row"], { to: 7 }),
        node("Gather", ["f", "row"], ["g"], { axis: 1 }),
        node("Expand", ["g", "shape"], ["e"]),
        node("MatMul", ["e", "v"], ["logits"]),
      ],
      initializers: [
        ...embedderParts.initializers!,
        tensor("nine", [], Float32Array.of(9)),
        tensor("shape", [2], BigInt64Array.of(1n, 8n)),
      ],
    });
    const card = writeModel(folder, "failing", failing, recognition);
    const script = join(folder, "run.mjs");
    const place = (path: string): string => JSON.stringify(join(projectRoot, path));
    writeFileSync(
      script,
      `
      const { loadModel } = await import(${place("dist/src/pipeline/model/model.js")});
      const { createRequire } = await import("node:module");
      const { Tensor } = createRequire(${place("package.json")})("onnxruntime-node");
      const model = await loadModel(${JSON.stringify(card)});
      const picture = (fill) =>
        new Tensor("float32", new Float32Array(72).fill(fill), [1, 3, 4, 6]);
      const run = (fill) => model.run({ x: picture(fill) });
      await run(0);
      const error = await run(1).catch((e) => e);
      await run(0); // and goes on
      console.log(JSON.stringify(error.complaint));
    `,
    );
    const log = join(folder, "stderr.txt");
    const stdout = execFileSync("sh", ["-c", `exec node "${script}" 2> "${log}"`], {
      encoding: "utf8",
    });
    expect(JSON.parse(stdout)).toMatchObject({ code: "model-run-failed" });
    expect(readFileSync(log, "utf8")).toBe("");
  });
});
