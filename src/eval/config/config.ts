// config/: the text of an experiment or a manifest in, checked settings with absolute paths out. It
// never sees a model's answer.
import { dirname, isAbsolute, resolve } from "node:path";
import { z } from "zod";
import { UserError } from "../../pipeline/errors.js";
import { engineNames, runParameters } from "../../pipeline/index/engine.js";
import { protocols } from "../../pipeline/protocol.js";
import { parseValue, yamlValue } from "../../pipeline/schema.js";
import { readStrictText } from "../../pipeline/strict-text.js";
import { intervalsSchema } from "./intervals.js";

/**
 * Experiment configs: YAML, strict, with `extends`, `settings` for places that differ by machine,
 * and `--set a.b=c`.
 */

const number = z.number();
const sweep = <T extends z.ZodType>(of: T) => z.union([of, z.array(of).min(1)]);

const modelRef = z.union([
  z.string(),
  z.strictObject({
    card: z.string().describe("path of the model card"),
    folder: z
      .string()
      .optional()
      .describe("folder of the model file, where the card is kept apart from it"),
    name: z.string().min(1).optional().describe("what records call it; left out: the card's name"),
  }),
]);

/** One value of a run-time parameter, or several to sweep over. */
type Swept = number | readonly number[];

const parameterKeys = Object.fromEntries(
  runParameters.map(({ name, what, least, most }) => [
    name,
    sweep(z.number().int().min(least).max(most)).optional().describe(what),
  ]),
);

const indexSpec = z
  .strictObject({
    engine: z.enum(engineNames).default("faiss"),
    factory: z
      .string()
      .describe(
        "Flat, IVF (PaddleClas's number of lists), IVF1024, HNSW32, or a Faiss factory string",
      ),
    ...parameterKeys,
  })
  .transform(({ engine, factory, ...given }) => ({
    engine: engine as string,
    factory: factory as string,
    parameters: given as unknown as Readonly<Record<string, Swept | undefined>>,
  }));

const detection = z.strictObject({
  kind: z.literal("detection"),
  models: z.array(modelRef).min(1),
  datasets: z.array(z.string()).min(1),
  agnostic: z.boolean().default(true).describe("all classes are one: main-body detection"),
});

const retrieval = z.strictObject({
  kind: z.literal("retrieval"),
  models: z.array(modelRef).min(1),
  datasets: z.array(z.string()).min(1),
  codes: z
    .array(z.enum(["real", "sign", "round"]))
    .min(1)
    .default(["real"]),
  indexes: z.array(indexSpec).min(1),
  k: z.array(z.number().int().positive()).min(1).default([1, 5]),
});

const system = z.strictObject({
  name: z.string(),
  detector: modelRef,
  embedder: modelRef,
  index: indexSpec,
});

