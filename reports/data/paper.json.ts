import { fileURLToPath } from "node:url";
import { compareTable, summarize } from "../../src/eval/paper-comparison.js";
import { readPaper } from "../../src/eval/paper-tables.js";
import { loadRuns } from "../build/runs.js";

const paper = await readPaper(fileURLToPath(new URL("../../configs/paper/tables.yaml", import.meta.url)));
const records = (await loadRuns()).runs.map(({ view }) => ({ key: view.key, record: view }));
const tables = paper.tables.map((table) => compareTable(table, records)).map((compared) => ({ ...compared, summary: summarize(compared) }));
process.stdout.write(JSON.stringify({ title: paper.title, cite: paper.cite, audit: paper.audit, tables }));
