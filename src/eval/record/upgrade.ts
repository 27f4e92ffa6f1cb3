import { defaultIntervals } from "../stats/interval-plan.js";

/** Records of earlier versions, brought to the present one step by step as they are read. */

export const recordSchemaVersion = 2;

type Json = Record<string, unknown>;

/**
 * A record as this version writes it. What is no record stays as it is, for the schema to say what
 * is wrong with it.
 */
export function upgradeRecord(record: unknown): unknown {
  return isMapping(record) && record.schema === 1 ? namedIntervals(record) : record;
}

/**
 * Version 1 kept `ci: [low, high]` and a `method` in words, and no level: 95%, but where the method
 * says another.
 */
function namedIntervals(record: Json): Json {
  const { experiment, cells } = record;
  return {
    ...record,
    schema: 2,
    experiment: isMapping(experiment) ? { intervals: defaultIntervals, ...experiment } : experiment,
    cells: Array.isArray(cells) ? cells.map(upgradeCell) : cells,
  };
}

function upgradeCell(cell: unknown): unknown {
  if (!isMapping(cell) || !Array.isArray(cell.scores)) return cell;
  return { ...cell, scores: cell.scores.map(upgradeScore) };
}

function upgradeScore(score: unknown): unknown {
  if (!isMapping(score) || score.value === null || !("ci" in score)) return score;
  const { ci, method, ...rest } = score;
  if (!Array.isArray(ci))
    return { ...rest, interval: ci, ...(method !== undefined && { whyNoInterval: method }) };
  const words = typeof method === "string" ? method : "not named";
  const [low, high] = ci as unknown[];
  const interval = {
    low,
    high,
    level: levelIn(words),
    method: words,
    units: unitsIn(words, rest.n),
  };
  return { ...rest, interval };
}

/** `order statistics of the rounds' ratios, 98.3%`, `met at 99% confidence`. */
function levelIn(method: string): number {
  const percent = /([\d.]+)%/.exec(method)?.[1];
  return percent === undefined ? defaultIntervals.level : Number(percent) / 100;
}

/** `bootstrap-standard-error over 40 images`; else the items of the score. */
function unitsIn(method: string, n: unknown): unknown {
  const counted = /over (\d+) /.exec(method)?.[1];
  return counted === undefined ? n : Number(counted);
}

function isMapping(value: unknown): value is Json {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
