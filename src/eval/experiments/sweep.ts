import { access } from "node:fs/promises";
import { basename, dirname, extname } from "node:path";
import { z } from "zod";
import { UserError, unreadable } from "../../pipeline/errors.js";
import { isBaseline, loadCard, modelFileOf, type AnyCard } from "../../pipeline/model/card.js";
import { readYaml } from "../../pipeline/schema.js";
import type { DatasetManifest } from "../config/dataset.js";
import type { ModelRef, Resources } from "../observe/resources.js";
import type { CellPlan, CellSources } from "./cell.js";
import { allSources, datasetSources, modelSources, noSources } from "./sources.js";

/**
 * A model or data set by its name, or why it cannot be used: cells of a sweep that need it fail,
 * the others go on.
 */
export type Named<T> = { readonly name: string; readonly sources: CellSources } & (
  { readonly value: T } | { readonly problem: UserError }
);

/**
 * A model as far as planning needs it: its card is read and its file is there; it is opened when
 * its cell is measured.
 */
export function namedModel(ref: ModelRef, resources: Resources): Promise<Named<AnyCard>> {
  const given = typeof ref === "string" ? undefined : ref.name;
  return named(
    async () =>
      given ??
      (await nameWithin(() => resources.place(ref).card)) ??
      nameOfFile(typeof ref === "string" ? ref : ref.card),
    async () => {
      const { card: file, modelFolder } = resources.place(ref);
      const card = await loadCard(file);
      if (!isBaseline(card)) {
        const model = modelFileOf(card, file, modelFolder);
        await access(model).catch((error: unknown) => {
          throw unreadable(model, error);
        });
      }
      return card;
    },
    () => modelSources(ref, resources),
  );
}

/** A data set for a kind of measurement. */
export function namedDataset<T extends DatasetManifest["task"]>(
  path: string,
  tasks: readonly T[],
  resources: Resources,
): Promise<Named<Extract<DatasetManifest, { task: T }>>> {
  return named(
    async () => (await nameWithin(() => resources.path(path))) ?? nameOfFile(path),
    async () => {
      const dataset = await resources.dataset(path);
      if (!(tasks as readonly string[]).includes(dataset.task)) {
        throw new UserError({
          code: "wrong-task",
          message: "this data set is for another kind of measurement",
          file: dataset.file,
          path: "task",
          expected: tasks.join(" or "),
          found: dataset.task,
        });
      }
      return dataset as Extract<DatasetManifest, { task: T }>;
    },
    () => datasetSources(path, resources),
  );
}

async function named<T>(
  nameOf: () => Promise<string>,
  find: () => Promise<T>,
  sourcesOf: () => CellSources,
): Promise<Named<T>> {
  const name = await nameOf();
  try {
    return { name, value: await find(), sources: sourcesOf() };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { name, problem: error, sources: noSources };
  }
}

/**
 * The name that a card or manifest gives itself, which it may do although it is good for nothing
 * else.
 */
async function nameWithin(file: () => string): Promise<string | null> {
  try {
    return (await readYaml(file(), z.looseObject({ name: z.string() }))).name;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return null;
  }
}

/**
 * `models/light/card.yaml` is light, `sets/goods.yaml` is goods: where a file cannot be read, its
 * path has to name it.
 */
function nameOfFile(path: string): string {
  const stem = basename(path, extname(path));
  return ["card", "manifest"].includes(stem) ? basename(dirname(path)) : stem;
}

/** The cell of a sweep, which fails with the first problem of what it needs. */
export function cellPlan(
  head: Pick<CellPlan, "kind" | "labels">,
  needs: readonly Named<unknown>[],
  measure: CellPlan["measure"],
  timing?: CellPlan["timing"],
  sources = allSources(needs.map((n) => n.sources)),
): CellPlan {
  const lacking = needs.find((n) => "problem" in n);
  if (!lacking || !("problem" in lacking))
    return { ...head, sources, measure, ...(timing && { timing }) };
  const { problem } = lacking;
  return { ...head, problem, sources, measure: () => Promise.reject(problem) };
}

/** The value of what a measured cell needs: only cells without a problem are measured. */
export function valueOf<T>(named: Named<T>): T {
  if ("problem" in named) throw named.problem;
  return named.value;
}
