import * as aq from "arquero";
import { z } from "zod";
import { writeAtomic } from "../../pipeline/atomic-file.js";
import { UserError } from "../../pipeline/errors.js";
import { readRegular } from "../../pipeline/regular-file.js";
import { parseValue, unreadable } from "../../pipeline/schema.js";
import type { Box } from "../../pipeline/types.js";
import { readStrictText } from "../../pipeline/strict-text.js";
import type { TruthObject } from "../metrics/end-to-end/f1-evidence.js";
import type { CropEvidence, Neighbour } from "../metrics/end-to-end/waterfall-evidence.js";

/**
 * One query picture with all that F1, crop-recall, open-set curves and the loss waterfall are
 * computed from.
 */
export interface EvidenceImage {
  readonly image: string;
  readonly truth: readonly TruthObject[];
  /** Objects that the gallery lacks. */
  readonly unknown: readonly Box[];
  readonly crops: readonly CropEvidence[];
  /** The truth boxes as crops, in the order of `truth`; null where they were not run. */
  readonly oracle: readonly CropEvidence[] | null;
  /** Why there is no observation; null where there is one. */
  readonly unobserved: string | null;
}

/**
 * What of the evidence was measured: where it was not, `exact` neighbours are those of the index
 * under test.
 */
export interface Evidence {
  readonly images: readonly EvidenceImage[];
  /** Whether the crops' exact neighbours are known. */
  readonly exact: boolean;
  /** Whether those of the truth boxes are. */
  readonly oracleExact: boolean;
}

const box = z.object({ x0: z.number(), y0: z.number(), x1: z.number(), y1: z.number() });
const neighbour = z.object({ label: z.string(), score: z.number() }).nullable();
const crop = z.object({ box, whole: z.boolean(), exact: neighbour, found: neighbour });
const schema = z.object({
  schema: z.literal(1),
  exact: z.boolean(),
  oracleExact: z.boolean(),
  images: z.array(
    z.object({
      image: z.string(),
      truth: z.array(z.object({ label: z.string(), box })),
      unknown: z.array(box),
      crops: z.array(crop),
      oracle: z.array(crop).nullable(),
      unobserved: z.string().nullable(),
    }),
  ),
});

/** Writes evidence as JSON, or as an Arrow file where the name ends in `.arrow`. */
export async function writeEvidence(file: string, evidence: Evidence): Promise<void> {
  await writeAtomic(
    file,
    isArrow(file) ? evidenceToArrow(evidence) : `${JSON.stringify({ schema: 1, ...evidence })}\n`,
  );
}

/**
 * Reads it back, from either.
 *
 * @throws UserError `schema`, `json-syntax`, `evidence-broken` (no Arrow file, or one of other
 * columns), `duplicate-image`.
 */
export async function readEvidence(file: string): Promise<Evidence> {
  let value: unknown;
  if (isArrow(file)) {
    const bytes = await readRegular(file).catch((error: unknown) => {
      throw unreadable(file, error);
    });
    value = { schema: 1, ...evidenceFromArrow(bytes, file) };
  } else {
    const text = await readStrictText(file);
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw new UserError(
        {
          code: "json-syntax",
          message: (error as Error).message,
          file,
          fix: "give a file that --write-evidence wrote",
        },
        { cause: error },
      );
    }
  }
  const { images, exact, oracleExact } = parseValue(value, file, schema);
  const seen = new Set<string>();
  images.forEach((i, place) => {
    if (seen.has(i.image))
      throw new UserError({
        code: "duplicate-image",
        message: `${i.image} is listed twice`,
        file,
        path: `images[${place}]`,
        fix: "list each picture once",
      });
    seen.add(i.image);
    if (i.oracle && i.oracle.length !== i.truth.length)
      throw new UserError({
        code: "schema",
        message: "the truth boxes as crops are not as many as the objects",
        file,
        path: `images[${place}].oracle`,
        expected: String(i.truth.length),
        found: String(i.oracle.length),
      });
  });
  return { images, exact, oracleExact };
}

function isArrow(file: string): boolean {
  return file.endsWith(".arrow");
}

