import { describe, expect, it } from "vitest";
import { formed } from "../../src/import/paddle/form.js";
import type { Operator, Program } from "../../src/import/paddle/program.js";

const operator = (
  type: string,
  inputs: Readonly<Record<string, string[]>>,
  outputs: readonly string[],
): Operator => ({
  type,
  inputs: new Map(Object.entries(inputs)),
  outputs: new Map([["Out", outputs]]),
  attributes: new Map(),
  place: type,
});

const program: Program = {
  format: "ProgramDesc",
  file: "hand-made",
  blocks: [
    {
      variables: new Map(),
      operators: [
        operator("yolo_box", { X: ["x"] }, ["boxes", "scores"]),
        operator("matrix_nms", { BBoxes: ["boxes"], Scores: ["scores"] }, ["rows", "index"]),
        operator("gather", { X: ["scores"], Index: ["index"] }, ["kept"]),
        operator("scale", { X: ["boxes"] }, ["same"]),
        operator("assign", { X: ["boxes"] }, ["rows"]),
        operator("scale", { X: ["rows"] }, ["written again"]),
      ],
    },
  ],
  feeds: [{ name: "x", dtype: "float32", shape: [1, 3, 8, 8], persistable: false }],
  fetches: ["kept"],
  parameters: [],
};

describe("a detector cut before its suppression", () => {
  it("keeps nothing that hangs on it, and all else", () => {
    const { program: cut, form } = formed(program, "decoded");
    expect(form).toBe("decoded");
    expect(cut.fetches).toEqual(["boxes", "scores"]);
    const places = cut.blocks[0]!.operators.map((o) => o.type);
    expect(places).toEqual(["yolo_box", "scale", "assign", "scale"]);
  });

  it("is whole where suppression stays inside", () => {
    expect(formed(program, null).program.blocks[0]!.operators).toHaveLength(6);
  });
});
