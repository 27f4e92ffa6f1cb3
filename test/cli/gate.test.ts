import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readRecord } from "../../src/eval/record/record.js";
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
import { shitu } from "./shitu.js";

/** A convolution and its mean: the weights, and what its values are called. */
function network(weights: Float32Array, { name = "c", size = 8 } = {}): Uint8Array {
  return model({
    inputs: [value("picture", "float32", ["n", 3, 16, 16])],
    outputs: [value("features", "float32", ["n", size])],
    nodes: [
      node("Conv", ["picture", "w"], [name], { pads: [1, 1, 1, 1] }),
      node("Relu", [name], [`${name}r`]),
      node("GlobalAveragePool", [`${name}r`], [`${name}p`]),
      node("Flatten", [`${name}p`], ["features"]),
    ],
    initializers: [tensor("w", [size, 3, 3, 3], weights)],
  });
}

const mixed = (size = 8) =>
  floats(size, 3, 3, 3).map((w, i) => w * (((i * 7) % 5) - 1.6) * ((i % 3) + 0.2));
const rest = (size = 8) => `task: recognition
input: { width: 16, height: 16, colour: rgb, ${plainInput} }
recognition: { size: ${size} }`;

let folder: string;
let tiny: Tiny;
let baseline: string;
let config: string;
const data = () => join(tiny.folder, "rows.yaml");

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "shitu-gate-test-"));
  tiny = await makeTiny();
  baseline = writeModel(folder, "baseline", network(mixed()), rest());
  config = join(folder, "gate.yaml");
  writeFileSync(
    config,
    "schema: 1\nname: small\ntitle: Small\ntask: recognition\nclusters: item\n" +
      "limits: { recall@1: 0.3, cosine-worst: 0.999, unusable: 0, size-ratio: 1.1 }\n",
  );
});
afterAll(() => {
  rmSync(folder, { recursive: true });
  rmSync(tiny.folder, { recursive: true });
});

const gate = (candidate: string, ...more: string[]) => {
  const own = [
    "--config",
    config,
    "--runs",
    join(folder, "runs"),
    "--cache",
    join(folder, "cache"),
  ];
  const data_ = more.includes("--data") ? [] : ["--data", data()];
  const base = more.includes("--baseline") ? [] : ["--baseline", baseline];
  return shitu(["gate", "--candidate", candidate, ...base, ...data_, ...own, ...more]);
};

const file = (name: string, bytes: Uint8Array): string => {
  const path = join(folder, `${name}.onnx`);
  writeFileSync(path, bytes);
  return path;
};

