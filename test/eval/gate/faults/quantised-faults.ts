import { Constants } from "../../../../src/eval/gate/layers/constants.js";
import type { OnnxModel, OnnxNode } from "../../../../src/pipeline/onnx/read-model.js";
import {
  nodeMessage,
  rawOf,
  tensorMessage,
  floatTensor,
} from "../../../../src/pipeline/onnx/write-model.js";
import { edited } from "./surgery.js";

/** Every kernel quantised again with one scale for all of its channels. */
export function perTensor(model: OnnxModel): OnnxModel {
  const constants = new Constants(model.graph);
  const added = new Map<string, Uint8Array>();
  const node = (n: OnnxNode): Uint8Array[] | undefined => {
    const value = n.op === "DequantizeLinear" ? constants.value(n.outputs[0]) : null;
    if (!value || value.scales === null || value.scales < 2 || value.dims.length < 2)
      return undefined;
    const [out] = n.outputs as [string];
    const scale = value.values.reduce((most, v) => Math.max(most, Math.abs(v)), 0) / 127;
    const raw = Int8Array.from(value.values, (v) => Math.round(v / scale));
    const [codes, step] = [`${out}/codes`, `${out}/scale`];
    added.set(
      codes,
      tensorMessage({ name: codes, dtype: "int8", dims: value.dims, raw: rawOf(raw) }),
    );
    added.set(step, tensorMessage(floatTensor(step, [], Float32Array.of(scale))));
    return [nodeMessage({ op: "DequantizeLinear", inputs: [codes, step], outputs: [out] })];
  };
  model.graph.nodes.forEach(node);
  return edited(model, { node, initializers: added });
}
