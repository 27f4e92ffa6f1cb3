// npx tsx bench/drawn-weights.ts [ROUNDS]: whether a network that nobody trained takes as long as
// its trained twin, in turns: the committed classifiers, which have the paper's blocks at 64 pixels
// and 120 classes.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Tensor } from "onnxruntime-node";
import { networkNamed, type Network } from "../models/networks/catalogue.js";
import { mobilenetV2 } from "../models/networks/mobilenet-v2.js";
import { mobilenetV3 } from "../models/networks/mobilenet-v3.js";
import { madeNetwork } from "../models/networks/network-files.js";
import { ppLcnet } from "../models/networks/pp-lcnet.js";
import { drawnPicture } from "../models/networks/settle-norms.js";
import { shufflenetV2 } from "../models/networks/shufflenet-v2.js";
import { compareLatency } from "../src/eval/latency/noise-certificate.js";
import { countWeights } from "../src/pipeline/onnx/weights.js";
import { parseOnnx } from "../src/pipeline/onnx/read-model.js";
import { openSession } from "../src/pipeline/onnx/session.js";
import { concatBytes } from "../src/pipeline/onnx/wire.js";
import { modelParts } from "../src/pipeline/onnx/write-model.js";
import { projectRoot } from "../src/pipeline/root.js";
import { writeResult } from "./result.js";

const rounds = Number(process.argv[2] ?? 300);
const [size, classes] = [64, 120];
const twins: Readonly<Record<string, Network["build"]>> = {
  "pp-lcnet-0.25x": (b, x) => ({ logits: ppLcnet(b, x, { width: 0.25, classes }) }),
  "mobilenet-v2-0.25x": (b, x) => ({ logits: mobilenetV2(b, x, { width: 0.25, classes }) }),
  "mobilenet-v3-small-0.35x": (b, x) => ({
    logits: mobilenetV3(b, x, { size: "small", width: 0.35, classes }),
  }),
  "shufflenet-v2-0.33x": (b, x) => ({ logits: shufflenetV2(b, x, { width: 0.33, classes }) }),
};

async function contender(name: string, bytes: Uint8Array) {
  const session = await openSession(bytes, name);
  const image = new Tensor("float32", drawnPicture(size), [1, 3, size, size]);
  const feeds = { [session.inputNames[0]!]: image };
  return { contender: { name, run: () => session.run(feeds) }, session };
}

const rows: (string | number | { value: number; ci: [number, number] | null })[][] = [];
for (const [name, build] of Object.entries(twins)) {
  const network = { ...networkNamed(name), size, outputs: classes, build };
  const drawn = concatBytes(modelParts(await madeNetwork(network, { seed: 1 })));
  const trained = await readFile(join(projectRoot, "models", `cls-${name}`, "model.onnx"));
  const counts = [trained, drawn].map((bytes) => countWeights(parseOnnx(bytes, name)).parameters);
  const a = await contender("trained", trained);
  const b = await contender("drawn", drawn);
  const options = { rounds, warmupRounds: 10, callsPerSample: 5, seed: name };
  const { ratio, verdict, why } = await compareLatency(a.contender, b.contender, options);
  const ci = ratio.value !== null && ratio.interval;
  const value = {
    value: ratio.value ?? NaN,
    ci: ci ? ([ci.low, ci.high] as [number, number]) : null,
  };
  rows.push([name, counts[0]!, counts[1]!, value, verdict]);
  console.log(name, counts.join(" "), verdict, why);
  await a.session.release();
  await b.session.release();
}
await writeResult({
  name: "drawn-weights",
  title: "Drawn weights beside trained ones",
  subject: "models",
  findings: [
    `One thread, batch 1, ${rounds} rounds in turns, five runs a sample: the time with drawn ` +
      "weights over that with trained ones. Denormal values would make it many times longer; " +
      "there are none (a test looks at the maps of every layer).",
  ],
  tables: [
    {
      columns: [
        { head: "network", unit: "text" },
        { head: "weights of the trained", unit: "count" },
        { head: "of the drawn", unit: "count" },
        { head: "time over the trained twin's", unit: "ratio" },
        { head: "verdict", unit: "text" },
      ],
      rows,
    },
  ],
});
