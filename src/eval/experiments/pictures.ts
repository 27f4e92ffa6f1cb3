import { relative } from "node:path";
import { readBoxTruth } from "../../../datasets/formats/box-files.js";
import type { CocoTruth } from "../../../datasets/formats/coco-set.js";
import { readFaceTruth } from "../../../datasets/formats/face-boxes.js";
import type { ListRow } from "../../../datasets/formats/paddleclas-list.js";
import { readListPart } from "../../../datasets/formats/released-list.js";
import { UserError } from "../../pipeline/errors.js";
import { pictureSizes } from "../../pipeline/image/picture-sizes.js";
import { safePath } from "../../pipeline/image/image-root.js";
import { rulesOf, type Protocol } from "../../pipeline/protocol.js";
import { workFolder } from "../../pipeline/root.js";
import type {
  ClassificationDataset,
  DatasetManifest,
  DetectionDataset,
  PipelineDataset,
  RecognitionDataset,
} from "../config/dataset.js";
import type { PictureRef } from "../observe/observations.js";
import type { Resources } from "../observe/resources.js";

type Listed = RecognitionDataset | PipelineDataset | ClassificationDataset;

/** The pictures of one list, in its order, with what was wrong with a path. */
export interface ListedPictures {
  readonly rows: readonly ListRow[];
  readonly pictures: readonly PictureRef[];
}

/** The pictures of one list of a data set, looked up once a run where its resources are given. */
export function listPictures(
  dataset: Listed,
  part: "gallery" | "query" | "validation",
  protocol: Protocol,
  resources?: Resources,
): Promise<ListedPictures> {
  const read = (): Promise<ListedPictures> => readListed(dataset, part, protocol);
  return resources
    ? resources.shared(JSON.stringify(["list", dataset.file, dataset.hash, part, protocol]), read)
    : read();
}

async function readListed(
  dataset: Listed,
  part: "gallery" | "query" | "validation",
  protocol: Protocol,
): Promise<ListedPictures> {
  const list = (dataset as Readonly<Record<string, unknown>>)[part] as
    RecognitionDataset["gallery"] | undefined;
  if (!list) throw new Error(`${dataset.name} has no ${part} list`);
  const columns = dataset.task !== "recognition" ? 2 : dataset.identity === "none" ? undefined : 3;
  const { rows } = await readListPart(list.list, part === "query" ? "query" : "gallery", {
    delimiter: list.delimiter,
    labels: rulesOf(protocol).labels,
    ...(columns !== undefined && { columns }),
  });
  return { rows, pictures: rows.map((row) => pictureRef(list.images ?? dataset.images, row.path)) };
}

export function pictureRef(root: string, path: string): PictureRef {
  try {
    return { item: path, file: safePath(root, path) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { item: path, complaint: error.complaint };
  }
}

/**
 * An image root as records hold it: relative to the project, so that a record says nothing about
 * the machine.
 */
export function recordedRoot(root: string): string {
  return relative(workFolder, root).replaceAll("\\", "/");
}

/**
 * Where no picture is left, the reasons are: the first of them, with what was looked for.
 *
 * @returns UserError `dataset-empty`
 */
export function nothingUsable(
  file: string,
  errors: readonly { readonly item: string; readonly message: string }[],
): UserError {
  const first = errors.slice(0, 3).map(({ item, message }) => `${item}: ${message}`);
  const more = errors.length > 3 ? `; and ${errors.length - 3} more` : "";
  return new UserError({
    code: "dataset-empty",
    message: "no picture of the data set could be used",
    file,
    ...(first.length > 0 && { found: first.join("; ") + more }),
    fix: "check its image root (images), or the paths in its lists and annotations",
  });
}

type Annotated = DetectionDataset | PipelineDataset;

/** The boxes of a data set. */
export function readTruth({
  annotations,
  images,
}: Pick<Annotated, "annotations" | "images">): Promise<CocoTruth> {
  const { path, format } = annotations;
  if (format === "icartoonface-csv") return readFaceTruth(path, annotations.every);
  const voc = annotations.format === "voc-xml" && {
    boxes: annotations.boxes,
    every: annotations.every,
  };
  return readBoxTruth(path, { format, sizeOf: pictureSizes(images), ...voc });
}

/** Every picture that a data set puts to a system: the annotated ones, or the queries. */
export async function datasetPictures(
  dataset: DatasetManifest,
  protocol: Protocol,
  resources?: Resources,
): Promise<PictureRef[]> {
  switch (dataset.task) {
    case "recognition":
      return [
        ...(
          await listPictures(
            dataset,
            dataset.evaluation === "leave-one-out" ? "gallery" : "query",
            protocol,
            resources,
          )
        ).pictures,
      ];
    case "classification":
      return [...(await listPictures(dataset, "validation", protocol, resources)).pictures];
    case "detection":
    case "pipeline":
      return truthPictures(await readTruth(dataset), dataset);
  }
}

/** The pictures of a truth, in its order; one without a file name is an error row of its own. */
export function truthPictures(truth: CocoTruth, dataset: Annotated): PictureRef[] {
  return truth.images.map(({ id, fileName }): PictureRef =>
    fileName === null
      ? {
          item: String(id),
          complaint: {
            code: "image-unnamed",
            message: "the annotations name no file for this image",
            file: dataset.annotations.path,
            path: `images, id ${id}`,
            fix: "give it a file_name",
          },
        }
      : pictureRef(dataset.images, fileName),
  );
}
