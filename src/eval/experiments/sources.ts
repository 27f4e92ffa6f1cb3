import { createHash } from "node:crypto";
import { relative } from "node:path";
import { UserError } from "../../pipeline/errors.js";
import { projectRoot } from "../../pipeline/root.js";
import type { DatasetManifest } from "../config/dataset.js";
import { fileHash } from "../observe/file-hash.js";
import type { PictureRef } from "../observe/observations.js";
import { measuredHash, pictureHash } from "../observe/picture-hash.js";
import type { ModelRef, Resources } from "../observe/resources.js";
import type { CellSources, Sources } from "./cell.js";
import { datasetPictures, listPictures } from "./pictures.js";

/** What a cell comes from, hashed: its models, lists, annotations, feature files and pictures. */

/** Of what comes from code and config alone. */
export const noSources: CellSources = {
  files: () => Promise.resolve({}),
  pictures: () => Promise.resolve({}),
};

/** Of several things, one after the other. */
export function allSources(parts: readonly CellSources[]): CellSources {
  const all = async (ask: (part: CellSources) => Promise<Sources>): Promise<Sources> => {
    const found: Record<string, string> = {};
    for (const part of parts) Object.assign(found, await ask(part));
    return found;
  };
  return {
    files: () => all((part) => part.files()),
    pictures: (of) => all((part) => part.pictures(of)),
  };
}

/** Of files as they are, each hashed once a run. */
export function fileSources(files: () => readonly string[], resources: Resources): CellSources {
  return {
    files: async () => {
      const found: Record<string, string> = {};
      for (const file of files())
        found[`file ${shown(file)}`] = await resources.shared(`hash of ${file}`, () =>
          fileHash(file),
        );
      return found;
    },
    pictures: noSources.pictures,
  };
}

/** Of a model: its card and its file; a baseline is its card and code. */
export function modelSources(ref: ModelRef, resources: Resources): CellSources {
  return {
    files: async () => {
      const { card } = resources.place(ref);
      const model = await resources.modelFile(ref);
      return fileSources(() => (model === null ? [card] : [card, model]), resources).files();
    },
    pictures: noSources.pictures,
  };
}

/** Of a data set: manifest, lists and annotations; and every picture that they name. */
export function datasetSources(path: string, resources: Resources): CellSources {
  return {
    files: async () => {
      const { name, hash } = await resources.dataset(path);
      return { [`lists of ${name}`]: hash };
    },
    pictures: async (of) => {
      const dataset = await resources.dataset(path);
      const { protocol } = resources.loaded.config;
      const pictures = await resources.shared(
        JSON.stringify(["pictures", dataset.file, dataset.hash, protocol]),
        () => everyPicture(dataset, resources),
      );
      return {
        [`pictures of ${dataset.name}`]: picturesHash(
          pictures,
          of === "now" ? pictureHash : measuredHash,
        ),
      };
    },
  };
}

async function everyPicture(
  dataset: DatasetManifest,
  resources: Resources,
): Promise<readonly PictureRef[]> {
  const { protocol } = resources.loaded.config;
  const put = await datasetPictures(dataset, protocol, resources);
  const searched =
    dataset.task === "pipeline" ||
    (dataset.task === "recognition" && dataset.evaluation !== "leave-one-out");
  if (!searched) return put;
  return [...put, ...(await listPictures(dataset, "gallery", protocol, resources)).pictures];
}

/** sha256 over names and contents in order; what cannot be read counts by its reason. */
function picturesHash(pictures: readonly PictureRef[], hashOf: (file: string) => string): string {
  const hash = createHash("sha256");
  for (const picture of pictures)
    hash.update(JSON.stringify([picture.item, content(picture, hashOf)]));
  return hash.digest("hex");
}

function content(picture: PictureRef, hashOf: (file: string) => string): string {
  if (!("file" in picture)) return picture.complaint.code;
  try {
    return hashOf(picture.file);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.code;
  }
}

function shown(file: string): string {
  const path = relative(projectRoot, file);
  return path.startsWith("..") ? file : path;
}
