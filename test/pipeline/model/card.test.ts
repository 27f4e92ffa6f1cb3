import { describe, expect, it } from "vitest";
import { cardJsonSchema, cardSchema, preprocessingOf } from "../../../src/pipeline/model/card.js";
import { parseYaml } from "../../../src/pipeline/schema.js";
import { complaintOf } from "../../complaint.js";

const card = `schema: 1
name: a-model
version: "1"
task: recognition
file: model.onnx
sha256: "${"ab".repeat(32)}"
input:
  { width: 224, height: 112, colour: rgb, interpolation: linear,
    scale: 1/255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }
recognition: { size: 512 }
licence: Apache-2.0
origin: made for a test
`;
const read = (text: string) => parseYaml(text, "card.yaml", cardSchema);

describe("a model card", () => {
  it("fills in what is usual", () => {
    expect(read(card)).toMatchObject({
      input: { layout: "nchw", scale: 1 / 255 },
      recognition: { size: 512, normalise: true, binarise: "none" },
    });
    expect(preprocessingOf(read(card))).toEqual({
      width: 224,
      height: 112,
      interpolation: "linear",
      colour: "rgb",
      layout: "nchw",
      scale: 1 / 255,
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
    });
  });

  it("does not normalise what is binarised", () => {
    expect(read(card.replace("size: 512", "size: 512, binarise: sign"))).toMatchObject({
      recognition: { normalise: false },
    });
  });

  it("knows PicoDet's constants", () => {
    const detector = card
      .replace("task: recognition", "task: detection")
      .replace("recognition: { size: 512 }", "detection: { classes: [body] }");
    expect(read(detector)).toMatchObject({
      detection: {
        classes: ["body"],
        strides: [8, 16, 32, 64],
        suppression: { scoreThreshold: 0.025, iou: 0.6, candidates: 1000, keep: 100 },
      },
    });
  });

  it.each<[string, string, string, string]>([
    ["an unknown key", "size: 512", "size: 512, sise: 512", "recognition"],
    ["an unknown task", "task: recognition", "task: recogniton", "task"],
    ["a scale that is no number", "1/255", "1/0", "input.scale"],
    ["a division by zero", "0.229, 0.224", "0, 0.224", "input.std"],
    ["two means", "[0.485, 0.456, 0.406]", "[0.485, 0.456]", "input.mean"],
    ["bits that fill no bytes", "size: 512", "size: 100, binarise: sign", "recognition.size"],
    [
      "normalised codes",
      "size: 512",
      "size: 512, binarise: round, normalise: true",
      "recognition.normalise",
    ],
    ["a hash that is too short", "abab", "ab", "sha256"],
    ["no licence", "licence: Apache-2.0\n", "", "licence"],
    ["a name that is no name", "name: a-model", "name: A Model", "name"],
    [
      "an interpolation that is not there",
      "interpolation: linear",
      "interpolation: lanczos",
      "input.interpolation",
    ],
  ])("refuses %s, naming the key", async (_, before, after, path) => {
    const complaint = await complaintOf(() => read(card.replace(before, after)));
    expect(complaint.code).toBe("schema");
    expect(complaint.file).toBe("card.yaml");
    expect(complaint.path).toBe(path);
  });

  it("names the key of another task's section, not the one that is missing for it", async () => {
    const complaint = await complaintOf(() => read(card.replace("recognition: {", "detection: {")));
    expect(complaint).toMatchObject({
      code: "schema",
      file: "card.yaml",
      message: 'unknown key "detection"',
    });
  });

  it("says what it expected of a scale", async () => {
    expect((await complaintOf(() => read(card.replace("1/255", "one")))).message).toMatch(
      /a fraction such as 1\/255/,
    );
  });

  it("has a JSON Schema for editors that knows every task and the baselines", () => {
    const text = JSON.stringify(cardJsonSchema());
    for (const word of [
      "json-schema.org/draft/2020-12",
      "detection",
      "recognition",
      "classification",
      "whole-image",
      'additionalProperties":false',
    ])
      expect(text).toContain(word);
    expect(text.length).toBeGreaterThan(3000);
  });
});
