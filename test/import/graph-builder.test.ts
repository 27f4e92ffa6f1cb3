import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../../src/import/graph/builder.js";
import { broadcast } from "../../src/import/graph/broadcast.js";
import { sliceLength } from "../../src/import/graph/layout-shapes.js";

describe("shapes while a graph is built", () => {
  it("broadcasting leaves open what is open, and takes a number from either side", () => {
    expect(
      broadcast([
        ["N", 16, null, null],
        [16, 1, 1],
      ]),
    ).toEqual(["N", 16, null, null]);
    expect(
      broadcast([
        ["N", 4],
        [3, 1, 4],
      ]),
    ).toEqual([3, "N", 4]);
    expect(broadcast([["N", 8], null])).toBeNull();
  });

  it("slices are as long as numpy's", () => {
    expect(sliceLength(10, 2, 5, 1)).toBe(3);
    expect(sliceLength(10, -3, 2 ** 31, 1)).toBe(3);
    expect(sliceLength(10, -1, -(2 ** 31), -1)).toBe(10);
    expect(sliceLength(10, 8, 2, 1)).toBe(0);
    expect(sliceLength(7, 0, 7, 2)).toBe(4);
  });

  it("sizes of a picture are known, the batch stays open, and -1 is worked out", () => {
    const graph = new GraphBuilder(17);
    const x = graph.addInput("x", "float32", ["N", 6, 8, 8]);
    const size = graph.node("Shape", [x]);
    expect(graph.contentsOf(size)?.values).toEqual(["N", 6, 8, 8]);
    const first = graph.node("Slice", [
      size,
      graph.constant("int64", [0]),
      graph.constant("int64", [1]),
      graph.constant("int64", [0]),
    ]);
    const shape = graph.node("Concat", [first, graph.constant("int64", [2, -1])], { axis: 0 });
    expect(graph.contentsOf(shape)?.values).toEqual(["N", 2, -1]);
    const height = graph.node("Gather", [size, graph.constant("int64", 2)]);
    expect(graph.numbersIn(height)).toEqual([8]);
    expect(graph.nodes.some((node) => node.outputs[0] === height)).toBe(false);
  });

  it("a constant with other dims is a view of the same bytes", () => {
    const graph = new GraphBuilder(17);
    const raw = new Uint8Array(16);
    const weights = graph.addConstant({ name: "w", dtype: "float32", dims: [4], raw });
    const shaped = graph.node("Reshape", [weights, graph.constant("int64", [1, -1, 1, 1])]);
    expect(graph.shapeOf(shaped)).toEqual([1, 4, 1, 1]);
    expect(graph.initializers.get(shaped)?.raw).toBe(raw);
    expect(graph.nodes).toEqual([]);
  });
});
