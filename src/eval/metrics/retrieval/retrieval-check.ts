import { requireFinite } from "../../../../datasets/formats/finite.js";
import { UserError } from "../../../pipeline/errors.js";
import { requireSameSpace } from "../../../pipeline/index/row-ranks.js";
import { isCodes, rowCount } from "../../../pipeline/types.js";
import type { RetrievalInput } from "./ranking.js";

/**
 * Refuses what cannot be ranked.
 *
 * @throws UserError as `rankQueries` says.
 */
export function checkInput(input: RetrievalInput, ks: readonly number[]): void {
  const { queries, gallery } = input;
  requireSameSpace(queries, gallery);
  const sides = [
    ["query", queries, input.queryLabels, input.queryUids],
    ["gallery", gallery, input.galleryLabels, input.galleryUids],
  ] as const;
  for (const [side, rows, labels, uids] of sides) {
    const n = rowCount(rows);
    if (!isCodes(rows)) requireFinite(rows, `${side} vectors`);
    if (n === 0)
      throw new UserError({
        code: "retrieval-empty",
        message: `there is no ${side} row`,
        expected: "at least one",
        found: "0",
        fix: "check the files",
      });
    for (const [what, given] of [
      ["labels", labels],
      ["uids", uids],
    ] as const) {
      if (given !== undefined && given.length !== n) {
        throw new UserError({
          code: "retrieval-length",
          message: `the ${side} has not as many ${what} as rows`,
          expected: `${n} ${what}`,
          found: String(given.length),
          fix:
            "row i of the features must be line i of the list: give the list that the " +
            "features were made from",
        });
      }
    }
  }
  if ((input.queryUids === undefined) !== (input.galleryUids === undefined)) {
    const has = input.queryUids ? "query" : "gallery";
    throw new UserError({
      code: "retrieval-uids",
      message: `only the ${has} list has uids, so nothing can be told apart by them`,
      expected: "a third column in both lists, or in neither",
      found: `one in the ${has} list`,
      fix: "add the uid to the other list, or read both with 2 columns",
    });
  }
  if (
    input.leaveOneOut === true &&
    (rowCount(queries) !== rowCount(gallery) ||
      input.queryLabels.some((l, i) => l !== input.galleryLabels[i]))
  ) {
    throw new UserError({
      code: "retrieval-leave-one-out",
      message: "leaving one out needs the gallery as queries",
      expected: "the same rows and labels on both sides",
      found: `${rowCount(queries)} queries and ${rowCount(gallery)} gallery rows`,
      fix: "give the gallery only",
    });
  }
  for (const k of ks) {
    if (!Number.isInteger(k) || k < 1)
      throw new UserError({
        code: "retrieval-k",
        message: "k must be a positive integer",
        expected: "1, 5, 10 or the like",
        found: String(k),
        fix: "mend the list of k",
      });
  }
}
