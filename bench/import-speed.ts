// Imported Paddle models beside what paddle2onnx makes of them, in ONNX Runtime on one thread,
// interleaved, beside an A/A test. The folders are made by test/golden/paddle-full/make.py.
//
//   npx tsx bench/import-speed.ts FOLDER [rounds]
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Tensor, type InferenceSession } from "onnxruntime-node";
import { importModel } from "../src/import/paddle/import-model.js";
import { openSource } from "../src/import/paddle/source.js";
import { compareLatency } from "../src/eval/latency/noise-certificate.js";
import { openSession } from "../src/pipeline/onnx/session.js";
import { concatBytes } from "../src/pipeline/onnx/wire.js";
import { writeResult } from "./result.js";

const folder = process.argv[2];
const rounds = Number(process.argv[3] ?? 60);
if (folder === undefined) throw new Error("usage: npx tsx bench/import-speed.ts FOLDER [rounds]");

const options = {
  name: "model",
  opset: 17,
  batch: null,
  size: null,
  form: null,
  keepNorms: false,
  drawSeed: null,
};
const picture = new Tensor(
  "float32",
  Float32Array.from({ length: 3 * 224 * 224 }, (_, i) => Math.sin(i)),
  [1, 3, 224, 224],
);
const run = (session: InferenceSession) => () => session.run({ [session.inputNames[0]!]: picture });

const rows: (string | number | { value: number; ci: [number, number] | null })[][] = [];
for (const network of readdirSync(folder)) {
  const theirs = join(folder, network, "paddle2onnx.onnx");
  if (!existsSync(theirs)) continue;
  const { parts } = await importModel(await openSource(join(folder, network)), options);
  const sessions = [
    await openSession(readFileSync(theirs), theirs),
    await openSession(concatBytes(parts), network),
  ] as const;
  const compared = await compareLatency(
    { name: "paddle2onnx", run: run(sessions[0]) },
    { name: "shitu import", run: run(sessions[1]) },
    { rounds, warmupRounds: 5, seed: network },
  );
  for (const session of sessions) await session.release();
  const { ratio, certificate, why } = compared;
  if (ratio.value === null) throw new Error(ratio.why);
  const ci = ratio.interval ? ([ratio.interval.low, ratio.interval.high] as const) : null;
  console.log(`${network}: ${ratio.value.toFixed(3)} [${ci?.map((v) => v.toFixed(3)).join(", ")}]`);
  console.log(`  ${why}`);
  rows.push([
    network,
    { value: ratio.value, ci: ci && [...ci] },
    certificate.passed ? "passed" : "failed",
  ]);
}
await writeResult({
  name: "import-speed",
  title: "Imported models beside those of paddle2onnx",
  subject: "models",
  findings: [`Time of ours over theirs, ${rounds} rounds, one thread, one picture of 224 x 224.`],
  tables: [
    {
      columns: [
        { head: "network", unit: "text" },
        { head: "time over paddle2onnx's", unit: "ratio" },
        { head: "A/A test", unit: "text" },
      ],
      rows,
    },
  ],
});
