import { Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { ancestors, cutGraph, exposeShapes } from "../../../src/pipeline/onnx/derive-graph.js";
import { parseOnnx } from "../../../src/pipeline/onnx/read-model.js";
import { openSession } from "../../../src/pipeline/onnx/session.js";
import {
  nodeOutputs,
  probeFeeds,
  traceShapes,
  traceTensors,
} from "../../../src/pipeline/onnx/trace.js";
import { complaintOf } from "../../complaint.js";
import { concatBytes, integerField } from "../../../src/pipeline/onnx/wire.js";
import { graph, model, node, tensor, value } from "./onnx-builder.js";

const parts = {
  inputs: [value("x", "float32", ["n", 2]), value("unused", "float32", [1])],
  outputs: [value("y", "float32", ["n", 2]), value("other", "float32", [1])],
  nodes: [
    node("Add", ["x", "one"], ["a"]),
    node("Mul", ["a", "a"], ["b"]),
    node("Relu", ["b"], ["y"]),
    node("Neg", ["unused"], ["other"]),
  ],
  initializers: [tensor("one", [1], Float32Array.of(1))],
};
const chain = parseOnnx(model(parts), "chain.onnx");
const x = new Tensor("float32", Float32Array.of(1, -3, 2, 5), [2, 2]);
const unused = new Tensor("float32", Float32Array.of(7), [1]);

describe("looking inside a model", () => {
  it("gives the contents of any value", async () => {
    const found = await traceTensors(chain, { x, unused }, ["a", "b"]);
    expect([...(found.get("a")!.data as Float32Array)]).toEqual([2, -2, 3, 6]);
    expect([...(found.get("b")!.data as Float32Array)]).toEqual([4, 4, 9, 36]);
  });

  it("gives the shape of every value, without the values", async () => {
    const shapes = await traceShapes(chain, { x, unused }, []);
    expect(Object.fromEntries(shapes)).toEqual({
      x: [2, 2],
      unused: [1],
      one: [1],
      a: [2, 2],
      b: [2, 2],
      y: [2, 2],
      other: [1],
    });
    expect(nodeOutputs(chain)).toEqual(["a", "b", "y", "other"]);
  });

  it("leaves the outputs that were there as they are", async () => {
    const session = await openSession(exposeShapes(chain.bytes, ["a"]), "chain.onnx");
    expect(session.outputNames).toEqual(["y", "other", "a/shape-of"]);
    await session.release();
  });

  it("cuts a graph in front, dropping nodes, inputs and weights that are not needed", async () => {
    const front = parseOnnx(cutGraph(chain, ["b"]), "front.onnx").graph;
    expect(front.nodes.map((n) => n.outputs[0])).toEqual(["a", "b"]);
    expect(front.inputs.map((i) => i.name)).toEqual(["x"]);
    expect(front.outputs.map((o) => o.name)).toEqual(["b"]);
    const end = parseOnnx(cutGraph(chain, ["other", "y"]), "end.onnx").graph;
    expect(end.outputs.map(({ name, shape }) => [name, shape])).toEqual([
      ["other", [1]],
      ["y", ["n", 2]],
    ]); // declared ones keep their type
  });

  it("keeps inputs that repeat an initializer, as old files list them", async () => {
    const old = parseOnnx(
      model({ ...parts, inputs: [...parts.inputs, value("one", "float32", [1])] }),
      "old.onnx",
    );
    const session = await openSession(cutGraph(old, ["a"]), "old.onnx");
    expect(session.inputNames).toContain("x");
    await session.release();
    expect([
      ...((await traceTensors(old, { x, unused }, ["a"])).get("a")!.data as Float32Array),
    ]).toEqual([2, -2, 3, 6]);
  });

  it("refuses a value that the graph does not compute", () => {
    expect(() => cutGraph(chain, ["nothing"])).toThrow(/"nothing"/);
  });

  it("keeps what a branch takes from the graph around it", async () => {
    const branch = (from: string, to: string): Uint8Array =>
      graph({ nodes: [node("Neg", [from], [to])], outputs: [value(to, "float32")] });
    const conditional = parseOnnx(
      model({
        inputs: [value("x", "float32", [2])],
        outputs: [value("z", "float32")],
        nodes: [
          node("Abs", ["x"], ["captured"]),
          node("Relu", ["x"], ["dead"]),
          node("If", ["yes"], ["y"], {
            then_branch: { graph: branch("captured", "t") },
            else_branch: { graph: branch("x", "e") },
          }),
          node("Relu", ["y"], ["z"]),
        ],
        initializers: [concatBytes([tensor("yes", [], Uint8Array.of(1)), integerField(2, 9)])],
      }),
      "if.onnx",
    );
    expect(ancestors(conditional.graph, ["y"]).nodes.map((n) => n.op)).toEqual(["Abs", "If"]);
    const found = await traceTensors(
      conditional,
      { x: new Tensor("float32", Float32Array.of(3, -4), [2]) },
      ["y"],
    );
    expect([...(found.get("y")!.data as Float32Array)]).toEqual([-3, -4]);
  });

  it("feeds every type of input that it knows, and refuses the others", async () => {
    const inputs = (["float32", "uint8", "int8", "int32", "int64", "bool"] as const).map((type) =>
      value(type, type, ["n", 2]),
    );
    const { graph: g } = parseOnnx(
      model({
        inputs,
        outputs: [value("y", "float32")],
        nodes: [node("Relu", ["float32"], ["y"])],
      }),
      "types.onnx",
    );
    const feeds = probeFeeds(g.inputs, "types.onnx");
    expect(Object.entries(feeds).map(([name, t]) => [name, t.type, t.dims])).toEqual(
      ["float32", "uint8", "int8", "int32", "int64", "bool"].map((t) => [t, t, [1, 2]]),
    );
    expect(
      await complaintOf(() =>
        probeFeeds(
          [{ name: "s", dtype: "string", shape: [1], bytes: new Uint8Array(0) }],
          "types.onnx",
        ),
      ),
    ).toMatchObject({ code: "onnx-unsupported" });
  });
});

describe("what ONNX Runtime says", () => {
  it("becomes one line about the file where it cannot load the model", async () => {
    const complaint = await complaintOf(
      openSession(
        model({
          ...parts,
          nodes: [node("NoSuchOperator", ["x"], ["y"]), node("Neg", ["unused"], ["other"])],
        }),
        "odd.onnx",
      ),
    );
    expect(complaint).toMatchObject({ code: "onnx-unsupported", file: "odd.onnx" });
    expect(complaint.found).toMatch(/NoSuchOperator/);
    expect(complaint.found).not.toMatch(/\n|\/onnxruntime\//);
  });
});
