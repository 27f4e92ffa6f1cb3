/** What a diagnosis found, in words that stand alone. */

export interface Diagnosis {
  /** One sentence: what is wrong, or that nothing was found. */
  readonly sentence: string;
  /** The mistake or fault by its name; null where none could be named. */
  readonly fault: string | null;
}