const latency = z.strictObject({
  kind: z.literal("latency"),
  systems: z
    .array(
      system.extend({
        gallery: z.string().describe("data set whose gallery is searched"),
        distractors: z
          .number()
          .int()
          .nonnegative()
          .default(0)
          .describe("drawn vectors that fill the gallery up, for its cost at a size"),
      }),
    )
    .min(1),
  images: z.string().describe("data set whose pictures are the queries"),
  threads: z.number().int().positive().default(1),
  warmup: z.number().int().nonnegative().default(5).describe("pictures before the first sample"),
  samples: z
    .number()
    .int()
    .positive()
    .default(64)
    .describe("pictures timed stage by stage, one after the other"),
  offline: z
    .strictObject({
      pictures: z
        .number()
        .int()
        .positive()
        .default(64)
        .describe("in one round, all there at its start"),
      rounds: z.number().int().positive().default(8),
    })
    .optional()
    .describe("throughput (LoadGen's Offline); left out: not measured"),
  server: z
    .strictObject({
      boundMs: z.number().positive().describe("latency bound, from scheduled arrival to answer"),
      percentile: z
        .number()
        .gt(0)
        .lt(1)
        .default(0.99)
        .describe("share of the queries that must be answered within the bound"),
      queries: z
        .number()
        .int()
        .nonnegative()
        .default(0)
        .describe(
          "at each rate; at least 400, and at least what early stopping needs with none over " +
            "the bound: 459 for 0.99",
        ),
      ratio: z
        .number()
        .gt(1)
        .default(1.05)
        .describe("the search ends where the rates met and not met are so close"),
      mostRuns: z.number().int().positive().default(20),
      mostSeconds: z
        .number()
        .positive()
        .default(600)
        .describe("for the search of one system; a rate that would take longer is not tried"),
    })
    .optional()
    .describe(
      "highest Poisson arrival rate within a latency bound (LoadGen's Server); left out: not " +
        "measured",
    ),
  coldStart: z
    .strictObject({
      processes: z
        .number()
        .int()
        .positive()
        .default(6)
        .describe("six is the least that gives an interval"),
    })
    .optional()
    .describe(
      "start, model load, first picture and peak memory of fresh processes; left out: not measured",
    ),
  comparison: z
    .strictObject({
      rounds: z
        .number()
        .int()
        .positive()
        .default(100)
        .describe("in each, every system is run twice, in an order drawn anew"),
      relevantEffect: z
        .number()
        .positive()
        .default(0.05)
        .describe("the smallest change that matters, as a share: 0.05 is 5%"),
    })
    .optional()
    .describe(
      "the systems interleaved, each against itself (the noise certificate) and against the " +
        "others; left out: not measured",
    ),
});

const pipeline = z.strictObject({
  kind: z.literal("pipeline"),
  systems: z.array(system).min(1),
  datasets: z.array(z.string()).min(1),
  threshold: z
    .number()
    .optional()
    .describe("of the waterfall; left out: PP-ShiTu's 0.5 (100 bits for codes)"),
});

const classification = z.strictObject({
  kind: z.literal("classification"),
  models: z.array(modelRef).min(1),
  datasets: z.array(z.string()).min(1),
});

export const generatedVectors = z.strictObject({
  rows: z.number().int().positive().describe("gallery vectors"),
  dim: z.number().int().positive(),
  queries: z.number().int().positive(),
  labels: z.number().int().positive().describe("clusters that the vectors are drawn around"),
  spread: z
    .number()
    .positive()
    .default(1)
    .describe("distance from the centre, as a share of the centre's length"),
  seed: z.union([z.string(), z.number()]).default("generated"),
});

const features = z.strictObject({
  name: z
    .string()
    .optional()
    .describe("how the vectors are called in the record; left out: the gallery's file name"),
  gallery: z
    .string()
    .describe(
      "features, one row a picture: .npy, .fvecs or .arrow (codes: .npy, .bvecs or .arrow)",
    ),
  galleryList: z
    .string()
    .describe("PaddleClas list of the same rows: path, label and, where there is one, uid"),
  query: z
    .string()
    .optional()
    .describe(
      "features of the queries; left out with queryList: the gallery is searched with " +
        "itself, each row left out of its own ranking",
    ),
  queryList: z.string().optional(),
  packed: z
    .boolean()
    .default(false)
    .describe("the rows are codes already, most significant bit first"),
  normalize: z.boolean().default(false).describe("scale each vector to length 1 first"),
});

const index = z
  .strictObject({
    kind: z.literal("index"),
    vectors: generatedVectors
      .optional()
      .describe("vectors that are drawn, of any size; either these or features"),
    features: features.optional().describe("your own vectors, from files"),
    codes: z
      .array(z.enum(["real", "sign", "round"]))
      .min(1)
      .default(["real"]),
    indexes: z.array(indexSpec).min(1),
    k: z.array(z.number().int().positive()).min(1).default([1, 10]),
    comparison: z
      .strictObject({
        rounds: z.number().int().min(6).default(60).describe("in each, every index answers twice"),
      })
      .optional()
      .describe("all indexes in the same rounds, one thread; left out: not measured"),
  })
  .refine((m) => (m.vectors === undefined) !== (m.features === undefined), {
    error: "give either vectors (drawn) or features (from files)",
  });

