import { stat } from "node:fs/promises";
import { codeBits, codeNotes } from "../../datasets/formats/code-bits.js";
import { lintLists, type Finding } from "../../datasets/formats/list-linter.js";
import type { ImageList, ListOptions } from "../../datasets/formats/paddleclas-list.js";
import { readListPart } from "../../datasets/formats/released-list.js";
import { readCodes, readVectors } from "../../datasets/formats/vector-file.js";
import { normalizeRows, requireFit, unevenNorms } from "../eval/observe/feature-rows.js";
import { paddleclasCodes } from "../eval/metrics/retrieval/paddleclas-codes.js";
import type { RetrievalInput } from "../eval/metrics/retrieval/ranking.js";
import { binarise } from "../pipeline/index/binarise.js";
import { UserError } from "../pipeline/errors.js";
import type { Rules } from "../pipeline/protocol.js";
import type { Codes, Vectors } from "../pipeline/types.js";
import { pictureProblem } from "./picture-problem.js";

/** The rules by which files are read, before anything is ranked. */
type ReadingRules = Pick<Rules, "labels" | "codes">;

export function isSameReading(one: ReadingRules, other: ReadingRules): boolean {
  return one.labels === other.labels && one.codes === other.codes;
}

export type BinaryForm = "sign" | "round" | "packed";

/** Files and how to read them, as the command line gave them. */
export interface RetrievalFiles {
  readonly gallery: string;
  readonly galleryList: string;
  /** Both or neither. */
  readonly query?: string;
  readonly queryList?: string;
  readonly trainList?: string;
  /** Image root: look whether each listed picture is there. */
  readonly images?: string;
  readonly leaveOneOut: boolean;
  /** Gallery pictures of this label are held against no query (Market-1501's -1). */
  readonly junkLabel?: string;
  readonly rules: ReadingRules;
  readonly binary?: BinaryForm;
  readonly normalize: boolean;
  readonly list: Pick<ListOptions, "delimiter" | "columns">;
}

export interface LoadedRetrieval {
  readonly input: RetrievalInput;
  /** How two rows are compared, for people. */
  readonly similarity: string;
  readonly galleryList: ImageList;
  readonly queryList: ImageList;
  readonly findings: readonly Finding[];
  /** What else a reader of the numbers should know. */
  readonly warnings: readonly string[];
}

/**
 * Reads features and lists, checks that they belong together, and lints the lists. What would make
 * the numbers meaningless is refused.
 *
 * @throws UserError `retrieval-query` (leave one out and queries, or neither), the code of a list
 * finding that is an error, `rows-mismatch` (features and list differ in length), `code-bits`,
 * `zero-vector`, and what the readers throw.
 */
export async function loadRetrieval(files: RetrievalFiles): Promise<LoadedRetrieval> {
  checkSides(files);
  const options: ListOptions = { ...files.list, labels: files.rules.labels };
  const galleryList = await readListPart(files.galleryList, "gallery", options);
  const queryList = files.leaveOneOut
    ? galleryList
    : await readListPart(files.queryList!, "query", options);
  const train =
    files.trainList === undefined
      ? undefined
      : await readListPart(files.trainList, "train", options);
  const findings = await lintLists({
    gallery: galleryList,
    ...(!files.leaveOneOut && { query: queryList }),
    ...(train && { train }),
    ...(files.images !== undefined && {
      problemOf: ({ path }) => pictureProblem(files.images!, path, { decoded: false }),
    }),
  });
  refuseErrors(findings);
  const galleryRows = await readRows(files.gallery, files.binary === "packed");
  const same =
    // what is wrong with the query file, its reader says
    files.leaveOneOut || (await isSameFile(files.query!, files.gallery).catch(() => false));
  const queryRows = same ? galleryRows : await readRows(files.query!, files.binary === "packed");
  requireFit(files.gallery, galleryRows, galleryList);
  if (!files.leaveOneOut) {
    requireFit(files.query!, queryRows, queryList);
    if (same && !(queryList.columns === 3 && galleryList.columns === 3))
      throw sameFeatures(files.query!, files.gallery);
  }
  const warnings: string[] = [];
  const held = withoutJunk(galleryList, galleryRows, files, warnings);
  const prepared = prepare(files.gallery, held.rows, files, warnings);
  const input: RetrievalInput = {
    gallery: prepared,
    queries: same ? prepared : prepare(files.query!, queryRows, files, warnings),
    galleryLabels: held.list.rows.map((r) => r.label),
    queryLabels: queryList.rows.map((r) => r.label),
    ...(galleryList.columns === 3 && { galleryUids: held.list.rows.map((r) => r.uid!) }),
    ...(queryList.columns === 3 && { queryUids: queryList.rows.map((r) => r.uid!) }),
    leaveOneOut: files.leaveOneOut,
  };
  return {
    input,
    similarity: similarityOf(prepared, files),
    galleryList: held.list,
    queryList,
    findings,
    warnings,
  };
}

