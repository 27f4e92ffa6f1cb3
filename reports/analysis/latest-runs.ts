import type { RecordView } from "./record-view.js";

/** The newest run of each experiment, and the earlier ones that it can be compared with. */

export interface LatestRun {
  readonly record: RecordView;
  /** Runs of the same experiment, the newest first; committed ones apart from one's own. */
  readonly earlier: readonly RecordView[];
}

/** @param records the newest first */
export function latestRuns(records: readonly RecordView[]): LatestRun[] {
  const groups = new Map<string, RecordView[]>();
  for (const record of records) {
    const key = `${record.reference} ${record.experiment.name}`;
    groups.set(key, [...(groups.get(key) ?? []), record]);
  }
  return [...groups.values()].map(([record, ...earlier]) => ({ record: record!, earlier }));
}
