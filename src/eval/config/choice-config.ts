import { dirname, resolve } from "node:path";
import { z } from "zod";
import { UserError } from "../../pipeline/errors.js";
import { parseValue, yamlValue } from "../../pipeline/schema.js";
import { readStrictText } from "../../pipeline/strict-text.js";
import { generatedVectors, resolvePath } from "./config.js";

/** Options as the command line takes them: `5ms`, `500MB`, `10M`. */
const quantity = z.union([z.string(), z.number()]).transform(String);

const limits = z.strictObject({
  recall: quantity.optional().describe("neighbour recall@k, at least"),
  labelRecall: quantity.optional().describe("label recall@1, at least"),
  p99: quantity.optional().describe("99th percentile of one query's time, at most: 5ms"),
  qps: quantity.optional().describe("queries a second in batches on all threads, at least"),
  memory: quantity.optional().describe("resident memory, at most: 500MB"),
  build: quantity.optional().describe("time to build, at most: 10m"),
  deletes: z.boolean().optional().describe("entries must be removable"),
  appends: quantity.optional().describe("vectors added a day"),
});

/**
 * A choice to be made again: the vectors by exactly one of `gallery` (a file, a gallery, a record;
 * with `card` pictures), `dataset` (with `card`) and `vectors`, and the limits.
 */
const choiceConfigSchema = z.strictObject({
  schema: z.literal(1),
  name: z.string(),
  title: z.string(),
  settings: z.record(z.string(), z.string().nullable()).default({}),
  gallery: z.string().optional(),
  labels: z.string().optional(),
  queries: z.string().optional(),
  queryLabels: z.string().optional(),
  images: z.string().optional(),
  card: z.string().optional(),
  modelFolder: z.string().optional(),
  dataset: z.string().optional().describe("a manifest of recognition, embedded with the card"),
  vectors: generatedVectors.optional().describe("drawn around centres instead of read"),
  limits,
  growTo: quantity.optional(),
  engines: z.string().optional(),
  budget: quantity.optional(),
  k: quantity.optional(),
  metric: z.enum(["inner-product", "l2"]).optional(),
  normalize: z.boolean().optional(),
  packed: z.boolean().optional(),
  seed: quantity.optional(),
});
export type ChoiceConfig = z.output<typeof choiceConfigSchema>;

const places = [
  "gallery",
  "labels",
  "queries",
  "queryLabels",
  "images",
  "card",
  "modelFolder",
  "dataset",
] as const;

/**
 * Reads the config of a choice; `--set settings.name=value` gives its settings, and paths are made
 * absolute.
 *
 * @throws UserError `schema`, `setting-missing`, `choice-source` where the vectors are named in no
 * way or in several.
 */
export async function loadChoiceConfig(
  file: string,
  assignments: readonly string[] = [],
): Promise<ChoiceConfig> {
  const path = resolve(file);
  const text = await readStrictText(path);
  const config = parseValue(yamlValue(text, file), file, choiceConfigSchema);
  requireOneSource(config, file);
  const settings = { ...config.settings, ...settingsOf(assignments) };
  const placed = places.flatMap((key) => {
    const given = config[key];
    return given === undefined ? [] : [[key, resolvePath(given, dirname(path), settings, file)]];
  });
  return { ...config, ...(Object.fromEntries(placed) as Partial<ChoiceConfig>) };
}

function requireOneSource({ gallery, dataset, vectors, card }: ChoiceConfig, file: string): void {
  const given = Object.entries({ gallery, dataset, vectors }).filter(([, v]) => v !== undefined);
  const lacking = dataset !== undefined && card === undefined;
  if (given.length === 1 && !lacking) return;
  throw new UserError({
    code: "choice-source",
    message: lacking
      ? "a data set is embedded with a card"
      : "the vectors of a choice have one source",
    file,
    expected: lacking ? "card" : "gallery, dataset or vectors",
    found: given.map(([key]) => key).join(", ") || "none",
    fix: lacking ? "add card: the card of an embedding model" : "name one of them",
  });
}

function settingsOf(assignments: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    assignments.map((assignment) => {
      const [, name, value] = /^settings\.([^=]+)=(.*)$/s.exec(assignment) ?? [];
      if (name !== undefined && value !== undefined) return [name, value];
      throw new UserError({
        code: "bad-set",
        message: "--set takes a setting of the config",
        expected: "settings.name=value",
        found: assignment,
      });
    }),
  );
}
