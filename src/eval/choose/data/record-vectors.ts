import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { UserError, oneOf } from "../../../pipeline/errors.js";
import { projectRoot } from "../../../pipeline/root.js";
import { parseValue } from "../../../pipeline/schema.js";
import type { RetrievalMeasurement } from "../../config/config.js";
import { configSchema, resolvePath } from "../../config/config.js";
import { loadDataset, type RecognitionDataset } from "../../config/dataset.js";
import { readRecord, type Cell, type RunRecord } from "../../record/record.js";
import type { Collected } from "./collected.js";
import { listsOf } from "./dataset-lists.js";
import { embedLists, type CardRef, type EmbedWork } from "./pictures.js";

/**
 * The vectors of a retrieval cell of a record of ours: a record says what was embedded with which
 * model, and the observations hold the vectors. What they lack is embedded again.
 *
 * @param cell its id; the first retrieval cell where none is given.
 * @throws UserError `record-vectors` where the record has no such cell, `record-parts` where its
 * model or data set is not found, `model-changed`.
 */
export async function embedRecord(
  folder: string,
  cell: string | undefined,
  work: EmbedWork,
): Promise<Collected> {
  const record = await readRecord(folder);
  const chosen = pickCell(record, folder, cell);
  const { protocol, measure, settings } = parseValue(
    record.experiment.config,
    folder,
    configSchema,
  );
  const retrievals = measure.filter((m): m is RetrievalMeasurement => m.kind === "retrieval");
  for (const base of bases()) {
    const place = (path: string): string => resolvePath(path, base, settings, folder);
    const model = modelNamed(chosen.labels.model!, retrievals, place);
    const dataset = await datasetNamed(chosen.labels.dataset!, retrievals, place, settings);
    if (model === null || dataset === null) continue;
    const name = `${chosen.labels.model} on ${dataset.name}`;
    const version = chosen.versions.model;
    const lists = { name, model, ...(await listsOf(dataset, protocol)) };
    return embedLists({ ...lists, ...(version !== undefined && { version }) }, work);
  }
  throw new UserError({
    code: "record-parts",
    message: "the model or the data set of the record is not found",
    file: folder,
    expected: `${chosen.labels.model} and ${chosen.labels.dataset}, as its config names them`,
    fix: "work in the folder of that config, or give --card and the pictures",
  });
}

function pickCell(record: RunRecord, folder: string, id: string | undefined): Cell {
  const retrieval = record.cells.filter((c) => c.kind === "retrieval" && c.state === "completed");
  const found = id === undefined ? retrieval[0] : retrieval.find((c) => c.id === id);
  if (found) return found;
  throw new UserError({
    code: "record-vectors",
    message: "the record holds no such embedding",
    file: folder,
    expected:
      retrieval.length > 0 ? oneOf(retrieval.map((c) => c.id)) : "a completed cell of retrieval",
    found: id ?? (oneOf([...new Set(record.cells.map((c) => c.kind))]) || "no cell"),
    fix: "give the record of a retrieval experiment",
  });
}

/** A record does not say where its config lay: here, or among those of this project. */
function bases(): string[] {
  const configs = join(projectRoot, "configs");
  const folders = readdirSync(configs, { withFileTypes: true }).filter((e) => e.isDirectory());
  return [process.cwd(), configs, ...folders.map((e) => join(configs, e.name))];
}

function modelNamed(
  name: string,
  retrievals: readonly RetrievalMeasurement[],
  place: (path: string) => string,
): CardRef | null {
  for (const ref of retrievals.flatMap((m) => m.models)) {
    const { card, folder, name: own } = typeof ref === "string" ? { card: ref } : ref;
    const path = place(card);
    if (!existsSync(path)) continue;
    if ([own, basename(dirname(path)), basename(path, ".yaml")].includes(name)) {
      return { card: path, ...(folder !== undefined && { modelFolder: place(folder) }) };
    }
  }
  return null;
}

async function datasetNamed(
  name: string,
  retrievals: readonly RetrievalMeasurement[],
  place: (path: string) => string,
  settings: Readonly<Record<string, string | null>>,
): Promise<RecognitionDataset | null> {
  for (const path of retrievals.flatMap((m) => m.datasets)) {
    const at = place(path);
    if (!existsSync(at)) continue;
    const dataset = await loadDataset(at, settings);
    if (dataset.task === "recognition" && dataset.name === name) return dataset;
  }
  return null;
}
