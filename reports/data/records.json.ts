import { loadRuns, runsView } from "../build/runs.js";

process.stdout.write(JSON.stringify(runsView(await loadRuns())));
