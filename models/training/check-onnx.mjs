// Compares ONNX Runtime with torch on the twenty real inputs that export.py kept: node
// models/training/check-onnx.mjs NAME… Differences are relative to the largest magnitude of each
// output, or to 1 where that is less: scores are shares of 1. Exits 1 where one exceeds 1e-5.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ort from "onnxruntime-node";

const root = fileURLToPath(new URL("../..", import.meta.url));
const cache = process.env.SHITU_TRAINING_CACHE ?? join(root, ".cache", "training");
for (const name of process.argv.slice(2)) {
  const { side, inputs, names, outputs } = JSON.parse(
    readFileSync(join(cache, "check", name, "outputs.json"), "utf8"),
  );
  const bytes = readFileSync(join(cache, "check", name, "inputs.f32"));
  const pictures = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const session = await ort.InferenceSession.create(join(root, "models", name, "model.onnx"), {
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const size = 3 * side * side;
  const found = names.map(() => []);
  for (let i = 0; i < inputs; i++) {
    const feeds = {
      image: new ort.Tensor("float32", pictures.slice(i * size, (i + 1) * size), [
        1,
        3,
        side,
        side,
      ]),
    };
    if (session.inputNames.includes("scale_factor"))
      feeds.scale_factor = new ort.Tensor("float32", Float32Array.of(0.5, 0.625), [1, 2]);
    const result = await session.run(feeds);
    names.forEach((n, k) => found[k].push(...result[n].data));
  }
  let worst = 0;
  names.forEach((n, k) => {
    const raw = Buffer.from(outputs[k].float32, "base64");
    const wanted = new Float32Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.length));
    if (wanted.length !== found[k].length)
      throw new Error(`${name} ${n}: ${found[k].length} numbers, torch gave ${wanted.length}`);
    const largest = wanted.reduce((m, v) => Math.max(m, Math.abs(v)), 1);
    wanted.forEach((v, i) => {
      worst = Math.max(worst, Math.abs(v - found[k][i]) / largest);
    });
  });
  console.log(`${name}: largest difference on ${inputs} inputs ${worst.toExponential(2)}`);
  if (worst > 1e-5) process.exitCode = 1;
}
