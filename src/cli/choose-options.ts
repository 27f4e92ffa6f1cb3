import { readDatasetLists } from "../eval/choose/data/dataset-lists.js";
import type { ChoiceSource } from "../eval/choose/data/read-data.js";
import { sourceOf } from "../eval/choose/data/read-data.js";
import type { Limits } from "../eval/choose/limits.js";
import { loadChoiceConfig, type ChoiceConfig } from "../eval/config/choice-config.js";
import { UserError, oneOf } from "../pipeline/errors.js";
import { engineNames } from "../pipeline/index/engine.js";
import { byteSize, count, duration, ratio } from "./quantities.js";

/** The options of `shitu choose`, as the command line gives them. */
export interface ChooseOptions {
  readonly gallery?: string;
  readonly labels?: string;
  readonly queries?: string;
  readonly queryLabels?: string;
  readonly card?: string;
  readonly modelFolder?: string;
  readonly images?: string;
  readonly cell?: string;
  readonly recall?: string;
  readonly labelRecall?: string;
  readonly p99?: string;
  readonly qps?: string;
  readonly memory?: string;
  readonly build?: string;
  readonly deletes?: boolean;
  readonly appends?: string;
  readonly growTo?: string;
  readonly engines?: string;
  readonly budget?: string;
  readonly k?: string;
  readonly metric?: string;
  readonly normalize?: boolean;
  readonly packed?: boolean;
  readonly seed?: string;
  readonly set?: readonly string[];
  readonly cache?: string;
  readonly runs?: string;
  readonly record: boolean;
  readonly json?: boolean;
}

/** What the command line and the config say together. */
export interface ChooseTask {
  readonly options: ChooseOptions;
  readonly source: ChoiceSource;
}

/**
 * Options over those of a config, where one is given.
 *
 * @throws UserError `choice-source` where nothing says what the gallery is.
 */
export async function chooseTask(
  given: ChooseOptions,
  configFile: string | undefined,
): Promise<ChooseTask> {
  if (configFile === undefined) {
    if (given.set !== undefined) throw setWithoutConfig();
    return { options: given, source: sourceFrom(given) };
  }
  const config = await loadChoiceConfig(configFile, given.set);
  const options: ChooseOptions = { ...fromConfig(config), ...given };
  const { vectors, dataset, card, name } = config;
  if (given.gallery === undefined && vectors !== undefined) {
    return { options, source: { kind: "drawn", name, spec: vectors } };
  }
  if (given.gallery === undefined && dataset !== undefined) {
    const folder = config.modelFolder === undefined ? {} : { modelFolder: config.modelFolder };
    const lists = await readDatasetLists(dataset, config.settings);
    return {
      options,
      source: { kind: "lists", lists: { name, model: { card: card!, ...folder }, ...lists } },
    };
  }
  return { options, source: sourceFrom(options) };
}

function fromConfig(config: ChoiceConfig): Partial<ChooseOptions> {
  const { limits, growTo, engines, budget, k, metric, normalize, packed, seed } = config;
  const { gallery, labels, queries, queryLabels, images, card, modelFolder } = config;
  const all = {
    ...limits,
    ...{ growTo, engines, budget, k, metric, normalize, packed, seed },
    ...{ gallery, labels, queries, queryLabels, images, card, modelFolder },
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function sourceFrom(options: ChooseOptions): ChoiceSource {
  const { gallery, labels, queries, queryLabels, packed, card, modelFolder, images } = options;
  if (gallery === undefined) {
    throw new UserError({
      code: "choice-source",
      message: "nothing says which vectors the choice is for",
      expected: "--gallery FILE, or a config such as configs/choose/table7-scale.yaml",
      found: "neither",
    });
  }
  if (card !== undefined) {
    const pictures = {
      gallery,
      card,
      ...(queries !== undefined && { queries }),
      ...(images !== undefined && { images }),
      ...(modelFolder !== undefined && { modelFolder }),
    };
    return { kind: "pictures", pictures };
  }
  const files = {
    gallery,
    packed: packed ?? false,
    ...(labels !== undefined && { labels }),
    ...(queries !== undefined && { queries }),
    ...(queryLabels !== undefined && { queryLabels }),
  };
  return sourceOf(files, options.cell);
}

function setWithoutConfig(): UserError {
  return new UserError({
    code: "bad-set",
    message: "--set gives a setting of a config",
    expected: "a config before it",
    found: "none",
  });
}

export function limitsOf(options: ChooseOptions): Limits {
  const { recall, labelRecall, p99, qps, memory, build, deletes, appends } = options;
  if (recall === undefined && labelRecall === undefined) {
    throw new UserError({
      code: "no-recall-limit",
      message: "without a limit on recall the fastest index is one that finds nothing",
      expected: "--recall or --label-recall",
      found: "neither",
      fix: "give one, such as --recall 0.95",
    });
  }
  return {
    ...(recall !== undefined && { recall: ratio("--recall", recall) }),
    ...(labelRecall !== undefined && { labelRecall: ratio("--label-recall", labelRecall) }),
    ...(p99 !== undefined && { p99Ms: duration("--p99", p99) }),
    ...(qps !== undefined && { queriesPerSecond: count("--qps", qps) }),
    ...(memory !== undefined && { memoryBytes: byteSize("--memory", memory) }),
    ...(build !== undefined && { buildMs: duration("--build", build) }),
    ...(deletes && { deletes }),
    ...(appends !== undefined && {
      appendsPerDay: count("--appends", appends.replace(/\/day$/, "")),
    }),
  };
}

/** `faiss` brings the two-stage index along, which is made of Faiss's codes. */
export function enginesOf(text: string): string[] {
  const names = text.split(",").map((name) => name.trim());
  for (const name of names) {
    if (!(engineNames as readonly string[]).includes(name)) {
      throw new UserError({
        code: "unknown-engine",
        message: `no index engine ${JSON.stringify(name)}`,
        path: "--engines",
        expected: oneOf(engineNames),
        found: name,
      });
    }
  }
  return names.includes("faiss") ? [...new Set([...names, "two-stage"])] : names;
}
