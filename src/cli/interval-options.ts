import type { Command } from "commander";
import { defaultIntervals, type IntervalPlan } from "../eval/stats/interval-plan.js";
import { UserError } from "../pipeline/errors.js";
import { choice, finite, whole } from "./options.js";

/** The options of every verb that makes intervals. */
export interface IntervalOptions {
  readonly level?: string;
  readonly resamples?: string;
  readonly seed?: string;
  readonly clusters?: string;
}

/** @param clusters whether the verb knows labels to draw by. */
export function addIntervalOptions(command: Command, { clusters = false } = {}): Command {
  const { level, resamples, seed } = defaultIntervals;
  command
    .option("--level <p>", `confidence of intervals and tests (default: ${level})`)
    .option("--resamples <n>", `draws of a bootstrap (default: ${resamples})`)
    .option("--seed <n>", `seed of all draws (default: ${seed})`);
  if (clusters)
    command.option(
      "--clusters <unit>",
      "what intervals take as independent: item, or label (a bootstrap over labels)",
      defaultIntervals.clusters,
    );
  return command;
}

/** The plan that the options ask for; what was left out is as the defaults say. */
export function intervalPlan(options: IntervalOptions): IntervalPlan {
  const { level, resamples, seed, clusters } = options;
  return {
    ...defaultIntervals,
    ...(level !== undefined && { level: confidence(level) }),
    ...(resamples !== undefined && { resamples: whole("--resamples", resamples, 2) }),
    ...(seed !== undefined && { seed: whole("--seed", seed, 0) }),
    ...(clusters !== undefined && {
      clusters: choice("--clusters", clusters, ["item", "label"]),
    }),
  };
}

function confidence(text: string): number {
  const level = finite("--level", text);
  if (level > 0.5 && level < 1) return level;
  throw new UserError({
    code: "bad-option",
    message: "--level takes a confidence",
    expected: "a number above 0.5 and below 1, such as 0.95",
    found: text,
  });
}
