import type { Case, CaseFound, CaseNeighbour, CaseTruth } from "./case.js";

/**
 * A case as its Arrow file holds it: an entry of the gallery is one text, the line of its list,
 * `picture TAB label`, since the same few thousand entries are found again and again. What no row
 * of a file has is left out of it.
 */
export type StoredCase = Omit<Case, "neighbours" | "boxes" | "stageMs"> & {
  readonly neighbours: readonly StoredNeighbour[] | null;
  readonly boxes: {
    readonly truth: readonly Optional<CaseTruth, "label" | "stage">[];
    readonly found: readonly StoredFound[];
  } | null;
  readonly stageMs: Readonly<Record<string, number | null>> | null;
};

interface StoredNeighbour {
  readonly entry: string;
  readonly score: number;
}
type Optional<T, Name extends keyof T> = Omit<T, Name> & Partial<T>;
type StoredFound = Optional<Omit<CaseFound, "neighbours">, "label"> & {
  readonly neighbours?: readonly StoredNeighbour[] | null;
};

export function storedCase(row: Case): StoredCase {
  const { neighbours, boxes } = row;
  return {
    ...row,
    neighbours: neighbours && neighbours.map(storedNeighbour),
    boxes: boxes && { truth: boxes.truth, found: boxes.found.map(storedFound) },
  };
}

/** The case again: what a file leaves out is null, and a stage that was not timed is none. */
export function caseOf(row: StoredCase): Case {
  const { neighbours, boxes, stageMs } = row;
  return {
    ...row,
    neighbours: neighbours && neighbours.map(neighbourOf),
    boxes: boxes && {
      truth: boxes.truth.map((box) => ({ label: null, stage: null, ...box })),
      found: boxes.found.map(foundOf),
    },
    stageMs: stageMs && timedStages(stageMs),
  };
}

function storedFound({ neighbours, ...box }: CaseFound): StoredFound {
  return { ...box, neighbours: neighbours && neighbours.map(storedNeighbour) };
}

function foundOf({ neighbours, ...box }: StoredFound): CaseFound {
  return { label: null, ...box, neighbours: neighbours ? neighbours.map(neighbourOf) : null };
}

function storedNeighbour({ label, picture, score }: CaseNeighbour): StoredNeighbour {
  const path = (picture ?? "").replaceAll("\\", "\\\\").replaceAll("\t", "\\t");
  return { entry: `${path}\t${label}`, score };
}

function neighbourOf({ entry, score }: StoredNeighbour): CaseNeighbour {
  const tab = entry.indexOf("\t");
  const path = entry
    .slice(0, tab)
    .replace(/\\(.)/g, (_, escaped) => (escaped === "t" ? "\t" : escaped));
  return { label: entry.slice(tab + 1), score, picture: path === "" ? null : path };
}

function timedStages(times: Readonly<Record<string, number | null>>): Record<string, number> {
  const entries = Object.entries(times);
  return Object.fromEntries(entries.filter((e): e is [string, number] => e[1] !== null));
}
