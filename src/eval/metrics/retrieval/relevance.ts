import type { RowLists } from "../../../pipeline/index/row-ranks.js";

/** Labels and uids of queries and gallery, as numbers: equal text, equal number. */
export interface Coded {
  readonly query: Int32Array;
  readonly gallery: Int32Array;
  /** Text of each number. */
  readonly names: readonly string[];
}

/** Numbers for texts, shared between the two sides. */
export function codeTexts(query: readonly string[], gallery: readonly string[]): Coded {
  const numbers = new Map<string, number>();
  const code = (texts: readonly string[]) =>
    Int32Array.from(texts, (text) => {
      const known = numbers.get(text);
      if (known !== undefined) return known;
      numbers.set(text, numbers.size);
      return numbers.size - 1;
    });
  const coded = { gallery: code(gallery), query: code(query) };
  return { ...coded, names: [...numbers.keys()] };
}

export interface RelevanceInput {
  readonly labels: Coded;
  /** Camera or picture numbers; both sides or neither. */
  readonly uids: Coded | null;
  /** Query i is row i of the gallery. */
  readonly leaveOneOut: boolean;
}

/** Which rows of the gallery are right answers to a query, and which must not count at all. */
export interface Relevance {
  /**
   * For queries [begin, end): `positives` have the query's label and are valid, `junk` are not
   * valid. Both ascending.
   */
  of(begin: number, end: number): { readonly positives: RowLists; readonly junk: RowLists };
  /** Positives and junk of one query together. */
  most(query: number): number;
}

/**
 * The junk rule (Zheng et al. 2015, Market-1501; PaddleClas `retrieval_eval`, `keep_mask`): an item
 * with the query's label **and** its camera or uid is not valid. Where one is left out, the query's
 * own row is not valid either.
 */
export function relevance({ labels, uids, leaveOneOut }: RelevanceInput): Relevance {
  const { start, rows } = rowsOfLabel(labels);
  return {
    most: (q) => start[labels.query[q]! + 1]! - start[labels.query[q]!]!,
    of(begin, end) {
      const lists = { positives: new Lists(end - begin), junk: new Lists(end - begin) };
      for (let q = begin; q < end; q++) {
        const label = labels.query[q]!;
        for (let i = start[label]!; i < start[label + 1]!; i++) {
          const row = rows[i]!;
          const isJunk =
            (leaveOneOut && row === q) || (uids !== null && uids.query[q] === uids.gallery[row]);
          (isJunk ? lists.junk : lists.positives).push(row);
        }
        lists.positives.close();
        lists.junk.close();
      }
      return { positives: lists.positives.done(), junk: lists.junk.done() };
    },
  };
}

/** Rows of the gallery by label, ascending within a label. */
function rowsOfLabel({ gallery, names }: Coded): RowLists {
  const start = new Int32Array(names.length + 1);
  for (const label of gallery) start[label + 1]!++;
  for (let i = 0; i < names.length; i++) start[i + 1]! += start[i]!;
  const next = start.slice();
  const rows = new Int32Array(gallery.length);
  for (let row = 0; row < gallery.length; row++) rows[next[gallery[row]!]!++] = row;
  return { start, rows };
}

/** Grows as lists are filled one after another. */
class Lists {
  readonly #start: Int32Array;
  #rows = new Int32Array(1024);
  #count = 0;
  #closed = 0;

  constructor(lists: number) {
    this.#start = new Int32Array(lists + 1);
  }

  push(row: number): void {
    if (this.#count === this.#rows.length) {
      const larger = new Int32Array(this.#rows.length * 2);
      larger.set(this.#rows);
      this.#rows = larger;
    }
    this.#rows[this.#count++] = row;
  }

  close(): void {
    this.#start[++this.#closed] = this.#count;
  }

  done(): RowLists {
    return { start: this.#start, rows: this.#rows.slice(0, this.#count) };
  }
}
