import type { IndexMetric } from "../../../pipeline/types.js";
import type { Warning } from "../warnings.js";
import type { LabelledVectors } from "./choice-data.js";

/** Vectors as they come out of files, pictures or a record, before they are split. */
export interface Collected {
  readonly name: string;
  /** What tells these vectors from others. */
  readonly version: string;
  readonly gallery: LabelledVectors;
  /** Null: some are to be held out of the gallery. */
  readonly queries: LabelledVectors | null;
  /** Where the gallery and the queries lie, for complaints. */
  readonly files: { readonly gallery: string; readonly queries: string };
  /** How they are compared, where that is told. */
  readonly metric: IndexMetric | null;
  /** Cosines are meant: each vector is to be scaled to length 1. */
  readonly cosine: boolean;
  readonly warnings: readonly Warning[];
}
