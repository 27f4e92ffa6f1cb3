import { basename } from "node:path";
import { runsFolder } from "../../eval/paths.js";
import { listRecords } from "../../eval/record.js";
import { print, printJson, table } from "../terminal.js";
import type { Verb } from "../verb.js";

export const verb: Verb = {
  build(command) {
    command
      .description("List the records, newest first; broken ones with their problem.")
      .option("--runs <folder>", "where records are (default: runs/, or SHITU_RUNS)")
      .option("--json", "machine output")
      .action(list);
  },
};

async function list(options: { runs?: string; json?: boolean }): Promise<void> {
  const entries = await listRecords(runsFolder(options.runs));
  if (options.json) {
    printJson(entries.map((e) => ("record" in e ? { folder: e.folder, id: e.record.id, state: e.record.state, experiment: e.record.experiment.name, startedAt: e.record.provenance.startedAt, cells: e.record.cells.length } : e)));
    return;
  }
  if (entries.length === 0) {
    print("no records yet: shitu run configs/first-light.yaml makes one");
    return;
  }
  print(table([{ head: "record" }, { head: "experiment" }, { head: "state" }, { head: "cells", align: "right" }, { head: "started" }], entries.map((e) =>
    "record" in e
      ? [e.record.id, e.record.experiment.title, e.record.state, e.record.cells.length, e.record.provenance.startedAt]
      : [basename(e.folder), null, `broken: ${e.problem}`, null, null])));
}
