import { join } from "node:path";
import { isBaseline, loadCard } from "../../pipeline/model/card.js";
import { checkCard } from "../../pipeline/model/model.js";
import { writeFolder, type Contents } from "../write-folder.js";
import type { Imported } from "./import-model.js";

/** The files of an imported model, below a folder of theirs. */
export function modelFiles(
  { parts, card, report }: Imported,
  below = "",
): Record<string, Contents> {
  return {
    [`${below}model.onnx`]: parts,
    [`${below}card.yaml`]: card,
    [`${below}import.json`]: `${JSON.stringify(report, null, 2)}\n`,
  };
}

/** A card that does not agree with its model is a fault of ours: nothing of it stays. */
export async function checkWritten(folder: string): Promise<void> {
  const file = join(folder, "card.yaml");
  const card = await loadCard(file);
  if (!isBaseline(card)) await checkCard(card, file, join(folder, "model.onnx"));
}

/** Writes a model's folder, whole or not at all. */
export async function writeImported(folder: string, imported: Imported): Promise<void> {
  await writeFolder(folder, modelFiles(imported), checkWritten);
}