/** The gallery without the pictures that no query may be held against. */
function withoutJunk(
  list: ImageList,
  rows: Vectors | Codes,
  { junkLabel, leaveOneOut }: RetrievalFiles,
  warnings: string[],
): { list: ImageList; rows: Vectors | Codes } {
  if (junkLabel === undefined) return { list, rows };
  if (leaveOneOut)
    throw new UserError({
      code: "bad-option",
      message: "--junk-label is of a gallery with queries of its own",
      found: "--leave-one-out",
      fix: "take these rows out of features and list",
    });
  const kept = list.rows.flatMap((row, i) => (row.label === junkLabel ? [] : [i]));
  const left = list.rows.length - kept.length;
  warnings.push(`${left} gallery pictures of label ${junkLabel} were left out as junk`);
  const width = "bits" in rows ? rows.bits / 8 : rows.dim;
  const data = rows.data.slice(0, kept.length * width);
  kept.forEach((from, to) => {
    data.set(rows.data.subarray(from * width, (from + 1) * width), to * width);
  });
  const whole = { ...list, rows: kept.map((i) => list.rows[i]!) };
  return { list: whole, rows: { ...rows, data } as Vectors | Codes };
}

function similarityOf(rows: Vectors | Codes, { binary, normalize }: RetrievalFiles): string {
  if ("bits" in rows) return `Hamming distance of ${rows.bits} bits`;
  const what =
    binary === "sign"
      ? "signs"
      : binary === "round"
        ? "rounded values"
        : normalize
          ? "floats, scaled to length 1"
          : "floats";
  return `inner product of ${rows.dim} ${what}`;
}

function checkSides({ query, queryList, leaveOneOut }: RetrievalFiles): void {
  const given = [
    query !== undefined && "--query",
    queryList !== undefined && "--query-list",
  ].filter((g) => g !== false);
  if (leaveOneOut ? given.length > 0 : given.length < 2) {
    throw new UserError({
      code: "retrieval-query",
      message: leaveOneOut
        ? "with --leave-one-out the gallery itself is the query set"
        : "the queries are not given",
      expected: leaveOneOut
        ? "no --query and no --query-list"
        : "--query and --query-list, or --leave-one-out",
      found: given.join(" and ") || "neither",
      fix: leaveOneOut
        ? "leave them out, or leave --leave-one-out out"
        : "give both, or search the gallery with itself by --leave-one-out",
    });
  }
}

function refuseErrors(findings: readonly Finding[]): void {
  const worst = findings.find((f) => f.severity === "error");
  if (worst)
    throw new UserError({
      code: worst.code,
      message: worst.message,
      file: worst.file,
      found: worst.examples.join("; "),
      fix: worst.fix,
    });
}

function sameFeatures(query: string, gallery: string): UserError {
  return new UserError({
    code: "two-column-trap",
    message:
      "query and gallery features are one file and no uid tells the rows apart: each query " +
      "would find itself and recall@1 would be 1.0",
    file: query,
    found: `the same file as ${gallery}`,
    fix: "leave the query out (--leave-one-out), or add a uid column to both lists",
  });
}

async function readRows(file: string, packed: boolean): Promise<Vectors | Codes> {
  return packed ? readCodes(file) : readVectors(file);
}

/** Normalises and binarises as asked, and says what looks odd. */
function prepare(
  file: string,
  rows: Vectors | Codes,
  { binary, normalize, rules }: RetrievalFiles,
  warnings: string[],
): Vectors | Codes {
  if ("bits" in rows) return withCodeNotes(file, rows, warnings);
  if (normalize) normalizeRows(rows, file);
  if (binary === undefined) {
    const uneven = normalize ? null : unevenNorms(rows);
    if (uneven !== null) warnings.push(`${file}: ${uneven}; so does --normalize`);
    return rows;
  }
  const rule = binary as "sign" | "round";
  if (rule === "round") {
    const outside = rows.data.reduce((n, x) => n + Number(x < 0 || x > 1), 0);
    if (outside > 0)
      warnings.push(
        `${file}: ${outside} of ${rows.data.length} values lie outside 0..1, which round is ` +
          "made for: is this a model with tanh, and sign the rule?",
      );
  }
  if (rules.codes === "products") return paddleclasCodes(rows, rule);
  if (rows.dim % 8 !== 0) {
    throw new UserError({
      code: "code-bits",
      message: "codes are packed into whole bytes",
      file,
      expected: "a dimension that is a multiple of 8",
      found: String(rows.dim),
      fix: "leave --binary out, or use a model with such a dimension",
    });
  }
  const codes = binarise(rows.data, rows.dim, rule);
  if ("nanRow" in codes) throw new Error("unreachable: the reader refuses NaN");
  return withCodeNotes(file, codes, warnings);
}

function withCodeNotes(file: string, codes: Codes, warnings: string[]): Codes {
  warnings.push(...codeNotes(codeBits(codes)).map((note) => `${file}: ${note}`));
  return codes;
}

/** Whether both names lead to the same file. */
async function isSameFile(a: string, b: string): Promise<boolean> {
  const [x, y] = await Promise.all([stat(a), stat(b)]);
  return x.dev === y.dev && x.ino === y.ino;
}
