import { rowCount, type Codes, type Protocol, type Vectors } from "../../pipeline/types.js";
import type { Contender } from "../latency/interleave.js";
import { timingLoop } from "../observe/loop-time.js";
import type { CellContext, CellOutcome } from "./cell.js";
import { buildIndex, encode, rowOf, withOneThread } from "./index-points.js";
import type { BuiltIndex, CodeRule, IndexPoint } from "./index-points.js";
import type { VectorSet } from "./index-vectors.js";
import { judgeRounds, runRounds } from "./latency-comparison.js";

/** An index of the sweep, by the name that it has in the comparison. */
export interface ComparedIndex {
  readonly name: string;
  readonly codes: CodeRule;
  readonly point: IndexPoint;
}

export interface IndexRounds {
  readonly rounds: number;
  readonly k: number;
  readonly protocol: Protocol;
}

/**
 * All indexes of a sweep in the same rounds, one thread: in each round every index answers the
 * round's query twice, in an order drawn anew. The last is what the others are compared with.
 */
export async function compareIndexes(
  compared: readonly ComparedIndex[],
  set: VectorSet,
  { rounds, k, protocol }: IndexRounds,
  { signal, progress, intervals: { level } }: CellContext,
): Promise<CellOutcome> {
  const opened: BuiltIndex[] = [];
  try {
    const contenders: Contender[] = [];
    for (const { name, codes, point } of compared) {
      signal.throwIfAborted();
      const built = await buildIndex(encode(set.gallery, codes), point, protocol);
      opened.push(built);
      if (Object.keys(point.parameters).length > 0) built.index.set(point.parameters);
      contenders.push(contender(name, built, { queries: encode(set.queries, codes), k, signal }));
    }
    let round = 0;
    const told = (): void => progress(Math.min(++round, rounds), rounds);
    const measured = await timingLoop(() =>
      withOneThread(() =>
        runRounds(contenders, { rounds, warmupRounds: 3, seed: "indexes" }, told),
      ),
    );
    const judged = judgeRounds(measured, 0.05, { level, against: compared.at(-1)!.name });
    const versions = { index: opened[0]!.index.version, vectors: set.version };
    return { ...judged, versions, notes: [], cases: [] };
  } finally {
    for (const { index } of opened) index.close();
  }
}

interface Asked {
  readonly queries: Vectors | Codes;
  readonly k: number;
  readonly signal: AbortSignal;
}

function contender(name: string, { index }: BuiltIndex, { queries, k, signal }: Asked): Contender {
  const n = rowCount(queries);
  let one = queries;
  return {
    name,
    before: (round) => {
      signal.throwIfAborted();
      one = rowOf(queries, (round + n) % n);
    },
    run: () => index.searchSync(one, k),
  };
}
