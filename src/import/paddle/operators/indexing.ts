import type { Call } from "./call.js";
import type { Family } from "./operator.js";

/** Operators that pick elements by index. */
export const indexing: Family = {
  gather: {
    pir: { gather: ["X Index axis=Axis", "Out"] },
    emit: (call) => {
      const x = call.input("X");
      const tensor = call.optional("Axis");
      const axis = tensor === null ? call.number("axis", 0) : call.contents(tensor)[0]!;
      return call.node("Gather", [x, index(call)], { axis: call.axis(x, axis) });
    },
  },
  index_select: {
    pir: { index_select: ["X Index", "Out", { axis: "dim" }] },
    emit: (call) => {
      const x = call.input("X");
      return call.node("Gather", [x, index(call)], { axis: call.axis(x, call.number("dim", 0)) });
    },
  },
  gather_nd: {
    pir: { gather_nd: ["X Index", "Out"] },
    emit: (call) =>
      call.node("GatherND", [call.input("X"), call.cast(call.input("Index"), "int64")]),
  },
  where_index: {
    pir: { nonzero: ["Condition", "Out"] },
    emit: (call) => {
      const found = call.node("NonZero", [call.input("Condition")]);
      return call.node("Transpose", [found], { perm: [1, 0] });
    },
  },
};

/** Indices of rank 1; older programs wrote them as a column. */
function index(call: Call): string {
  const indices = call.input("Index");
  const column = call.shape(indices)?.length === 2;
  return column ? call.graph.node("Reshape", [indices, call.ints64([-1])]) : indices;
}
