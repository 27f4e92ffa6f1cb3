import { binary, tableFromArrays, tableToIPC, utf8 } from "@uwdata/flechette";
import { thumbnails } from "../build/pictures.js";
import { loadRuns } from "../build/runs.js";
import { shownCases } from "../build/shown-cases.js";

const { runs } = await loadRuns();
const made = await thumbnails(runs, shownCases(runs));
const bytes = tableToIPC(tableFromArrays({ key: made.map((t) => t.key), webp: made.map((t) => t.webp) }, { types: { key: utf8(), webp: binary() } }), { format: "file" });
process.stdout.write(bytes as Uint8Array);