/** One row of the table: a picture, followed by what belongs to it. */
interface Row {
  image: string;
  role: "picture" | "object" | "unknown" | "crop" | "oracle";
  x0: number | null;
  y0: number | null;
  x1: number | null;
  y1: number | null;
  /** Of an object; of a crop, its first neighbour from the index under test. */
  label: string | null;
  score: number | null;
  exactLabel: string | null;
  exactScore: number | null;
  /** Of a crop: whether it is the added whole picture. */
  whole: boolean | null;
  /**
   * Of a picture: whether exact neighbours, truth boxes, and exact neighbours of these were
   * measured.
   */
  exact: boolean | null;
  oracle: boolean | null;
  oracleExact: boolean | null;
  unobserved: string | null;
}

const columns = [
  "image",
  "role",
  "x0",
  "y0",
  "x1",
  "y1",
  "label",
  "score",
  "exactLabel",
  "exactScore",
  "whole",
  "exact",
  "oracle",
  "oracleExact",
  "unobserved",
] as const satisfies readonly (keyof Row)[];

function evidenceToArrow({ images, exact, oracleExact }: Evidence): Uint8Array {
  const rows = images.flatMap((i): Row[] => {
    const row = (role: Row["role"], of: Partial<Row>): Row => ({
      image: i.image,
      role,
      x0: null,
      y0: null,
      x1: null,
      y1: null,
      label: null,
      score: null,
      exactLabel: null,
      exactScore: null,
      whole: null,
      exact: null,
      oracle: null,
      oracleExact: null,
      unobserved: null,
      ...of,
    });
    const cropRow = (role: "crop" | "oracle", c: CropEvidence): Row =>
      row(role, {
        ...c.box,
        whole: c.whole,
        label: c.found?.label ?? null,
        score: c.found?.score ?? null,
        exactLabel: c.exact?.label ?? null,
        exactScore: c.exact?.score ?? null,
      });
    return [
      row("picture", { exact, oracle: i.oracle !== null, oracleExact, unobserved: i.unobserved }),
      ...i.truth.map((t) => row("object", { ...t.box, label: t.label })),
      ...i.unknown.map((b) => row("unknown", b)),
      ...i.crops.map((c) => cropRow("crop", c)),
      ...(i.oracle ?? []).map((c) => cropRow("oracle", c)),
    ];
  });
  const bytes = aq
    .table(Object.fromEntries(columns.map((name) => [name, rows.map((r) => r[name])])), [
      ...columns,
    ])
    .toArrowIPC({ format: "file" });
  if (!bytes) throw new Error("arquero gave no Arrow bytes");
  return bytes;
}

function evidenceFromArrow(bytes: Uint8Array, file: string): Evidence {
  const broken = (message: string): UserError =>
    new UserError({
      code: "evidence-broken",
      message,
      file,
      expected: `an Arrow file with the columns ${columns.join(", ")}`,
      fix: "give a file that --write-evidence wrote",
    });
  let rows: Row[];
  try {
    const table = aq.fromArrow(bytes);
    const lacking = columns.find((name) => !table.columnNames().includes(name));
    if (lacking !== undefined) throw new Error(`it has no column ${lacking}`);
    rows = table.objects() as Row[];
  } catch (error) {
    throw broken((error as Error).message);
  }
  type Open = Omit<EvidenceImage, "truth" | "unknown" | "crops" | "oracle"> & {
    truth: TruthObject[];
    unknown: Box[];
    crops: CropEvidence[];
    oracle: CropEvidence[] | null;
  };
  const images: Open[] = [];
  rows.forEach((r, place) => {
    if (r.role === "picture") {
      images.push({
        image: r.image,
        truth: [],
        unknown: [],
        crops: [],
        oracle: r.oracle ? [] : null,
        unobserved: r.unobserved,
      });
      return;
    }
    const at = images.at(-1);
    if (at?.image !== r.image)
      throw broken(`row ${place + 1} does not follow the row of its picture ${r.image}`);
    const where: Box = { x0: r.x0!, y0: r.y0!, x1: r.x1!, y1: r.y1! };
    const near = (label: string | null, score: number | null): Neighbour | null =>
      label === null ? null : { label, score: score! };
    const crop = (): CropEvidence => ({
      box: where,
      whole: r.whole!,
      exact: near(r.exactLabel, r.exactScore),
      found: near(r.label, r.score),
    });
    if (r.role === "object") at.truth.push({ label: r.label!, box: where });
    else if (r.role === "unknown") at.unknown.push(where);
    else if (r.role === "crop") at.crops.push(crop());
    else (at.oracle ??= []).push(crop());
  });
  const first = rows.find((r) => r.role === "picture");
  return { images, exact: first?.exact ?? false, oracleExact: first?.oracleExact ?? false };
}
