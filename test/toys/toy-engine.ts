import { ExactIndex, exactEngine } from "../../src/pipeline/index/exact.js";
import type { IndexEngine } from "../../src/pipeline/index/index-engine.js";

/** The oracle under another name, with a parameter that no other engine has. */
export const toyEngine: IndexEngine = {
  ...exactEngine,
  name: "toy-engine",
  what: "a toy",
  parameters: [{ name: "toyBeam", what: "beams of the toy", least: 2, most: 9 }],
  open: (shape, factory) => ExactIndex.open(shape, factory),
};
