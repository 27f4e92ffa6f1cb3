import { elementsOf } from "../../graph/values.js";
import type { Call } from "./call.js";
import type { Family } from "./operator.js";

/** Matrix products. */
export const products: Family = {
  matmul_v2: {
    pir: { matmul: ["X Y", "Out", { transpose_x: "trans_x", transpose_y: "trans_y" }] },
    emit: (call) => product(call, call.flag("trans_x", false), call.flag("trans_y", false)),
  },
  matmul: {
    pir: {},
    emit: (call) => {
      const { number, graph } = { number: call.number("alpha", 1), graph: call.graph };
      const value = product(call, call.flag("transpose_X", false), call.flag("transpose_Y", false));
      if (number === 1) return value;
      return graph.node("Mul", [value, call.scalarLike(value, number)], {}, call.wanted);
    },
  },
  bmm: { pir: { bmm: ["X Y", "Out"] }, emit: (call) => product(call, false, false) },
  mul: { pir: {}, emit: flatProduct },
  fc: {
    pir: { fc: ["Input W Bias", "Out"] },
    limits: "activation none or relu",
    emit: fullyConnected,
  },
};

function product(call: Call, transposeX: boolean, transposeY: boolean): string {
  const x = transposed(call, call.input("X"), transposeX);
  const y = transposed(call, call.input("Y"), transposeY);
  return call.node("MatMul", [x, y]);
}

function transposed(call: Call, value: string, wanted: boolean): string {
  const rank = wanted ? call.rank(value) : 0;
  if (rank < 2) return value;
  const perm = Array.from({ length: rank }, (_, i) => i);
  perm.splice(rank - 2, 2, rank - 1, rank - 2);
  return call.node("Transpose", [value], { perm });
}

/** `mul`: both sides flattened to matrices, the result in the left side's shape. */
function flatProduct(call: Call): string {
  const x = call.input("X");
  const y = call.input("Y");
  const rows = call.number("x_num_col_dims", 1);
  if (call.number("y_num_col_dims", 1) !== 1) {
    throw call.refusal("its right side is not flattened to a matrix", "use matmul_v2");
  }
  return flattened(call, x, y, rows);
}

function flattened(call: Call, x: string, y: string, rows: number): string {
  const shape = call.shape(x);
  // A matrix product of all leading axes is the same without flattening.
  if (shape && shape.length === rows + 1) return call.node("MatMul", [x, y]);
  const sizes = call.sizes(y);
  const flat = call.graph.node("Reshape", [x, call.ints64([...Array(rows).fill(0), sizes[0]!])]);
  return call.node("MatMul", [flat, y]);
}

function fullyConnected(call: Call): string {
  const rows = call.number("in_num_col_dims", 1);
  const weights = call.input("W");
  if (elementsOf(call.sizes(weights)) === 0) throw call.refusal("no weights", "export again");
  const value = flattened(call, call.input("Input"), weights, rows);
  const bias = call.optional("Bias");
  const sum = bias === null ? value : call.node("Add", [value, bias]);
  const activation = call.text("activation_type", "");
  if (activation === "") return sum;
  if (activation !== "relu") throw call.refusal(`its activation is ${activation}`, "use relu");
  return call.node("Relu", [sum]);
}
