import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { decode } from "../../../src/pipeline/image/image.js";
import { openEmbedder } from "../../../src/pipeline/embedding/embedder.js";
import { projectRoot } from "../../../src/pipeline/root.js";
import { makeTiny } from "../tiny-benchmark.js";

const models = ["light-general", "light-int8", "light-dshsd", "server-general"]
  .map((name) => join(projectRoot, "models", name, "card.yaml"))
  .filter((card) => existsSync(card));

describe.skipIf(models.length === 0)("embeddings to the last bit", { timeout: 120_000 }, () => {
  // A resumed run embeds what is left in other batches than an uninterrupted one, and another
  // machine has another number of cores.
  it.each(models)("of %s do not depend on the batch or on threads", async (card) => {
    const tiny = await makeTiny({ pictures: 11 });
    const pictures = await Promise.all(
      Array.from({ length: 11 }, (_, i) => decode(join(tiny.folder, "images", `${i}.png`))),
    );
    const embed = async (batch: number, threads: number): Promise<ArrayLike<number>> => {
      const embedder = await openEmbedder(card, { batch, threads });
      try {
        return (await embedder.embed(pictures)).data;
      } finally {
        await embedder.close();
      }
    };
    const expected = await embed(8, 1);
    for (const [batch, threads] of [
      [1, 1],
      [3, 1],
      [8, 2],
    ] as const)
      expect(await embed(batch, threads)).toEqual(expected);
    rmSync(tiny.folder, { recursive: true, force: true });
  });
});
