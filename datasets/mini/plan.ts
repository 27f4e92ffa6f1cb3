import type { Catalogue } from "./catalogue.js";
import type { Drawing } from "./paste.js";
import type { Placed } from "./scene.js";

/** A rendered picture before it is encoded. `placed` where objects have boxes. */
export interface Painted {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
  readonly placed?: readonly Placed[];
}

/** One picture of a set, not rendered yet. */
export interface Picture {
  /** Relative to the set's folder, `/` between parts. */
  readonly file: string;
  /** JPEG quality. */
  readonly quality: number;
  paint(drawing: (name: string) => Drawing): Painted;
}

/**
 * What rendering told of a picture: its size, a hash of its pixels before encoding, the objects in
 * it.
 */
export interface Outcome {
  readonly width: number;
  readonly height: number;
  /** 6 hexadecimal digits of a SHA-256 of the pixels. */
  readonly hash: string;
  readonly placed: readonly Placed[];
}

/** One set of the benchmark: its pictures and the text files (lists, annotations) beside them. */
export interface SetPlan {
  readonly name: string;
  readonly task: "recognition" | "detection" | "pipeline" | "classification";
  readonly standsFor: string;
  readonly differs: string;
  readonly pictures: readonly Picture[];
  /** Numbers for the manifest: queries, gallery, classes … */
  readonly counts: Readonly<Record<string, number>>;
  /** Text files by name, relative to the set's folder, once all pictures are rendered. */
  files(outcomes: readonly Outcome[]): Readonly<Record<string, string>>;
}

export type Planner = (catalogue: Catalogue) => SetPlan;
