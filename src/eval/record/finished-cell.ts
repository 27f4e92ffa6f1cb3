import type { Case } from "./case.js";
import type { Cell } from "./record.js";

/** What a finished cell leaves behind until the record is written. */
export interface FinishedCell {
  readonly cell: Cell;
  readonly cases: readonly Case[];
  /** Samples by name, in the order taken: ms, or bytes where `unitOfSamples` says so. */
  readonly samples?: Readonly<Record<string, readonly number[]>>;
  /** Curves by name, such as precision over recall. */
  readonly curves?: Readonly<Record<string, readonly number[]>>;
  /** Image root by data set, relative to the project, so that reports can show pictures. */
  readonly imageRoots?: Readonly<Record<string, string>>;
}
