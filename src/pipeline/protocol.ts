/** Two ways of counting: `standard` does the right thing, `paddleclas` has every quirk below. */
export const protocols = ["standard", "paddleclas"] as const;
export type Protocol = (typeof protocols)[number];

/** An accident of PaddleClas's code that changes a number: a row of docs/methodology/quirks.md. */
interface Quirk<S, P> {
  /** For people, in tables: "ties by row". */
  readonly title: string;
  /** What the code asks for: the rule of each protocol. */
  readonly standard: S;
  readonly paddleclas: P;
  /** The same in words. */
  readonly standardDoes: string;
  readonly paddleclasDoes: string;
  /** PaddleClas's file and function, and its first release that has it. */
  readonly where: string;
  readonly since: string;
  /** Another quirk that this one goes with. */
  readonly needs?: string;
}

const quirk = <const S, const P>(row: Quirk<S, P>): Quirk<S, P> => row;

const withShiTu = "release/2.3";
const system = "`deploy/python/predict_system.py`";
const retrieval = "`ppcls/engine/evaluation/retrieval.py`";
const metrics = "`ppcls/metric/metrics.py`";

/** Every quirk that a protocol decides, in the order of the pipeline. */
export const quirks = {
  labels: quirk({
    title: "labels cut at a space",
    standard: "whole",
    paddleclas: "first-word",
    standardDoes: "a label is all that its field holds",
    paddleclasDoes: "a label ends at its first space (`id_map[…].split()[1]`)",
    where: `${system}, \`SystemPredictor.predict\``,
    since: withShiTu,
  }),
  boxes: quirk({
    title: "boxes as given",
    standard: "clipped",
    paddleclas: "as-given",
    standardDoes: "the detector's boxes are clipped to the picture, empty ones go",
    paddleclasDoes: "boxes stay as the model gave them",
    where: "`deploy/python/predict_det.py`, `DetPredictor`",
    since: withShiTu,
  }),
  crops: quirk({
    title: "crops by slices",
    standard: "clipped",
    paddleclas: "slices",
    standardDoes: "a crop is the part of the box inside the picture",
    paddleclasDoes: "a negative start counts from the far end, as Python's slices do",
    where: `${system}, \`SystemPredictor.predict\``,
    since: withShiTu,
  }),
  binaryIvf: quirk({
    title: "binary IVF untrained",
    standard: "trained",
    paddleclas: "refused",
    standardDoes: "a binary IVF index is trained",
    paddleclasDoes: "it is never trained and fails: refused here",
    where: "`deploy/python/build_gallery.py`, `GalleryBuilder`",
    since: withShiTu,
  }),
  suppressionOrder: quirk({
    title: "farthest code stays",
    standard: "best-first",
    paddleclas: "highest-first",
    standardDoes: "suppression of recognitions keeps the better score: the nearest code",
    paddleclasDoes: "it sorts scores descending for Hamming distances, too: the farthest stays",
    where: `${system}, \`nms_to_rec_results\``,
    since: withShiTu,
  }),
  equalScores: quirk({
    title: "last of equals",
    standard: "first",
    paddleclas: "last",
    standardDoes: "of equal recognition scores the earlier box goes first",
    paddleclasDoes: "the later box goes first (NumPy's reversed argsort)",
    where: `${system}, \`nms_to_rec_results\``,
    since: withShiTu,
  }),
  codes: quirk({
    title: "codes by products",
    standard: "hamming",
    paddleclas: "products",
    standardDoes: "binary models are compared by the Hamming distance of packed bits",
    paddleclasDoes: "by inner products of sign(x), where 0 stays 0, or of round(x) * 2 - 1",
    where: `${retrieval}, \`retrieval_eval\`, \`feature_binarize\``,
    since: withShiTu,
  }),
  junk: quirk({
    title: "junk keeps its place",
    standard: "removed",
    paddleclas: "zeroed",
    standardDoes: "junk (same label and same camera or uid) leaves the ranking",
    paddleclasDoes:
      "it gets similarity 0 and keeps its place (`similarity * keep_mask`); for packed codes 0 " +
      "is the distance bits / 2",
    where: `${retrieval}, \`retrieval_eval\``,
    since: withShiTu,
  }),
  ties: quirk({
    title: "ties by row",
    standard: "expected",
    paddleclas: "stable",
    standardDoes: "the mean over all orders of tied items, with its bounds",
    paddleclasDoes:
      "equal similarities come as a sort that is not stable left them; ours puts the smaller row " +
      "first",
    where: `${metrics}, \`argsort\``,
    since: withShiTu,
  }),
  block: quirk({
    title: "blocks of 64",
    standard: null,
    paddleclas: 64,
    standardDoes: "recall@k, mAP and mINP are means over the queries with a positive",
    paddleclasDoes:
      "means of blocks of 64 queries, each weighted by all its queries although its mean is over " +
      "those with a positive; `nan` where a block has none (here: no value, with the reason)",
    where: `${retrieval}, \`retrieval_eval\``,
    since: withShiTu,
  }),
  precision: quirk({
    title: "precision over all queries",
    standard: "answerable",
    paddleclas: "all",
    standardDoes: "precision@k is over the queries with a positive",
    paddleclasDoes: "over all queries, with or without a positive",
    where: `${metrics}, \`Precisionk\``,
    since: withShiTu,
  }),
  penalty: quirk({
    title: "last positive from 0",
    standard: "from-one",
    paddleclas: "from-zero",
    standardDoes: "the rank of the last positive counts from 1",
    paddleclasDoes:
      "its place counts from 0, in float32: infinite where a query's only positive stands first",
    where: `${metrics}, \`mINP\``,
    since: `${withShiTu}; later ones stop with an error where lists have a uid`,
    needs: "ties",
  }),
} as const;

export type QuirkName = keyof typeof quirks;

/** What a way of counting does at each of the places where the two differ. */
export type Rules = {
  readonly [Q in QuirkName]: (typeof quirks)[Q]["standard"] | (typeof quirks)[Q]["paddleclas"];
};

export const quirkNames = Object.keys(quirks) as readonly QuirkName[];

/** What a protocol's name stands for. */
export function rulesOf(protocol: Protocol): Rules {
  return rulesFor((name) => quirks[name][protocol]);
}

/** `standard` with one quirk, and with what it goes with. */
export function standardWith(quirkName: QuirkName): Rules {
  const { needs }: Quirk<unknown, unknown> = quirks[quirkName];
  return rulesFor((name) =>
    name === quirkName || name === needs ? quirks[name].paddleclas : quirks[name].standard,
  );
}

function rulesFor(rule: (name: QuirkName) => unknown): Rules {
  return Object.fromEntries(quirkNames.map((name) => [name, rule(name)])) as Rules;
}
