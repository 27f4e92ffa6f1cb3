import { fileURLToPath } from "node:url";
import { compareTable } from "../src/eval/paper/paper-comparison.js";
import { summarize } from "../src/eval/paper/paper-summary.js";
import { readPaper } from "../src/eval/paper/paper-tables.js";
import { caseFiles } from "./build/case-files.js";
import { flippedCases, gateViews } from "./build/gates.js";
import { pictureFiles, thumbnails } from "./build/pictures.js";
import { loadRuns, runsView } from "./build/runs.js";
import { shownCases } from "./build/shown-cases.js";
import { tar } from "./build/tar.js";

/**
 * The one data loader: the records are read once, and every file of data/ is made from that
 * reading.
 */
const loaded = await loadRuns();
const shown = shownCases(loaded.runs);
const paper = await readPaper(
  fileURLToPath(new URL("../configs/paper/tables.yaml", import.meta.url)),
);
const records = loaded.runs.map(({ view, cases }) => ({
  key: view.key,
  record: view,
  cases: () => cases,
}));
const tables = paper.tables
  .map((table) => compareTable(table, records))
  .map((compared) => ({ ...compared, orderings: [], summary: summarize(compared) }));

process.stdout.write(
  tar({
    "records.json": JSON.stringify(runsView(loaded)),
    "paper.json": JSON.stringify({
      title: paper.title,
      cite: paper.cite,
      audit: paper.audit,
      tables,
    }),
    "gates.json": JSON.stringify(gateViews(loaded.runs)),
    ...caseFiles(loaded.runs, shown),
    ...pictureFiles(await thumbnails(loaded.runs, [...flippedCases(loaded.runs), ...shown])),
  }),
);
