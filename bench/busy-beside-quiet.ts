// The tables run twice, on a quiet machine and beside a process that keeps one core busy in bursts:
// which verdicts on times turn, and how many become "cannot tell". Needs a machine with nothing
// else running.
//
//   npx tsx bench/busy-beside-quiet.ts [table…]
import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listRecords, type RunRecord } from "../src/eval/record/record.js";
import { projectRoot } from "../src/pipeline/root.js";
import { writeResult } from "./result.js";

const tables = process.argv.slice(2);

/** Works for up to two seconds, rests for as long: a neighbour that comes and goes. */
const burst = `const spin = () => {
  const end = Date.now() + 2000 * Math.random();
  while (Date.now() < end);
  setTimeout(spin, 2000 * Math.random());
};
spin();`;

async function records(runs: string): Promise<RunRecord[]> {
  const found = await listRecords(runs);
  return found.flatMap((entry) => ("record" in entry ? [entry.record] : []));
}

async function reproduce(folder: string, name: string): Promise<RunRecord[]> {
  const runs = join(folder, name);
  const verb = [join(projectRoot, "bin", "shitu.mjs"), "reproduce", ...tables];
  const { status } = spawnSync(process.execPath, [...verb, "--runs", runs], {
    cwd: projectRoot,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (status !== 0) throw new Error(`reproduce ended with ${status}`);
  return records(runs);
}

/** Verdicts on times by what they are about. Drift and likeness are cautions and no verdicts. */
function verdicts(all: readonly RunRecord[]): Map<string, string> {
  const by = new Map<string, string>();
  for (const { experiment, cells } of all)
    for (const cell of cells) {
      const findings = cell.state === "completed" ? (cell.findings ?? []) : [];
      for (const { about, of, verdict } of findings)
        if (about === "comparison" || about === "noise")
          by.set(JSON.stringify([experiment.name, cell.id, about, of]), verdict);
    }
  return by;
}

const open = (verdict: string): boolean => verdict === "cannot tell" || verdict === "failed";

const folder = await mkdtemp(join(tmpdir(), "busy-quiet-"));
try {
  const quiet = verdicts(await reproduce(folder, "quiet"));
  const neighbour = spawn(process.execPath, ["-e", burst], { stdio: "ignore" });
  let busy: Map<string, string>;
  try {
    busy = verdicts(await reproduce(folder, "busy"));
  } finally {
    neighbour.kill();
  }
  const rows = [...quiet].map(([key, first]) => {
    const second = busy.get(key) ?? "not there";
    const turned = first !== second && !open(first) && !open(second);
    const [experiment, , about, of] = JSON.parse(key) as [string, string, string, object];
    const what = Object.values(of).join(" / ");
    return [experiment, about, what, first, second, turned ? "turned" : ""];
  });
  for (const row of rows) console.log(row.join(" | "));
  const count = (test: (row: string[]) => boolean): number => rows.filter(test).length;
  const head = ["experiment", "about", "of", "quiet", "beside a busy process", ""];
  await writeResult({
    name: "busy-beside-quiet",
    title: "Verdicts on a busy machine",
    subject: "latency",
    findings: [
      `${count((r) => r[5] === "turned")} of ${rows.length} verdicts turned; without a verdict: ` +
        `${count((r) => open(r[3]!))} quiet, ${count((r) => open(r[4]!))} busy.`,
    ],
    tables: [{ columns: head.map((name) => ({ head: name, unit: "text" as const })), rows }],
  });
} finally {
  await rm(folder, { recursive: true, force: true });
}
