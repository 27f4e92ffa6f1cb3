import { open } from "node:fs/promises";
import { saveIndex } from "../../../pipeline/index/engine.js";
import { UserError } from "../../../pipeline/errors.js";
import type { Codes, Vectors } from "../../../pipeline/types.js";
import { firstRows } from "../data/choice-data.js";
import { build } from "./built.js";
import type { BuildOrder, BuildReport, BuildSource } from "./build-process.js";
import { noteOf } from "./build-store.js";

/** The process in which indexes are built, one after another, until it is ended. */

async function readRows({ file, kind, dim }: BuildSource): Promise<Vectors | Codes> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size;) {
      const { bytesRead } = await handle.read(bytes, at, Math.min(size - at, 1 << 28), at);
      if (bytesRead === 0) throw new Error(`${file} ends after ${at} of ${size} bytes`);
      at += bytesRead;
    }
    if (kind === "binary") return { data: bytes, bits: dim };
    return { data: new Float32Array(bytes.buffer), dim };
  } finally {
    await handle.close();
  }
}

const source = JSON.parse(process.argv[2]!) as BuildSource;
const rows = readRows(source);

async function obey({ setting, size, file }: BuildOrder): Promise<BuildReport> {
  try {
    const built = await build(setting, firstRows(await rows, size), source.metric);
    try {
      await saveIndex(built.index, file);
      return { done: await noteOf(built, file) };
    } finally {
      built.index.close();
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { refused: error.complaint };
  }
}

process.on("message", (order) => {
  void obey(order as BuildOrder).then(
    (report) => process.send!(report),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
// The parent is gone: nobody waits for what is being built.
process.on("disconnect", () => process.exit(0));