const network = z.strictObject({
  kind: z.literal("network"),
  networks: z
    .array(
      z.strictObject({
        network: z.string().describe("a name of `shitu networks`, such as pp-lcnet-0.25x"),
        name: z.string().optional().describe("what records call it; left out: its own name"),
        int8: z.boolean().default(false),
      }),
    )
    .min(1),
  seed: z.number().int().nonnegative().default(1).describe("of the drawn weights"),
  latency: z
    .strictObject({
      threads: z
        .array(z.union([z.number().int().positive(), z.literal("all")]))
        .min(1)
        .default([1])
        .describe("inside an operator; all: the machine's cores"),
      rounds: z.number().int().min(6).default(30).describe("in each, every network runs twice"),
    })
    .optional()
    .describe("batch 1, all networks interleaved; left out: not measured"),
});

const expected = z.strictObject({
  cell: z
    .record(z.string(), z.string())
    .describe("labels that tell the cell from the others; its kind may be given as `kind`"),
  metric: z.string(),
  of: z
    .record(z.string(), z.string())
    .optional()
    .describe("what the score is of beyond its cell, such as { stage: detect }"),
  value: number,
  tolerance: z
    .number()
    .nonnegative()
    .describe("largest difference that passes, in the unit of the score"),
});

const names = z.record(z.string(), z.string());

const paper = z.strictObject({
  model: names
    .optional()
    .describe(
      "label `model` -> the paper's name of it; left out: our labels are the paper's names",
    ),
  codes: names.optional().describe("the same for cells that have codes and no model"),
  system: names.optional(),
  dataset: names.optional(),
  where: z
    .record(z.string(), z.array(z.string()).min(1))
    .default({})
    .describe("labels that a cell must have to stand beside the paper's"),
  notComparable: z
    .string()
    .optional()
    .describe("why our numbers may only be shown beside the paper's"),
});

export const configSchema = z.strictObject({
  schema: z.literal(1),
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, {
    error: "expected kebab-case: lower case letters, digits, dashes",
  }),
  title: z.string(),
  version: z.number().int().positive().default(1),
  protocol: z.enum(protocols).default("standard"),
  table: z
    .number()
    .int()
    .min(3)
    .max(9)
    .optional()
    .describe("the paper's table that this config reproduces"),
  paper: paper.optional().describe("how our cells are named there"),
  settings: z.record(z.string(), z.string().nullable()).default({}),
  intervals: intervalsSchema.optional(),
  measure: z
    .array(
      z.discriminatedUnion("kind", [
        detection,
        retrieval,
        latency,
        pipeline,
        classification,
        index,
        network,
      ]),
    )
    .min(1),
  expect: z.array(expected).default([]),
});

export type ExperimentConfig = z.infer<typeof configSchema>;
export type Measurement = ExperimentConfig["measure"][number];
export type DetectionMeasurement = Extract<Measurement, { kind: "detection" }>;
export type RetrievalMeasurement = Extract<Measurement, { kind: "retrieval" }>;
export type LatencyMeasurement = Extract<Measurement, { kind: "latency" }>;
export type PipelineMeasurement = Extract<Measurement, { kind: "pipeline" }>;
export type ClassificationMeasurement = Extract<Measurement, { kind: "classification" }>;
export type IndexMeasurement = Extract<Measurement, { kind: "index" }>;
export type NetworkMeasurement = Extract<Measurement, { kind: "network" }>;
export type SystemSpec = z.infer<typeof system>;
export type IndexSpec = z.infer<typeof indexSpec>;
export type PaperNames = z.infer<typeof paper>;

/** A config with what its paths are relative to. */
export interface LoadedConfig {
  readonly file: string;
  readonly folder: string;
  readonly config: ExperimentConfig;
}

/**
 * The schema for editors (JSON Schema 2020-12), written to configs/schema.json. A config that
 * extends another may leave out what that one has.
 */
export function configJsonSchema(): unknown {
  const { properties, required, ...schema } = z.toJSONSchema(configSchema, { io: "input" });
  return {
    title: "ShiTu Bench experiment config",
    ...schema,
    properties: {
      extends: {
        type: "string",
        description:
          "path of the config to begin from: mappings merge key by key, lists are replaced",
      },
      ...properties,
    },
    anyOf: [{ required: ["extends"] }, { required }],
  };
}

