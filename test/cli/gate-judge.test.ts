import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { judge, type JudgeOptions } from "../../src/cli/gate/judge.js";
import { CardDesk } from "../../src/eval/gate/contender.js";
import { openWork } from "../../src/eval/gate/work.js";
import { projectRoot } from "../../src/pipeline/root.js";
import { complaintOf } from "../complaint.js";
import { makeTiny, type Tiny } from "../eval/tiny-benchmark.js";
import {
  floats,
  model,
  node,
  plainInput,
  tensor,
  value,
  writeModel,
} from "../pipeline/onnx/onnx-builder.js";

type Shape = readonly (number | string)[];

/** A convolution and its mean; the scale of one channel tells candidates apart. */
function network(shape: Shape | undefined, scale = 1): Uint8Array {
  const weights = floats(8, 3, 3, 3).map((w, i) => w * (((i * 7) % 5) - 1.6) * ((i % 3) + 0.2));
  for (let i = 0; i < 27; i++) weights[i]! *= scale;
  return model({
    inputs: [value("picture", "float32", shape)],
    outputs: [value("features", "float32", ["n", 8])],
    nodes: [
      node("Conv", ["picture", "w"], ["c"], { pads: [1, 1, 1, 1] }),
      node("Relu", ["c"], ["r"]),
      node("GlobalAveragePool", ["r"], ["p"]),
      node("Flatten", ["p"], ["features"]),
    ],
    initializers: [tensor("w", [8, 3, 3, 3], weights)],
  });
}

const fixed = ["n", 3, 16, 16];
const card =
  `task: recognition\ninput: { width: 16, height: 16, colour: rgb, ${plainInput} }\n` +
  "recognition: { size: 8 }";

let folder: string;
let tiny: Tiny;
let baseline: string;
let config: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "shitu-judge-"));
  tiny = await makeTiny();
  baseline = writeModel(folder, "baseline", network(fixed), card);
  config = join(folder, "gate.yaml");
  writeFileSync(
    config,
    "schema: 1\nname: small\ntitle: Small\ntask: recognition\nclusters: item\n" +
      "limits: { recall@1: 0.3, cosine-worst: 0.999, unusable: 0 }\n",
  );
});
afterAll(() => {
  rmSync(folder, { recursive: true });
  rmSync(tiny.folder, { recursive: true });
});

const file = (name: string, bytes: Uint8Array): string => {
  const path = join(folder, `${name}.onnx`);
  writeFileSync(path, bytes);
  return path;
};

async function judged(options: Partial<JudgeOptions>) {
  const desk = new CardDesk();
  const signal = new AbortController().signal;
  const work = openWork(join(folder, "cache"), {}, { progress: () => undefined, signal });
  try {
    const given = { candidate: [], baseline: [baseline], data: [join(tiny.folder, "rows.yaml")] };
    const { document } = await judge({ ...given, config, diagnose: false, ...options }, desk, work);
    return document;
  } finally {
    await work.resources.close();
    await desk.close();
  }
}

