import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadCard, type Card } from "../../src/pipeline/model/card.js";
import { encodePng } from "../../src/pipeline/image/image.js";
import { projectRoot } from "../../src/pipeline/root.js";
import { samplePictures } from "../eval/gate/faults/pictures.js";
import { shitu } from "./shitu.js";

const model = join(projectRoot, "models", "light-general");
const good = join(model, "card.yaml");

let folder: string;
let pictures: string[];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "shitu-diagnose-"));
  const sample = await samplePictures(6, 96);
  pictures = await Promise.all(
    sample.map(async (pixels, i) => {
      const file = join(folder, `${i}.png`);
      writeFileSync(file, await encodePng(pixels));
      return file;
    }),
  );
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** The good card with a line of it changed. */
const wrongCard = (name: string, from: string, to: string): string => {
  const text = readFileSync(good, "utf8").replace("file: model.onnx", `file: ${model}/model.onnx`);
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, text.replace(from, to));
  return file;
};

describe("shitu diagnose", () => {
  it("names a wrong colour order and writes the card without it", async () => {
    const candidate = wrongCard("bgr", "colour: rgb", "colour: bgr");
    const fixed = join(folder, "fixed.yaml");
    const args = ["diagnose", "--candidate", candidate, "--baseline", good];
    const { code, stdout } = await shitu([...args, "--image", ...pictures, "--write-card", fixed]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^with RGB input .*: the card's colour order is wrong$/m);
    const card = (await loadCard(fixed)) as Card;
    expect(card.input.colour).toBe("rgb");
    expect(join(folder, card.file)).toBe(join(model, "model.onnx"));
    // With the mended card the candidate is the baseline.
    const again = await shitu([
      "diagnose",
      "--candidate",
      fixed,
      "--baseline",
      good,
      "--image",
      pictures[0]!,
    ]);
    expect(again.code).toBe(2);
    expect(again.stderr).toMatch(/the candidate is the baseline/);
  });

  it("writes no card where none could say it, and says why", async () => {
    const candidate = wrongCard("std", "std: [0.229, 0.224, 0.225]", "std: [0.229, 0.224, 0.9]");
    const file = join(folder, "none.yaml");
    const args = ["diagnose", "--candidate", candidate, "--baseline", good, "--write-card", file];
    const { code, stdout } = await shitu([...args, "--image", pictures[0]!, "--json"]);
    expect(code).toBe(1);
    const found = JSON.parse(stdout) as { oracle: { firstStage: string }; card: { why: string } };
    expect(found.oracle.firstStage).toBe("normalise");
    expect(existsSync(file)).toBe(found.card.why === null);
  });

  it.each<[string, () => string[], RegExp]>([
    ["no picture", () => [], /there is no picture to look at/],
    ["a picture that is none", () => ["--image", good], /no picture that can be read/],
    [
      "an unknown change",
      () => ["--image", pictures[0]!, "--change", "int4"],
      /does not know this/,
    ],
  ])("exits 2 on %s", async (_, more, message) => {
    const candidate = wrongCard("scale", "scale: 1/255", "scale: 1");
    const args = ["diagnose", "--candidate", candidate, "--baseline", good, ...more()];
    const { code, stdout, stderr } = await shitu(args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
  });
});
