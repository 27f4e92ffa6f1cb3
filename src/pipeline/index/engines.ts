import { exactEngine } from "./exact.js";
import { faissEngine } from "./faiss.js";
import { faissNodeEngine } from "./faiss-node.js";
import type { IndexEngine } from "./index-engine.js";
import { twoStageEngine } from "./two-stage.js";
import { usearchEngine } from "./usearch.js";

/**
 * The engines: Faiss through our addon, the plain oracle, the package faiss-node, usearch, and sign
 * codes of Faiss whose shortlist the vectors rank.
 */
export const indexEngines: readonly IndexEngine[] = [
  faissEngine,
  exactEngine,
  faissNodeEngine,
  usearchEngine,
  twoStageEngine,
];