describe("what a gate is given", () => {
  it.each<[string, Shape | undefined]>([
    ["dynamic height and width", ["n", 3, "h", "w"]],
    ["no shape at all", undefined],
  ])("may be a model whose input has %s: it is judged by its answers", async (name, shape) => {
    const fine = await judged({ candidate: [file(name, network(shape))] });
    expect(fine.verdict).toBe("pass");
    const worse = await judged({ candidate: [file(`${name} worse`, network(shape, -3))] });
    expect(worse.verdict).toBe("fail");
  });

  it.each<[string, () => Partial<JudgeOptions>, RegExp]>([
    [
      "an input of another size",
      () => ({ candidate: [file("small", network(["n", 3, 8, 8]))] }),
      /does not fit the card of baseline/,
    ],
    [
      "a model cut off in its weights",
      () => ({ candidate: [file("cut", network(fixed, 2).subarray(0, -40))] }),
      /not a whole ONNX model/,
    ],
    [
      "a list without labels",
      () => {
        const list = readFileSync(join(tiny.folder, "all.txt"), "utf8");
        writeFileSync(join(tiny.folder, "bare.txt"), list.replace(/\t.*$/gm, ""));
        const rows = readFileSync(join(tiny.folder, "rows.yaml"), "utf8");
        const data = join(tiny.folder, "bare.yaml");
        writeFileSync(data, rows.replace("all.txt", "bare.txt"));
        return { candidate: [file("a", network(fixed, 2))], data: [data] };
      },
      /not a list line/,
    ],
    [
      "two models a side under the gate of one",
      () => ({ candidate: [baseline, baseline] }),
      /whole pipeline, and the gate is for one model/,
    ],
    [
      "a pipeline without a detector",
      () => ({ candidate: [file("b", network(fixed, 2))], config: systemConfig() }),
      /nothing names the pipeline's detector/,
    ],
  ])("is refused by name: %s", async (_, options, message) => {
    const { message: said, found = "", expected = "" } = await complaintOf(judged(options()));
    expect(`${said} ${expected} ${found}`).toMatch(message);
  });

  it("never passes where every label is another", async () => {
    const list = readFileSync(join(tiny.folder, "all.txt"), "utf8").split("\n");
    const lines = list.map((line, i) => line.replace(/class \d+/, `class of its own ${i}`));
    writeFileSync(join(tiny.folder, "single.txt"), lines.join("\n"));
    const rows = readFileSync(join(tiny.folder, "rows.yaml"), "utf8");
    const data = join(tiny.folder, "single.yaml");
    writeFileSync(data, rows.replace("all.txt", "single.txt"));
    const { verdict, limits } = await judged({
      candidate: [file("c", network(["n", 3, "h", 16]))],
      data: [data],
    });
    expect(verdict).toBe("cannot tell");
    const recall = limits.find((l) => l.measure === "recall@1")!;
    expect(recall.why).toBe("no item has a right answer");
  });
});

describe("a whole pipeline", () => {
  const models = (name: string, file: string): string => join(projectRoot, "models", name, file);
  const cards = [models("det-light", "card.yaml"), models("light-general", "card.yaml")];
  const scenes = () => ({
    baseline: cards,
    data: [join(tiny.folder, "scenes.yaml")],
    config: systemConfig(),
  });

  it("is judged with the one model that changed, the other on both sides", async () => {
    const candidate = [models("light-int8", "model.onnx")];
    const document = await judged({ ...scenes(), candidate });
    expect(document).toMatchObject({ task: "system", change: "int8" });
    expect(document.candidate.name).toBe("det-light + light-general");
    expect(document.notes).toEqual(["the embedder differs"]);
    const size = (name: string) => statSync(models(name, "model.onnx")).size;
    const ratio = document.findings.find((f) => f.measure === "size-ratio")!;
    const [detector, before, after] = ["det-light", "light-general", "light-int8"].map(size);
    expect(ratio.value).toBeCloseTo((detector! + after!) / (detector! + before!), 12);
    const { stages, items } = document.datasets[0]!;
    const total = (side: "baseline" | "candidate") => stages!.reduce((n, s) => n + s[side], 0);
    // A sixth of the 24 pictures shows a stranger.
    expect([items, total("baseline"), total("candidate")]).toEqual([24, 20, 20]);
  }, 60_000);

  it("takes a model that only the candidate names for the baseline, too", async () => {
    const candidate = [cards[0]!, models("light-int8", "card.yaml")];
    const document = await judged({ ...scenes(), baseline: [cards[1]!], candidate });
    expect(document.notes).toEqual(["the embedder differs"]);
    expect(document.baseline.name).toBe("det-light + light-general");
  }, 60_000);

  it("is refused where nothing changed, or a file fits neither card", async () => {
    const same = await complaintOf(judged({ ...scenes(), candidate: [cards[0]!] }));
    expect(same.code).toBe("same-model");
    const other = [models("cls-pp-lcnet-0.25x", "model.onnx")];
    const unlike = await complaintOf(judged({ ...scenes(), candidate: other }));
    expect(unlike).toMatchObject({ code: "card-mismatch" });
    expect(unlike.found).toMatch(/^det-light .*; light-general /);
  });
});

function systemConfig(): string {
  const path = join(folder, "system.yaml");
  writeFileSync(
    path,
    "schema: 1\nname: system\ntitle: S\ntask: system\nlimits: { F1: 0.1, unusable: 0 }\n",
  );
  return path;
}
