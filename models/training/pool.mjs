// Renders the training material (drawings, then pictures) with the benchmark's own generator: node
// models/training/pool.mjs recognition|detection FOLDER [CHUNKS]
import { availableParallelism } from "node:os";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ensureBuilt } from "../../build.mjs";

const [kind, base, chunks = "24"] = process.argv.slice(2);
const out = join(base, kind);
await ensureBuilt();
const { Crew } = await import("../../dist/datasets/mini/crew.js");
const { packageStores } = await import("../../dist/datasets/mini/people.js");
const { drawStores } = await import("../../dist/datasets/mini/stores.js");

const workers = Number(process.env.WORKERS ?? Math.min(4, availableParallelism()));
const crew = new Crew(workers);
const drawings = join(base, "drawings");
const say = (what) => {
  let next = 0;
  return (done, total) => {
    if (done / total >= next) {
      next += 0.1;
      console.log(`${what} ${done}/${total}`);
    }
  };
};
await drawStores(drawings, crew, ["test", "dev", "train"], say("drawings"));
const stores = [...packageStores, "head-test", "head-dev", "head-train"];
const sizes = {
  recognition: { kind: "pool", count: 5000, side: 64 },
  detection: { kind: "scenes", count: 1000, side: 208 },
};
const wanted = [
  ["dev", 0],
  ...Array.from({ length: Number(chunks) }, (_, chunk) => ["train", chunk]),
].map(([part, chunk]) => ({
  ...sizes[kind],
  drawings,
  stores,
  part,
  chunk,
  out,
  file: `${part}-${String(chunk).padStart(3, "0")}.json`,
}));
const missing = wanted.filter(({ file }) => !existsSync(join(out, file)));
let done = 0;
await Promise.all(
  missing.map(async ({ file, ...task }) => {
    await crew.do(task);
    console.log(`chunk ${++done}/${missing.length} ${file}`);
  }),
);
await crew.close();
