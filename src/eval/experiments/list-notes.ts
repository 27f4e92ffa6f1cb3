import { UserError } from "../../pipeline/errors.js";
import { isJunk, type LabelledRow, type NeighbourHit } from "../metrics/index/neighbour-hits.js";
import { junkCount } from "../metrics/retrieval/junk-count.js";

/**
 * What query and gallery both know and nobody compared: pictures that are in both, pictures that
 * are there twice, labels and cameras that never meet. Each makes a plausible wrong recall.
 */

/** The rows of a list that were embedded. */
export interface ComparedRows {
  readonly rows: readonly LabelledRow[];
  /** What makes two pictures the same: their content's hash, or the file where it has none. */
  readonly pictures: readonly string[];
  /** By row, for examples. */
  readonly items: readonly string[];
}

export interface ComparedLists {
  readonly query: ComparedRows;
  readonly gallery: ComparedRows;
  readonly leaveOneOut: boolean;
  /** Named in errors. */
  readonly file: string;
}

/** Queries that find a copy of themselves, and what else the lists say of each other. */
export interface ListFindings {
  /** By query: whether a gallery row that may answer it is the same picture. */
  readonly meetsItself: readonly boolean[];
  /** Gallery rows that the junk rule takes out, over all queries; null where there are no uids. */
  readonly junk: number | null;
  readonly notes: readonly string[];
}

/**
 * Compares both sides of a retrieval.
 *
 * @throws UserError `query-in-gallery` where every query finds itself: recall@1 would be 1.
 */
export function compareLists(lists: ComparedLists): ListFindings {
  const { query, leaveOneOut, file } = lists;
  const meetsItself = selfMeetings(lists);
  const met = meetsItself.filter(Boolean).length;
  if (!leaveOneOut && met > 0 && met === query.rows.length) {
    throw new UserError({
      code: "query-in-gallery",
      message: "every query picture is in the gallery, too: each would find itself",
      file,
      found: `${query.items[0]} and ${met - 1} others, by content`,
      fix: "use evaluation: leave-one-out, or give both lists a uid column (identity: uid)",
    });
  }
  const junk = junkCount(query.rows, lists.gallery.rows, leaveOneOut);
  return { meetsItself, junk, notes: junk === null ? [] : [junkNote(junk, lists)] };
}

/**
 * What the findings mean for one index's answers, with recall@1 without the queries that find
 * themselves.
 */
export function listNotes(
  { meetsItself, notes }: ListFindings,
  hits: readonly NeighbourHit[],
  leaveOneOut: boolean,
): string[] {
  const unanswerable = hits.filter((h) => !h.answerable).length;
  const met = meetsItself.filter(Boolean).length;
  const told = [...notes];
  if (unanswerable > 0)
    told.push(
      `${unanswerable} of ${hits.length} queries have no right answer in the gallery and leave ` +
        "the denominator",
    );
  if (met > 0) {
    const rest = hits.filter((h, q) => h.answerable && !meetsItself[q]);
    const right = rest.filter((h) => h.rank === 0).length;
    const without = rest.length === 0 ? "undefined" : (right / rest.length).toFixed(3);
    const what = leaveOneOut
      ? "pictures are in the list more than once"
      : "query pictures are in the gallery, too";
    told.push(
      `${met} of ${hits.length} ${what} (by content): each finds its copy; recall@1 without ` +
        `them is ${without} of ${rest.length}`,
    );
  }
  return told;
}

function selfMeetings({ query, gallery, leaveOneOut }: ComparedLists): boolean[] {
  const held = new Map<string, number[]>();
  gallery.pictures.forEach((picture, row) => {
    const rows = held.get(picture);
    if (rows) rows.push(row);
    else held.set(picture, [row]);
  });
  return query.pictures.map((picture, q) =>
    (held.get(picture) ?? []).some(
      (row) => !(leaveOneOut && row === q) && !isJunk(query.rows[q]!, gallery.rows[row]!),
    ),
  );
}

function junkNote(junk: number, { query, gallery, leaveOneOut }: ComparedLists): string {
  if (junk > 0) return `the junk rule (same label and uid) took ${junk} gallery items out`;
  const galleryUids = new Set(gallery.rows.map((r) => r.uid));
  const meet = query.rows.some((r) => galleryUids.has(r.uid));
  const few = (side: ComparedRows): string =>
    [...new Set(side.rows.map((r) => r.uid))].slice(0, 3).join(", ");
  if (meet || leaveOneOut) return "the junk rule (same label and uid) took no gallery item out";
  return (
    "the junk rule (same label and uid) took no gallery item out: the uids of the two lists do " +
    `not meet (queries have ${few(query)}; the gallery has ${few(gallery)})`
  );
}
