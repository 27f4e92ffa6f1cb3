import {
  completedCells,
  isMedian,
  known,
  mainScore,
  type CompletedCell,
  type KnownScore,
  type RecordView,
} from "./record-view.js";
import { roleOf } from "./series.js";

/** One system with what it is worth and what it costs, never another's cost beside its worth. */
export interface SystemRow {
  readonly system: string;
  readonly f1: KnownScore | undefined;
  /** Median of the whole picture. */
  readonly ms: KnownScore | undefined;
}

/** A row a system, the best first, baselines last; none unless worth and cost were measured. */
export function systemRows(record: RecordView): SystemRow[] {
  const f1 = bySystem(completedCells(record, "pipeline"), (cell) => known(mainScore(cell)));
  const ms = bySystem(completedCells(record, "latency"), overallMedian);
  if (f1.size === 0 || ms.size === 0) return [];
  const untrained = ({ system }: SystemRow): number => Number(roleOf(system) === "baseline");
  return [...new Set([...f1.keys(), ...ms.keys()])]
    .map((system) => ({ system, f1: f1.get(system), ms: ms.get(system) }))
    .sort((a, b) => untrained(a) - untrained(b) || (b.f1?.value ?? 0) - (a.f1?.value ?? 0));
}

function bySystem(
  cells: readonly CompletedCell[],
  scoreOf: (cell: CompletedCell) => KnownScore | undefined,
): Map<string, KnownScore> {
  return new Map(
    cells.flatMap((cell): [string, KnownScore][] => {
      const score = scoreOf(cell);
      return score === undefined ? [] : [[cell.labels.system ?? "", score]];
    }),
  );
}

/** The median time of the whole picture. */
export function overallMedian({ scores }: CompletedCell): KnownScore | undefined {
  return known(
    scores.find((s) => s.metric === "latency" && s.of?.stage === "overall" && isMedian(s)),
  );
}
