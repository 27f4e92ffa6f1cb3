import { z } from "zod";
import type { Case } from "./case.js";
import { cellSchema, type Cell } from "./record.js";

/** What a finished cell leaves behind until the record is written. */
export interface FinishedCell {
  readonly cell: Cell;
  readonly cases: readonly Case[];
  /** Samples by name, in the order taken: ms, or bytes where `unitOfSamples` says so. */
  readonly samples?: Readonly<Record<string, readonly number[]>>;
  /** Curves by name, such as precision over recall. */
  readonly curves?: Readonly<Record<string, readonly number[]>>;
  /** Image root by data set, relative to the project, so that reports can show pictures. */
  readonly imageRoots?: Readonly<Record<string, string>>;
}

const number = z.number();
const text = z.string();
const corners = { x0: number, y0: number, x1: number, y1: number };
const neighbours = z
  .array(z.strictObject({ label: text, score: number, picture: text.nullable() }))
  .nullable();

const caseSchema = z.strictObject({
  cell: text,
  item: text,
  image: text.nullable(),
  outcome: z.enum(["hit", "miss", "junk", "error", "none"]),
  truth: text.nullable(),
  prediction: text.nullable(),
  score: number.nullable(),
  rank: number.nullable(),
  neighbours,
  boxes: z
    .strictObject({
      truth: z.array(
        z.strictObject({ ...corners, label: text.nullable(), stage: text.nullable() }),
      ),
      found: z.array(
        z.strictObject({
          ...corners,
          score: number,
          label: text.nullable(),
          fate: text,
          neighbours,
        }),
      ),
    })
    .nullable(),
  width: number.nullable(),
  height: number.nullable(),
  lostAt: text.nullable(),
  stageMs: z.record(text, number).nullable(),
}) satisfies z.ZodType<Case>;

const numbers = z.record(text, z.array(number)).optional();

/** A finished cell as a run keeps it. */
export const finishedCellSchema = z
  .strictObject({
    cell: cellSchema,
    cases: z.array(caseSchema),
    samples: numbers,
    // What is no number is null in JSON, as it is in the record's own file of curves.
    curves: z.record(text, z.array(number.nullable())).optional(),
    imageRoots: z.record(text, text).optional(),
  })
  .transform((done) => done as FinishedCell);
