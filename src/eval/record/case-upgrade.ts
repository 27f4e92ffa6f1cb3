import { z } from "zod";
import {
  keptNeighbours,
  type Case,
  type CaseFound,
  type CaseNeighbour,
  type CaseTruth,
} from "./case.js";

/**
 * Rows of records whose neighbours, boxes and times were JSON texts, as they are written today.
 */

const number = z.number();
const text = z.string();
const neighbour = z.tuple([text, number, text.nullable()]);
const corners = [number, number, number, number] as const;
const truth = z.tuple([...corners, text.nullable()]).rest(text.nullable());
const found = z.union([
  z.tuple([...corners, number, text.nullable(), text]),
  z.tuple([...corners, number, text.nullable(), text, z.array(neighbour)]),
]);

const neighboursText = z.array(neighbour).transform(neighboursOf);
const boxesText = z
  .object({ truth: z.array(truth), found: z.array(found) })
  .transform(({ truth, found }) => ({ truth: truth.map(truthOf), found: found.map(foundOf) }));
const stagesText = z.record(text, number);

/**
 * One row in today's form; one that has it already is left as it is.
 *
 * @throws Error naming the item whose text is not the JSON that such a record holds
 */
export function upgradedCase(row: Case): Case {
  return {
    ...row,
    neighbours: parsed(row, "neighbours", neighboursText),
    boxes: parsed(row, "boxes", boxesText),
    stageMs: parsed(row, "stageMs", stagesText),
  };
}

function parsed<T>(row: Case, column: keyof Case, schema: z.ZodType<T, unknown>): T | null {
  const value: unknown = row[column];
  if (typeof value !== "string") return value as T | null;
  try {
    return schema.parse(JSON.parse(value));
  } catch {
    throw new Error(`"${column}" of "${row.item}" is not the JSON that a record holds`);
  }
}

function truthOf([x0, y0, x1, y1, label, stage = null]: z.infer<typeof truth>): CaseTruth {
  return { x0, y0, x1, y1, label, stage };
}

function foundOf([x0, y0, x1, y1, score, label, fate, list]: z.infer<typeof found>): CaseFound {
  return { x0, y0, x1, y1, score, label, fate, neighbours: list ? neighboursOf(list) : null };
}

function neighboursOf(list: readonly z.infer<typeof neighbour>[]): CaseNeighbour[] {
  return list.slice(0, keptNeighbours).map(([label, score, picture]) => ({
    label,
    score,
    picture,
  }));
}
