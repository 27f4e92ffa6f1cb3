import { parentPort } from "node:worker_threads";
import sharp from "sharp";
import { perform, type Task } from "./tasks.js";

sharp.concurrency(1); // the crew is the parallelism
sharp.cache(false);

parentPort!.on("message", (task: Task) => {
  perform(task).then(
    (result) => {
      parentPort!.postMessage({ result });
    },
    (error: unknown) => {
      parentPort!.postMessage({ error });
    },
  );
});
