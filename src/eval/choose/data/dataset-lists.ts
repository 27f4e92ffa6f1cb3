import { UserError } from "../../../pipeline/errors.js";
import type { Protocol } from "../../../pipeline/types.js";
import { loadDataset, type RecognitionDataset } from "../../config/dataset.js";
import { listPictures } from "../../experiments/pictures.js";
import type { PictureList } from "./pictures.js";

export interface DatasetLists {
  readonly gallery: PictureList;
  /** Null where the gallery is searched with itself: queries are then held out of it. */
  readonly queries: PictureList | null;
}

/**
 * The pictures of a manifest of recognition.
 *
 * @throws UserError `dataset-task`, and what the readers of manifests and lists throw.
 */
export async function readDatasetLists(
  file: string,
  settings: Readonly<Record<string, string | null>>,
): Promise<DatasetLists> {
  const dataset = await loadDataset(file, settings);
  if (dataset.task !== "recognition") {
    throw new UserError({
      code: "dataset-task",
      message: "an index is chosen for a data set of recognition",
      file,
      path: "task",
      expected: "recognition",
      found: dataset.task,
    });
  }
  return listsOf(dataset, "standard");
}

export async function listsOf(
  dataset: RecognitionDataset,
  protocol: Protocol,
): Promise<DatasetLists> {
  const read = async (part: "gallery" | "query"): Promise<PictureList> => ({
    file: dataset.file,
    ...(await listPictures(dataset, part, protocol)),
  });
  const alone = dataset.evaluation === "leave-one-out";
  return { gallery: await read("gallery"), queries: alone ? null : await read("query") };
}
