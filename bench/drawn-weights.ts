// npx tsx bench/drawn-weights.ts [ROUNDS]: whether weights that are drawn take as long as trained
// ones: one graph with both, in turns. The trained ones are of the committed classifier that has
// the paper's very blocks, at 64 pixels and 120 classes.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Tensor } from "onnxruntime-node";
import { networkNamed, type Network } from "../models/networks/catalogue.js";
import { foldBatchNorms } from "../models/networks/fold-batch-norms.js";
import { madeNetwork } from "../models/networks/network-files.js";
import { ppLcnet } from "../models/networks/pp-lcnet.js";
import { drawnPicture } from "../models/networks/settle-norms.js";
import { compareLatency } from "../src/eval/latency/noise-certificate.js";
import { parseOnnx, type OnnxModel } from "../src/pipeline/onnx/read-model.js";
import { openSession } from "../src/pipeline/onnx/session.js";
import { concatBytes } from "../src/pipeline/onnx/wire.js";
import { modelParts, type DraftModel } from "../src/pipeline/onnx/write-model.js";
import { projectRoot } from "../src/pipeline/root.js";
import { writeResult } from "./result.js";

const rounds = Number(process.argv[2] ?? 300);
const [size, classes] = [64, 120];
const twins: Readonly<Record<string, Network["build"]>> = {
  "pp-lcnet-0.25x": (b, x) => ({ logits: ppLcnet(b, x, { width: 0.25, classes }) }),
};

/** Weights and biases of convolutions and products, in the order of the graph. */
function slots(nodes: readonly { op: string; inputs: readonly string[] }[]): [string, string][] {
  return nodes
    .filter(({ op }) => op === "Conv" || op === "Gemm")
    .map(({ inputs }) => [inputs[1]!, inputs[2] ?? ""]);
}

/** The drawn model with the trained one's weights, layer by layer. */
function withWeightsOf(trained: OnnxModel, drawn: DraftModel): DraftModel {
  const tensors = new Map(drawn.graph.initializers.map((t) => [t.name, t]));
  const [from, into] = [slots(trained.graph.nodes), slots(drawn.graph.nodes)];
  if (from.length !== into.length) throw new Error(`${from.length} layers, and ${into.length}`);
  into.forEach((names, layer) => {
    names.forEach((name, slot) => {
      const theirs = from[layer]![slot]!;
      if (name === "" && theirs === "") return; // a product without a bias
      const before = tensors.get(name);
      const given = trained.graph.initializers.get(theirs);
      if (!before || !given?.raw) throw new Error(`layer ${layer} has no weights of its own`);
      const { dims, raw } = given;
      if (String(before.dims) === String([...dims].reverse()) && dims.length === 2) {
        tensors.set(name, { ...before, raw: transposed(raw, dims[0]!, dims[1]!) });
        return;
      }
      if (String(before.dims) !== String(dims))
        throw new Error(`layer ${layer}: ${dims.join("x")}, and ${before.dims.join("x")}`);
      tensors.set(name, { ...before, raw });
    });
  });
  return { ...drawn, graph: { ...drawn.graph, initializers: [...tensors.values()] } };
}

/** Rows as columns: PyTorch keeps a product's weights the other way round. */
function transposed(raw: Uint8Array, rows: number, columns: number): Uint8Array {
  const values = new Float32Array(new Uint8Array(raw).buffer);
  const turned = Float32Array.from(
    { length: values.length },
    (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!,
  );
  return new Uint8Array(turned.buffer);
}

async function contender(name: string, bytes: Uint8Array) {
  const session = await openSession(bytes, name);
  const image = new Tensor("float32", drawnPicture(size), [1, 3, size, size]);
  const feeds = { [session.inputNames[0]!]: image };
  const run = () => session.run(feeds);
  return { contender: { name, run }, session };
}

const rows: (string | number | { value: number; ci: [number, number] | null })[][] = [];
for (const [name, build] of Object.entries(twins)) {
  const network = { ...networkNamed(name), size, outputs: classes, build };
  const draft = foldBatchNorms(await madeNetwork(network, { seed: 1 }));
  const file = await readFile(join(projectRoot, "models", `cls-${name}`, "model.onnx"));
  const twin = withWeightsOf(parseOnnx(file, name), draft);
  const a = await contender("trained", concatBytes(modelParts(twin)));
  const b = await contender("drawn", concatBytes(modelParts(draft)));
  const options = { rounds, warmupRounds: 10, callsPerSample: 5, seed: name };
  const { ratio, verdict, why } = await compareLatency(a.contender, b.contender, options);
  const ci = ratio.value !== null && ratio.interval;
  const value = {
    value: ratio.value ?? NaN,
    ci: ci ? ([ci.low, ci.high] as [number, number]) : null,
  };
  rows.push([name, value, verdict]);
  console.log(name, verdict, why);
  await a.session.release();
  await b.session.release();
}
await writeResult({
  name: "drawn-weights",
  title: "Drawn weights beside trained ones",
  subject: "models",
  findings: [
    `One graph of the builders, batch norms folded, with trained and with drawn weights; one ` +
      `thread, batch 1, ${rounds} rounds in turns, five runs a sample. Denormal values ` +
      "would make it many times longer; " +
      "there are none (a test looks at the maps of every layer).",
  ],
  tables: [
    {
      columns: [
        { head: "network", unit: "text" },
        { head: "time over the trained twin's", unit: "ratio" },
        { head: "verdict", unit: "text" },
      ],
      rows,
    },
  ],
});
