import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../../pipeline/errors.js";
import { projectRoot } from "../../pipeline/root.js";
import { readYaml } from "../../pipeline/schema.js";
import { defaultIntervals } from "../stats/interval-plan.js";
import { changes, type Change } from "./change.js";
import type { Limit } from "./limits.js";
import { measures } from "./measures.js";

/** A gate's limits, as a YAML file: `configs/gates/` holds ready ones. */

const number = z.number();
const byChange = z
  .strictObject({ same: number, fp16: number, int8: number, retrained: number })
  .partial()
  .describe("by kind of change; a kind that is left out has no limit");
const limit = z.union([number, byChange], {
  error: "expected a number, or numbers by kind of change (same, fp16, int8, retrained)",
});

const gateSchema = z.strictObject({
  schema: z.literal(1),
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, { error: "expected kebab-case" }),
  title: z.string(),
  task: z
    .enum(["detection", "recognition", "classification", "system"])
    .describe("system: a detector, an embedder or both, inside the whole pipeline"),
  change: z
    .enum([...changes, "auto"])
    .default("auto")
    .describe("what was done to the model; auto tells int8 and fp16 from the files"),
  level: z
    .number()
    .gt(0.5)
    .lt(1)
    .default(defaultIntervals.level)
    .describe("confidence of a pass, and of a fail"),
  clusters: z
    .enum(["item", "label"])
    .default(defaultIntervals.clusters)
    .describe("what counts as independent: each item, or all items of one label together"),
  cannotTell: z
    .enum(["fail", "pass"])
    .default("fail")
    .describe("exit code where the sample is too small to tell: fail is 1, pass is 0"),
  limits: z
    .record(z.string(), limit)
    .refine((l) => Object.keys(l).length > 0, "expected one limit at least")
    .describe("by measure: how much may be lost, or the least or most that is accepted"),
  agnostic: z
    .union([z.boolean(), z.literal("auto")])
    .default("auto")
    .describe("detection: all classes are one; auto: where the model has one class only"),
  threshold: z
    .number()
    .optional()
    .describe("system: score that an answer needs; left out: PP-ShiTu's 0.5, or distance 100"),
  index: z
    .string()
    .default("Flat")
    .describe("system: index of the gallery, a factory string, the same on both sides"),
  sample: z
    .int()
    .positive()
    .default(256)
    .describe("pictures whose outputs are compared number by number, the first of the list"),
  latency: z
    .strictObject({
      rounds: z.int().min(10).default(60).describe("in each, both run once and the baseline again"),
      pictures: z.int().positive().default(8),
      relevantEffect: z.number().positive().default(0.05),
    })
    .optional()
    .describe("left out: no times are measured"),
  coldStart: z
    .strictObject({ processes: z.int().min(1).default(10) })
    .optional()
    .describe("fresh processes a side: start and peak memory; left out: not measured"),
});

export type GateConfig = Omit<z.output<typeof gateSchema>, "limits" | "change"> & {
  readonly limits: Readonly<Record<string, Limit>>;
  readonly change: Change | "auto";
};

const ready = join(projectRoot, "configs", "gates");

/** The ready config of a task. */
export function readyConfig(task: GateConfig["task"]): string {
  return join(ready, `${task}.yaml`);
}

/**
 * Reads a gate's config.
 * @throws UserError `schema`, `gate-measure` for a limit that no task or another task has, and
 * those of reading a file.
 */
export async function loadGateConfig(file: string): Promise<GateConfig> {
  const config = await readYaml(file, gateSchema);
  for (const name of Object.keys(config.limits)) checkMeasure(name, config.task, file);
  return config as GateConfig;
}

function checkMeasure(name: string, task: GateConfig["task"], file: string): void {
  const known = measures.filter((m) => m.tasks.includes(task)).map((m) => m.name);
  if (known.includes(name)) return;
  throw new UserError({
    code: "gate-measure",
    message: `a gate for ${task} has no such measure`,
    file,
    path: `limits.${name}`,
    expected: known.join(", "),
    found: name,
    fix: "correct the name, or remove the limit",
  });
}
