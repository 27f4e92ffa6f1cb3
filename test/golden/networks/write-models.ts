import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { networkModel } from "../../../models/networks/build-network.js";
import { networkNamed } from "../../../models/networks/catalogue.js";
import { drawnWeights } from "../../../models/networks/drawn-weights.js";
import { writeOnnx } from "../../../src/pipeline/onnx/write-model.js";

/**
 * `npx tsx write-models.ts FOLDER`: the networks of sizes.json, for make.py to take weights from.
 */
const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("give a folder");
const text = await readFile(new URL("sizes.json", import.meta.url), "utf8");
const sizes = JSON.parse(text) as Record<string, number>;
await mkdir(folder, { recursive: true });
for (const [name, size] of Object.entries(sizes)) {
  const { model } = networkModel(networkNamed(name), drawnWeights(1), size);
  await writeOnnx(join(folder, `${name}.onnx`), model);
}
