// Decodes the same picture again and again in a thread of its own; run by image.test.ts.
import { parentPort, workerData } from "node:worker_threads";
import { tsImport } from "tsx/esm/api";

const { decode } = await tsImport("../../../src/pipeline/image/image.ts", import.meta.url);
let pixels;
for (let round = 0; round < workerData.rounds; round++) pixels = await decode(workerData.bytes);
parentPort.postMessage(pixels.data);
