import { describe, expect, it } from "vitest";
import { checkGraph } from "../../../src/pipeline/onnx/check-graph.js";
import { parseOnnx } from "../../../src/pipeline/onnx/read-model.js";
import { complaintOf } from "../../complaint.js";
import { graph, model, node, value, weights } from "./onnx-builder.js";

type Parts = Parameters<typeof model>[0];

const check = (parts: Parts): void => {
  checkGraph(parseOnnx(model(parts), "m.onnx"));
};
const x = value("x", "float32", [2]);
const y = value("y", "float32", [2]);

describe("checkGraph", () => {
  it("passes inputs, constants, outputs left out, and bodies that read from around them", () => {
    const inner = graph({
      nodes: [node("Add", ["x", "w"], ["z"])],
      outputs: [value("z", "float32")],
    });
    const branch = { then_branch: { graph: inner }, else_branch: { graph: inner } };
    const nodes = [node("Clip", ["x", "", "w"], ["c", ""]), node("If", ["c"], ["y"], branch)];
    expect(() =>
      check({ inputs: [x], outputs: [y], nodes, initializers: [weights("w", 2)] }),
    ).not.toThrow();
  });

  it("names the node and the value that nothing computes", async () => {
    const nodes = [node("Relu", ["x"], ["a"]), node("Add", ["a", "aX"], ["y"])];
    expect(await complaintOf(() => check({ inputs: [x], outputs: [y], nodes }))).toMatchObject({
      code: "onnx-graph",
      path: "node 1 (Add)",
      message: 'nothing computes "aX" before it is read',
      found: "no such value",
    });
  });

  it("tells a circle, a second value of one name, and an output of nothing", async () => {
    const circle = [node("Add", ["x", "b"], ["y"]), node("Relu", ["y"], ["b"])];
    expect(
      await complaintOf(() => check({ inputs: [x], outputs: [y], nodes: circle })),
    ).toMatchObject({ code: "onnx-graph", found: "node 1 (Relu), after it" });
    const twice = [node("Relu", ["x"], ["y"]), node("Neg", ["x"], ["y"])];
    expect(
      await complaintOf(() => check({ inputs: [x], outputs: [y], nodes: twice })),
    ).toMatchObject({ code: "onnx-graph", path: "node 1 (Neg)" });
    const other = [node("Relu", ["x"], ["a"])];
    expect(
      await complaintOf(() => check({ inputs: [x], outputs: [y], nodes: other })),
    ).toMatchObject({ code: "onnx-graph", message: 'nothing computes the output "y"' });
  });
});
