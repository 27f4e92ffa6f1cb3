import type { ImageList, ListRow } from "./paddleclas-list.js";

export type Severity = "error" | "warning" | "note";

export type FindingCode =
  | "two-column-trap"
  | "query-in-gallery"
  | "train-leakage"
  | "duplicate-path"
  | "conflicting-label"
  | "image-unusable"
  | "label-missing-from-gallery"
  | "label-once"
  | "label-zero"
  | "uids-never-meet"
  | "path-outside-root"
  | "code-bits"
  | "label-junk";

/**
 * One thing that a list's author should know. `error`: a number computed from these lists would
 * mislead.
 */
export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  readonly message: string;
  readonly file: string;
  /** Lines or rows concerned. */
  readonly count: number;
  /** The first few of them, each `line N: path` or a label. */
  readonly examples: readonly string[];
  readonly fix: string;
}

export interface LintInput {
  readonly gallery: ImageList;
  /**
   * Left out where the gallery is searched with itself, one left out: no query then meets its own
   * picture.
   */
  readonly query?: ImageList;
  /** The training list, to look for pictures that were trained on. */
  readonly train?: ImageList;
  /**
   * Resolves to why a picture cannot be used, or null where it can. Called once a distinct path and
   * list.
   */
  readonly problemOf?: (row: ListRow, list: ImageList) => Promise<string | null>;
}

const mostExamples = 3;

/**
 * Looks for the mistakes that make a retrieval number wrong or misleading without any error:
 *
 * - `two-column-trap` (error): every query picture is in the gallery and no uid tells them apart,
 *   so each query finds itself and recall@1 is 1.0. PaddleClas computes that silently (no third
 *   column, no mask: `retrieval_eval`, `keep_mask = None`).
 * - `query-in-gallery`: only some query pictures are in the gallery without a uid, or with another
 *   one; those find themselves.
 * - `train-leakage`: pictures of the gallery or query list are in the training list.
 * - `duplicate-path`, `conflicting-label` (error): a picture listed twice, with the same or another
 *   label.
 * - `image-unusable`: what `problemOf` says. `path-outside-root`: absolute, or climbing out with
 *   `..`.
 * - `uids-never-meet`: no uid of the queries is one of the gallery, so that the junk rule takes
 *   nothing out and queries find pictures of their own camera.
 * - `label-missing-from-gallery`: queries that no gallery picture can answer; they leave the
 *   denominator.
 * - `label-once`: in a gallery that is searched with itself, labels with one picture: these queries
 *   leave the denominator.
 * - `label-zero`: some tools take class 0 for background or for "not matched" (pycocotools does so
 *   with id 0).
 */
export async function lintLists({
  gallery,
  query,
  train,
  problemOf,
}: LintInput): Promise<Finding[]> {
  const findings: Finding[] = [];
  if (query)
    findings.push(
      ...selfMatches(query, gallery),
      ...unanswerable(query, gallery),
      ...strangeUids(query, gallery),
    );
  else findings.push(...singletons(gallery));
  if (train) for (const list of distinct([query, gallery])) findings.push(...leakage(list, train));
  for (const list of distinct([query, gallery])) {
    findings.push(...repeats(list), ...outsideRoot(list), ...labelZero(list), ...labelJunk(list));
    if (problemOf) findings.push(...(await missing(list, problemOf)));
  }
  const order: readonly Severity[] = ["error", "warning", "note"];
  return findings.sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
}

function distinct(lists: readonly (ImageList | undefined)[]): ImageList[] {
  return [...new Set(lists.filter((list) => list !== undefined))];
}

/** `./a//b.jpg` and `a/b.jpg` are one picture. */
function normal(path: string): string {
  const parts: string[] = [];
  for (const part of path.replaceAll("\\", "/").split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else parts.push(part);
  }
  return parts.join("/");
}

const at = (row: ListRow) => `line ${row.line}: ${row.path}`;

function finding(
  code: FindingCode,
  severity: Severity,
  file: string,
  concerned: readonly string[],
  message: string,
  fix: string,
): Finding[] {
  return concerned.length === 0
    ? []
    : [
        {
          code,
          severity,
          message,
          file,
          count: concerned.length,
          examples: concerned.slice(0, mostExamples),
          fix,
        },
      ];
}

function selfMatches(query: ImageList, gallery: ImageList): Finding[] {
  const told = query.columns === 3 && gallery.columns === 3;
  const identity = (row: ListRow) => JSON.stringify([row.label, row.uid]);
  const held = new Map<string, ListRow[]>();
  for (const row of gallery.rows)
    held.set(normal(row.path), [...(held.get(normal(row.path)) ?? []), row]);
  // With uids a picture is kept from itself where label and uid agree on both sides.
  const met = query.rows.filter((row) =>
    held.get(normal(row.path))?.some((other) => !told || identity(other) !== identity(row)),
  );
  const why = told ? "their uids differ there" : "no third column (uid) tells them apart";
  const fix = told
    ? "give a picture the same uid in both lists"
    : "leave the query out (--leave-one-out), or add a uid column to both lists";
  if (met.length === query.rows.length) {
    return finding(
      "two-column-trap",
      "error",
      query.file,
      met.map(at),
      `every query picture is in the gallery and ${why}: each query would find itself and ` +
        "recall@1 would be 1.0",
      fix,
    );
  }
  return finding(
    "query-in-gallery",
    "warning",
    query.file,
    met.map(at),
    `${met.length} of ${query.rows.length} query pictures are also in the gallery and ` +
      `${why}: each of them finds itself`,
    told ? fix : "take them out of the gallery, or add a uid column to both lists",
  );
}