describe("shitu gate", () => {
  it("passes an untouched re-export whose values have other names", async () => {
    const candidate = file("renamed", network(mixed(), { name: "other" }));
    const [junit, markdown] = [join(folder, "out", "gate.xml"), join(folder, "out", "gate.md")];
    const { code, stdout } = await gate(
      candidate,
      "--json",
      "--junit",
      junit,
      "--markdown",
      markdown,
    );
    expect(code).toBe(0);
    const document = JSON.parse(stdout) as { record: string; limits: { verdict: string }[] };
    expect(document).toMatchObject({ verdict: "pass", change: "same", accepted: true });
    expect(document.limits.map((l) => l.verdict)).toEqual(["pass", "pass", "pass", "pass"]);
    expect(readFileSync(junit, "utf8")).toMatch(/tests="4" failures="0" skipped="0"/);
    expect(readFileSync(markdown, "utf8")).toMatch(/PASS: baseline against baseline/);
    const record = await readRecord(document.record);
    expect(record.cells[0]).toMatchObject({ kind: "gate", state: "completed" });
    expect(existsSync(join(document.record, "gate.json"))).toBe(true);
  });

  it("fails a broken one with exit code 1, and annotates it", async () => {
    const candidate = file("shifted", network(mixed().map((w, i) => (i % 2 ? w : -w))));
    const { code, stdout } = await gate(candidate, "--annotations", "--no-record");
    expect(code).toBe(1);
    expect(stdout).toMatch(/^FAIL: /);
    expect(stdout).toMatch(/::error title=gate small%3A cosine-worst on rows::fail: /);
    expect(stdout).not.toMatch(/^record /m);
  });

  it("never passes a model that gives no numbers, and says so", async () => {
    const candidate = file("nan", network(new Float32Array(216).fill(NaN)));
    const { code, stdout } = await gate(candidate, "--json", "--no-record");
    expect(code).toBe(1);
    const { limits } = JSON.parse(stdout) as { limits: { measure: string; verdict: string }[] };
    const verdict = (name: string) => limits.find((l) => l.measure === name)!.verdict;
    expect(verdict("unusable")).toBe("fail");
    expect(verdict("cosine-worst")).toBe("cannot tell");
  });

  it("cannot tell from too few items, and exits as the config says", async () => {
    const strict = join(folder, "strict.yaml");
    const text = readFileSync(config, "utf8").replace("recall@1: 0.3", "recall@1: 0.001");
    const candidate = file("renamed-again", network(mixed(), { name: "third" }));
    writeFileSync(strict, text);
    const first = await gate(candidate, "--config", strict, "--json", "--no-record");
    expect(first.code).toBe(1);
    expect(JSON.parse(first.stdout)).toMatchObject({ verdict: "cannot tell", accepted: false });
    writeFileSync(strict, `${text}cannotTell: pass\n`);
    const second = await gate(candidate, "--config", strict, "--no-record");
    expect(second.code).toBe(0);
    expect(second.stdout).toMatch(/if the loss is the one seen, pass at \d+ items/);
  });

  it("judges answers against a record, refuses other data, tells nothing of outputs", async () => {
    const runs = join(folder, "runs");
    const experiment = tiny.config(
      "for-gate",
      `measure:
  - kind: retrieval
    models: [${JSON.stringify(baseline)}]
    datasets: [rows.yaml]
    indexes: [{ factory: Flat }]
`,
    );
    const ran = await shitu(["run", experiment, "--runs", runs, "--cache", join(folder, "cache")]);
    expect(ran.code).toBe(0);
    const candidate = writeModel(folder, "third", network(mixed(), { name: "third" }), rest());
    const more = ["--baseline", "for-gate", "--json", "--no-record"];
    const { stdout } = await gate(candidate, ...more);
    const { limits } = JSON.parse(stdout) as { limits: { measure: string; verdict: string }[] };
    const verdict = (name: string) => limits.find((l) => l.measure === name)!.verdict;
    expect(["recall@1", "cosine-worst"].map(verdict)).toEqual(["pass", "cannot tell"]);
    const list = join(tiny.folder, "all.txt");
    const text = readFileSync(list, "utf8");
    writeFileSync(list, text.split("\n").slice(2).join("\n"));
    const other = await gate(candidate, ...more);
    writeFileSync(list, text);
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(/another version of the data set/);
  });

  it.each<[string, () => string[], RegExp]>([
    ["the baseline itself", () => [baseline], /the candidate is the baseline/],
    [
      "half a file",
      () => [file("half", network(mixed()).subarray(0, 500))],
      /not a whole ONNX model/,
    ],
    [
      "another embedding size",
      () => [file("wide", network(mixed(16), { size: 16 }))],
      /does not fit the card of baseline/,
    ],
    ["no such file", () => [join(folder, "none.yaml")], /no such file/],
    [
      "no such data",
      () => [file("a", network(mixed(), { name: "a" })), "--data", "none.yaml"],
      /no such file/,
    ],
    [
      "data of another task",
      () => [file("b", network(mixed(), { name: "b" })), "--data", join(tiny.folder, "boxes.yaml")],
      /for another kind of model/,
    ],
    [
      "two model files without a card",
      () => [file("c", network(mixed())), "--baseline", file("d", network(mixed()))],
      /two model files without a card/,
    ],
    [
      "an unknown operator",
      () => [
        file(
          "unknown",
          model({
            inputs: [value("picture", "float32", ["n", 3, 16, 16])],
            outputs: [value("features", "float32", ["n", 8])],
            nodes: [node("Warp", ["picture"], ["features"])],
          }),
        ),
      ],
      /cannot load the model/,
    ],
  ])("exits 2 on %s, in one line", async (_, args, message) => {
    const [candidate, ...more] = args();
    const { code, stdout, stderr } = await gate(candidate!, ...more, "--no-record");
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });
});
