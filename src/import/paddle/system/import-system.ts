// system/: a foreign system's config with its models and gallery in; the folder of ours out. It
// never sees a picture.
import { join } from "node:path";
import {
  systemFileName,
  systemText,
  type SystemFile,
} from "../../../pipeline/system/system-file.js";
import { writeFolder, type Contents } from "../../write-folder.js";
import { checkWritten, modelFiles } from "../written-model.js";
import { importGallery } from "../galleries/import-gallery.js";
import { importModel, type ImportOptions, type ImportReport } from "../import-model.js";
import { openSource } from "../source.js";
import type { DeployedModel, Deployment } from "./deployment.js";

export interface SystemImport {
  readonly detector: ImportReport | null;
  readonly embedder: ImportReport;
  /** Entries; null where no gallery was there. */
  readonly gallery: number | null;
  readonly notes: readonly string[];
}

/**
 * Takes PaddleClas's whole system in: detector, embedder, gallery and constants, as a folder that
 * `shitu recognize --system` answers from. All of it is written, or nothing.
 *
 * @throws UserError for anything in it that is not whole, not known or not supported, by name.
 */
export async function importSystem(
  deployment: Deployment,
  out: string,
  options: Omit<ImportOptions, "config">,
): Promise<SystemImport> {
  const take = async ({ folder, config }: DeployedModel, part: string) => {
    const name = `${options.name}-${part}`;
    return importModel(await openSource(folder), { ...options, name, config });
  };
  const detector = deployment.detector && (await take(deployment.detector, "detector"));
  const embedder = await take(deployment.embedder, "embedder");
  const files: Record<string, Contents> = {
    ...(detector && modelFiles(detector, "detector/")),
    ...modelFiles(embedder, "embedder/"),
    [systemFileName]: systemText(systemOf(deployment, options.name)),
  };
  let gallery: number | null = null;
  await writeFolder(out, files, async (written) => {
    if (detector) await checkWritten(join(written, "detector"));
    await checkWritten(join(written, "embedder"));
    if (deployment.gallery === null) return;
    const { manifest } = await importGallery({
      from: deployment.gallery,
      out: join(written, "gallery"),
      card: join(written, "embedder", "card.yaml"),
      protocol: "paddleclas",
    });
    gallery = manifest.count;
  });
  const { notes } = deployment;
  return { detector: detector?.report ?? null, embedder: embedder.report, gallery, notes };
}

function systemOf({ detector, constants, file, notes }: Deployment, name: string): SystemFile {
  return {
    schema: 1,
    name,
    protocol: "paddleclas",
    ...(detector && { detector: "detector/card.yaml" }),
    embedder: "embedder/card.yaml",
    gallery: "gallery",
    ...constants,
    origin: file,
    ...(notes.length > 0 && { notes: [...notes] }),
  };
}
