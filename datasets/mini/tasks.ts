import { rasterise, Drawings, type Rendered } from "./drawings.js";
import { headSvg } from "./heads.js";
import { openSource, sources } from "./sources.js";
import { catalogueOf, type Catalogue } from "./catalogue.js";
import type { Outcome } from "./plan.js";
import { renderPictures, type RenderTask } from "./render.js";
import { renderPool, renderScenes, type PoolTask, type SceneTask } from "./training-pool.js";

/** What a worker can be asked for. Every task can be done again with the same outcome. */
export type Task =
  | { readonly kind: "rasterise"; readonly source: string; readonly keys: readonly string[] }
  | {
      readonly kind: "heads";
      readonly seed: string;
      readonly heads: readonly (readonly [person: number, expression: number])[];
    }
  | RenderTask
  | PoolTask
  | SceneTask;

export type Result = (Rendered | null)[] | Outcome[] | number;

const opened = new Map<string, ReturnType<typeof openSource>>();

export async function perform(task: Task): Promise<Result> {
  switch (task.kind) {
    case "rasterise": {
      const { source: name } = task;
      const source = opened.get(name) ?? openSource(sources.find((s) => s.name === name)!);
      opened.set(name, source);
      return Promise.all(task.keys.map((key) => rasterise(key, source.load(key))));
    }
    case "heads":
      return Promise.all(
        task.heads.map(([person, expression]) =>
          rasterise(`${person}-${expression}`, headSvg(task.seed, person, expression)),
        ),
      );
    case "render":
      return renderPictures(task, await stock(task.drawings, task.stores));
    case "pool":
      return renderPool(task, await stock(task.drawings, task.stores));
    case "scenes":
      return renderScenes(task, await stock(task.drawings, task.stores));
  }
}

let stocked: { key: string; drawings: Drawings; catalogue: Catalogue } | undefined;

/** A worker's own reader of the drawings, opened once. */
export async function stock(
  folder: string,
  stores: readonly string[],
): Promise<{ drawings: Drawings; catalogue: Catalogue }> {
  const key = `${folder}\n${stores.join()}`;
  if (stocked?.key !== key) {
    const drawings = await Drawings.open(folder, stores);
    stocked = { key, drawings, catalogue: catalogueOf(drawings) };
  }
  return stocked;
}
