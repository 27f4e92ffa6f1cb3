import { readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { modelPairs, outcomesOf } from "../test/eval/gate/model-pairs.js";

/**
 * Writes test/golden/gate/outcomes.json: rights and wrongs of the pairs whose data is here; the
 * others stay as they are. `test/golden/gate/make.py` then judges them with SciPy.
 */
const file = new URL("../test/golden/gate/outcomes.json", import.meta.url);
const found = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
for (const pair of modelPairs) {
  if (pair.ready()) found[pair.name] = await outcomesOf(pair, join(tmpdir(), "gate-outcomes"));
}
writeFileSync(file, `${JSON.stringify(found, null, 1)}\n`);