function unanswerable(query: ImageList, gallery: ImageList): Finding[] {
  const known = new Set(gallery.rows.map((r) => r.label));
  const lost = query.rows.filter((r) => !known.has(r.label));
  const labels = new Set(lost.map((r) => r.label));
  const composed = new Set([...known].map((label) => label.normalize("NFC")));
  const other = [...labels].filter((label) => composed.has(label.normalize("NFC"))).length;
  const form = other > 0 ? `; the gallery has ${other} of them in another Unicode form` : "";
  const severity = lost.length === query.rows.length ? "error" : "warning";
  return finding(
    "label-missing-from-gallery",
    severity,
    query.file,
    lost.map((r) => `line ${r.line}: label ${JSON.stringify(r.label)}`),
    `${lost.length} of ${query.rows.length} queries (${labels.size} labels) have a label ` +
      `that the gallery lacks: they have no right answer and leave the denominator${form}`,
    "add these labels to the gallery, or take the queries out",
  );
}

function strangeUids(query: ImageList, gallery: ImageList): Finding[] {
  if (query.columns !== 3 || gallery.columns !== 3) return [];
  const known = new Set(gallery.rows.map((r) => r.uid));
  if (query.rows.some((r) => known.has(r.uid))) return [];
  return finding(
    "uids-never-meet",
    "warning",
    query.file,
    query.rows.map((r) => `line ${r.line}: ${r.uid}, in the gallery ${gallery.rows[0]!.uid}`),
    "no third column of the queries (uid or camera) is one of the gallery's: nothing is taken " +
      "out as junk",
    "write cameras alike in both lists, or leave the column out",
  );
}

function singletons(gallery: ImageList): Finding[] {
  const counts = new Map<string, number>();
  for (const { label } of gallery.rows) counts.set(label, (counts.get(label) ?? 0) + 1);
  const single = gallery.rows.filter((r) => counts.get(r.label) === 1);
  const severity = single.length === gallery.rows.length ? "error" : "note";
  return finding(
    "label-once",
    severity,
    gallery.file,
    single.map((r) => `line ${r.line}: label ${JSON.stringify(r.label)}`),
    `${single.length} of ${gallery.rows.length} pictures are the only one of their label: ` +
      "left out, they have no right answer and leave the denominator",
    "add a second picture of each, or take note of the smaller n",
  );
}

function leakage(list: ImageList, train: ImageList): Finding[] {
  const trained = new Set(train.rows.map((r) => normal(r.path)));
  const leaked = list.rows.filter((r) => trained.has(normal(r.path)));
  return finding(
    "train-leakage",
    "warning",
    list.file,
    leaked.map(at),
    `${leaked.length} of ${list.rows.length} pictures are in the training list ` +
      `${train.file}: the number will flatter the model`,
    "take them out of one of the lists",
  );
}

function repeats(list: ImageList): Finding[] {
  const first = new Map<string, ListRow>();
  const twice: string[] = [];
  const torn: string[] = [];
  for (const row of list.rows) {
    const key = normal(row.path);
    const before = first.get(key);
    if (!before) first.set(key, row);
    else if (before.label === row.label) twice.push(`${at(row)}, as in line ${before.line}`);
    else
      torn.push(
        `${at(row)}: ${JSON.stringify(row.label)}, but ${JSON.stringify(before.label)} in ` +
          `line ${before.line}`,
      );
  }
  return [
    ...finding(
      "duplicate-path",
      "warning",
      list.file,
      twice,
      `${twice.length} lines repeat a picture with the same label: its copy is a sure hit`,
      "list each picture once",
    ),
    ...finding(
      "conflicting-label",
      "error",
      list.file,
      torn,
      `${torn.length} lines give a picture another label than an earlier line`,
      "decide on one label",
    ),
  ];
}

function outsideRoot(list: ImageList): Finding[] {
  const out = list.rows.filter(
    (r) => /^(\/|\\|[a-zA-Z]:[\\/])/.test(r.path) || normal(r.path).split("/")[0] === "..",
  );
  return finding(
    "path-outside-root",
    "warning",
    list.file,
    out.map(at),
    `${out.length} paths are absolute or leave the image root with ..: the list works on one ` +
      "machine only",
    "write paths relative to the image root",
  );
}

function labelZero(list: ImageList): Finding[] {
  const zero = list.rows.filter((r) => r.label === "0");
  return finding(
    "label-zero",
    "note",
    list.file,
    zero.map(at),
    `label 0 is a class like any other here (${zero.length} pictures); some tools take it ` +
      `for background or for "not matched"`,
    "nothing, unless you compare with such a tool: then number labels from 1",
  );
}

/** Market-1501's convention, which DukeMTMC and others follow. */
function labelJunk(list: ImageList): Finding[] {
  const junk = list.rows.filter((r) => r.label === "-1");
  return finding(
    "label-junk",
    "note",
    list.file,
    junk.map(at),
    `label -1 is a class like any other here (${junk.length} pictures); in Market-1501 it marks ` +
      "pictures that no query is held against",
    "eval retrieval --junk-label -1, or take them out of the list",
  );
}

async function missing(
  list: ImageList,
  problemOf: NonNullable<LintInput["problemOf"]>,
): Promise<Finding[]> {
  const asked = new Set<string>();
  const bad: string[] = [];
  for (const row of list.rows) {
    const key = normal(row.path);
    if (asked.has(key)) continue;
    asked.add(key);
    const problem = await problemOf(row, list);
    if (problem !== null) bad.push(`${at(row)}: ${problem}`);
  }
  return finding(
    "image-unusable",
    "warning",
    list.file,
    bad,
    `${bad.length} of ${asked.size} pictures cannot be used (PaddleClas silently puts a ` +
      "random other picture in their place)",
    "restore these files, or take their lines out",
  );
}
