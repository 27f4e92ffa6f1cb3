import { describe, expect, it } from "vitest";
import { modelConfig } from "../../src/import/paddle/cards/config.js";
import { cardText } from "../../src/import/paddle/cards/write-card.js";
import { cardSchema } from "../../src/pipeline/model/card.js";
import { parseYaml } from "../../src/pipeline/schema.js";

/** The card that a configuration gives a classifier of 3 x 224 x 224. */
function inputOf(config: Readonly<Record<string, unknown>>) {
  const shape = ["N", 3, 224, 224];
  const text = cardText({
    name: "drawn",
    sha256: "0".repeat(64),
    inputs: [{ name: "x", dtype: "float32", shape }],
    outputs: [{ name: "y", dtype: "float32", shape: ["N", 3] }],
    config: modelConfig(config, "inference.yml"),
    suppression: null,
    task: "classification",
    form: null,
    origin: "here",
  });
  const card = parseYaml(text, "card.yaml", cardSchema);
  return {
    ...card.input,
    notes: card.notes,
    classes: "classification" in card && card.classification.classes,
  };
}

const topk = { Topk: { topk: 5, label_list: ["tea", "milk", "gin"] } };
const listed = (...ops: unknown[]) => ({ PreProcess: { transform_ops: ops }, PostProcess: topk });

describe("cards from Paddle's configurations", () => {
  it("keep the shorter side's resize and the crop of PaddleClas's evaluation", () => {
    const input = inputOf(
      listed({ ResizeImage: { resize_short: 256 } }, { CropImage: { size: 224 } }),
    );
    expect(input).toMatchObject({ resizeShort: 256, crop: 224, width: 224, height: 224 });
    expect(input.notes).toBeUndefined();
  });

  it("stretch where the configuration does", () => {
    const input = inputOf(listed({ ResizeImage: { size: [224, 224] } }));
    expect([input.resizeShort, input.crop, input.letterbox]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it("have PaddleDetection's letterbox, with what it does otherwise", () => {
    const input = inputOf({ Preprocess: [{ type: "LetterBoxResize", target_size: [224, 224] }] });
    expect(input.letterbox).toEqual({ place: "centre", fill: 128 });
    expect(input.notes).toMatch(/LetterBoxResize: it resizes by areas/);
  });

  it("name the classes that the configuration lists", () => {
    expect(inputOf(listed()).classes).toEqual(["tea", "milk", "gin"]);
  });

  it.each(["NormalizeImage", "Unheard"])("mention a transform that cards lack: %s", (name) => {
    const { notes } = inputOf(listed({ [name]: { channel_num: 4 } }));
    expect(notes).toMatch(name === "Unheard" ? /transform Unheard is not in/ : /makes 4 channels/);
  });
});
