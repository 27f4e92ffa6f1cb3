import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cardSchema } from "../../src/pipeline/model/card.js";
import { loadModel } from "../../src/pipeline/model/model.js";
import { parseYaml } from "../../src/pipeline/schema.js";
import { shared, sharedData } from "../shared-data.js";
import {
  model,
  node,
  plainInput,
  value,
  weights,
  writeModel,
} from "../pipeline/onnx/onnx-builder.js";
import { shitu } from "./shitu.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "shitu-inspect-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const network = model({
  inputs: [value("picture", "float32", ["n", 3, 4, 6])],
  outputs: [value("features", "float32", ["n", 8])],
  nodes: [
    node("Conv", ["picture", "w"], ["c"]),
    node("GlobalAveragePool", ["c"], ["p"]),
    node("Flatten", ["p"], ["features"]),
  ],
  initializers: [weights("w", 8, 3, 1, 1)],
});
const rest =
  `task: recognition\ninput: { width: 6, height: 4, colour: rgb, ${plainInput} ` +
  `}\nrecognition: { size: 8 }`;

describe("shitu inspect", () => {
  it("says what a model is, in words and as JSON", async () => {
    const card = writeModel(folder, "good", network, rest);
    const file = join(folder, "good.onnx");
    const words = await shitu(["inspect", file, "--card", card]);
    expect(words).toMatchObject({ code: 0, stderr: "" });
    for (const part of [
      /parameters +24 /,
      /FLOPs +0\.0005760 M multiply-accumulates/,
      /picture +float32 +\[n, 3, 4, 6\]/,
      /features +float32 +\[n, 8\] +\[1, 8\]/,
      /opset 13/,
      /none of nms-inside, .*queries, decoded, raw/,
      /agrees with the model/,
    ]) {
      expect(words.stdout).toMatch(part);
    }
    const json = await shitu(["inspect", "--card", card, "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      file,
      parameters: 24,
      work: { macs: 576, batch: 1 },
      operators: { Conv: 1 },
      form: { form: null },
      card: { agrees: true },
    });
  });

  it("exits 2 on a card that lies, after saying what the model is", async () => {
    const card = writeModel(folder, "lie", network, rest.replace("size: 8", "size: 512"));
    const { code, stdout, stderr } = await shitu([
      "inspect",
      join(folder, "lie.onnx"),
      "--card",
      card,
      "--json",
    ]);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ parameters: 24, card: { agrees: false } });
    expect(JSON.parse(stderr).error).toMatchObject({
      code: "card-mismatch",
      path: "recognition.size",
      expected: "512",
    });
  });

  it("drafts a card that agrees with the model, and never writes over one", async () => {
    writeModel(folder, "drafted", network, rest);
    const file = join(folder, "drafted.onnx");
    const card = join(folder, "cards", "draft.yaml");
    expect((await shitu(["inspect", file, "--write-card", card])).code).toBe(0);
    const draft = parseYaml(readFileSync(card, "utf8"), card, cardSchema);
    expect(draft).toMatchObject({
      name: "drafted",
      file: "../drafted.onnx",
      task: "recognition",
      input: { width: 6, height: 4 },
      recognition: { output: "features", size: 8 },
    });
    await (await loadModel(card)).close();
    const again = await shitu(["inspect", file, "--write-card", card]);
    expect(again.code).toBe(2);
    expect(again.stderr).toMatch(/there already/);
  });

  it.each<[string, readonly string[], RegExp]>([
    ["half a model", ["half.onnx"], /not a whole ONNX model/],
    ["a text file", ["text.onnx"], /a text file/],
    ["no such file", ["none.onnx"], /no such file/],
    ["no model named", [], /no model is named/],
    [
      "a shape that is none",
      ["good.onnx", "--shape", "picture=three"],
      /--shape takes a name and sizes/,
    ],
  ])("exits 2 on %s, in one line without a stack", async (_, args, message) => {
    writeFileSync(join(folder, "half.onnx"), network.subarray(0, network.length / 2));
    writeFileSync(join(folder, "text.onnx"), "There is no model in here, only text.\n");
    writeFileSync(join(folder, "good.onnx"), network);
    const { code, stdout, stderr } = await shitu(["inspect", ...args], { cwd: folder });
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });

  it("takes the size that a model leaves open", async () => {
    const open = model({
      inputs: [value("picture", "float32", ["n", 3, "h", "w"])],
      outputs: [value("features", "float32", ["n", 8, "h", "w"])],
      nodes: [node("Conv", ["picture", "w"], ["features"])],
      initializers: [weights("w", 8, 3, 1, 1)],
    });
    const file = join(folder, "open.onnx");
    writeFileSync(file, open);
    expect(JSON.parse((await shitu(["inspect", file, "--json"])).stdout).work).toMatchObject({
      macs: null,
    });
    expect(
      JSON.parse((await shitu(["inspect", "--shape", "picture=2,3,5,5", file, "--json"])).stdout)
        .work,
    ).toMatchObject({ macs: 1200, macsPerImage: 600 });
  });
});

describe.skipIf(!sharedData)("shitu inspect on real exports", () => {
  it.each([
    ["picodet_xs_320_lcnet_postprocessed", "nms-inside"],
    ["picodet_s_416_coco", "raw"],
  ])(
    "tells the form of %s, warns of nothing on the terminal, and drafts a card",
    async (name, form) => {
      const card = join(folder, `${name}.yaml`);
      const { code, stdout, stderr } = await shitu([
        "inspect",
        shared("models/picodet", `${name}.onnx`),
        "--json",
        "--write-card",
        card,
      ]);
      expect([code, stderr]).toEqual([0, ""]);
      expect(JSON.parse(stdout).form).toMatchObject({ form });
      expect(existsSync(card)).toBe(true);
      await (await loadModel(card)).close();
    },
  );
});