/**
 * Reads a config: what it `extends` first (mappings merge key by key, lists are replaced), then
 * `--set` assignments such as `settings.photos=../photos` or `measure.0.agnostic=false`, then the
 * strict schema.
 */
export async function loadConfig(
  file: string,
  assignments: readonly string[] = [],
): Promise<LoadedConfig> {
  const path = resolve(file);
  const raw = await readExtended(path, []);
  for (const assignment of assignments) assign(raw, assignment, file);
  return { file: path, folder: dirname(path), config: parseValue(raw, file, configSchema) };
}

type Mapping = Record<string, unknown>;

async function readExtended(file: string, chain: readonly string[]): Promise<Mapping> {
  if (chain.includes(file)) {
    throw new UserError({
      code: "config-cycle",
      message: "extends goes round in a circle",
      file,
      found: [...chain, file].join(" -> "),
      fix: "break the circle",
    });
  }
  const text = await readStrictText(file);
  const value = yamlValue(text, file);
  if (!isMapping(value)) {
    throw new UserError({
      code: "schema",
      message: "an experiment config is a mapping",
      file,
      found: value === null ? "an empty file" : Array.isArray(value) ? "a list" : typeof value,
    });
  }
  const { extends: parent, ...own } = value;
  if (parent === undefined) return own;
  if (typeof parent !== "string")
    throw new UserError({
      code: "schema",
      message: "extends takes one path",
      file,
      path: "extends",
      expected: "a string",
      found: typeof parent,
    });
  return merge(await readExtended(resolve(dirname(file), parent), [...chain, file]), own);
}

function isMapping(value: unknown): value is Mapping {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function merge(base: Mapping, over: Mapping): Mapping {
  const merged: Mapping = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const before = merged[key];
    merged[key] = isMapping(before) && isMapping(value) ? merge(before, value) : value;
  }
  return merged;
}

function assign(config: Mapping, assignment: string, file: string): void {
  const at = assignment.indexOf("=");
  if (at < 1)
    throw new UserError({ code: "bad-set", message: "--set takes a.b=value", found: assignment });
  const keys = assignment.slice(0, at).split(".");
  // The value is YAML, so that numbers, lists and null can be given; settings stay text.
  const text = assignment.slice(at + 1);
  const value = keys[0] === "settings" ? text : yamlValue(text, `--set ${keys.join(".")}`);
  let place: unknown = config;
  keys.forEach((key, depth) => {
    // A list takes its own places and the one after them: no hole, however large the number.
    const inList = Array.isArray(place) && /^\d{1,9}$/.test(key) && Number(key) <= place.length;
    if (key === "__proto__" || (!isMapping(place) && !inList)) {
      throw new UserError({
        code: "bad-set",
        message: `--set ${keys.join(".")}: no such place`,
        file,
        path: keys.slice(0, depth).join("."),
        expected: "a mapping or a list",
      });
    }
    const holder = place as Record<string, unknown>;
    if (depth === keys.length - 1) holder[key] = value;
    else place = holder[key] ??= {};
  });
}

/**
 * A path in a config or manifest: `${name}` stands for a setting, what is not absolute is relative
 * to `folder`.
 *
 * @throws UserError `setting-missing` that names the setting and how to give it.
 */
export function resolvePath(
  path: string,
  folder: string,
  settings: Readonly<Record<string, string | null>>,
  file: string,
): string {
  const filled = path.replace(/\$\{([^}]*)\}/g, (_, name: string) => {
    const value = settings[name];
    if (value === undefined || value === null) {
      throw new UserError({
        code: "setting-missing",
        message: `the setting ${name} has no value`,
        file,
        path: `settings.${name}`,
        fix: `give it: --set settings.${name}=FOLDER`,
      });
    }
    return value;
  });
  if (isAbsolute(filled)) return filled;
  // A setting is given on the command line or in the config, so a path that starts with one is
  // relative to where the user stands.
  return path.startsWith("${") ? resolve(filled) : resolve(folder, filled);
}
