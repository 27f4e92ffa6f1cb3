import { basename } from "node:path";
import { allEntries } from "../record-folder.js";
import { print, printJson, table } from "../terminal.js";
import type { Verb } from "../verb.js";

export const verb: Verb = {
  build(command) {
    command
      .description(
        "List the records, newest first, committed ones (reference/) last; broken ones with " +
          "their problem.",
      )
      .option("--runs <folder>", "where records are (default: runs/, or SHITU_RUNS)")
      .option("--json", "machine output")
      .action(list);
  },
};

async function list(options: { runs?: string; json?: boolean }): Promise<void> {
  const entries = await allEntries(options.runs);
  if (options.json) {
    printJson(
      entries.map((e) =>
        "record" in e
          ? {
              folder: e.folder,
              id: e.record.id,
              state: e.record.state,
              experiment: e.record.experiment.name,
              startedAt: e.record.provenance.startedAt,
              cells: e.record.cells.length,
              reference: e.reference,
            }
          : e,
      ),
    );
    return;
  }
  if (entries.length === 0) {
    print("no records yet: shitu run configs/first-light.yaml makes one");
    return;
  }
  const name = (id: string, reference: boolean): string => (reference ? `reference/${id}` : id);
  print(
    table(
      [
        { head: "record" },
        { head: "experiment" },
        { head: "state" },
        { head: "cells", align: "right" },
        { head: "started" },
      ],
      entries.map((e) =>
        "record" in e
          ? [
              name(e.record.id, e.reference),
              e.record.experiment.title,
              e.record.state,
              e.record.cells.length,
              e.record.provenance.startedAt,
            ]
          : [name(basename(e.folder), e.reference), null, `broken: ${e.problem}`, null, null],
      ),
    ),
  );
}
