import { readRecord } from "../../eval/record/record.js";
import { recordFolder } from "../record-folder.js";
import { recordText } from "../record-text.js";
import { print, printJson } from "../terminal.js";
import type { Verb } from "../verb.js";

export const verb: Verb = {
  build(command) {
    command
      .description("Show one record.")
      .argument("<record>", "its id, its folder, or an experiment's name (its newest record)")
      .option("--runs <folder>", "where records are (default: runs/, or SHITU_RUNS)")
      .option("--all", "every score, not only those that a kind is known by")
      .option("--json", "machine output: the record")
      .action(show);
  },
};

async function show(
  name: string,
  options: { runs?: string; all?: boolean; json?: boolean },
): Promise<void> {
  const record = await readRecord(await recordFolder(name, options.runs));
  if (options.json) printJson(record);
  else print(recordText(record, { all: options.all ?? false }));
}
