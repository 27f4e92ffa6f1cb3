import { diagnosed, nameOf } from "../test/eval/gate/faults/diagnosed.js";
import { faithful, faults, type Exhibit } from "../test/eval/gate/faults/zoo.js";
import { samplePictures } from "../test/eval/gate/faults/pictures.js";

/**
 * Every fault of test/eval/gate/faults put to the diagnosis; prints what was named, as the Markdown
 * that docs/gate-faults.md holds. Arguments: words, one of which a title must hold.
 */
const only = process.argv.slice(2);
const wanted = (e: Exhibit): boolean =>
  only.length === 0 || only.some((word) => e.title.includes(word));
const sample = { crops: await samplePictures(24, 96), scenes: await samplePictures(16, 240) };

let right = 0;
const rows: string[] = [];
const list = [...faults, ...faithful].filter(wanted);
for (const exhibit of list) {
  const start = performance.now();
  const found = await diagnosed(exhibit, sample);
  const named = nameOf(found);
  const ok = named === exhibit.fault;
  if (ok) right++;
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const { title, model, fault } = exhibit;
  const row = [ok ? "yes" : "no", title, model, fault ?? "none", named ?? "none", found.sentence];
  rows.push(`| ${row.join(" | ")} |`);
  process.stderr.write(
    `${ok ? "ok " : "NO "} ${exhibit.title}: ${named}; ${found.sentence} (${seconds} s)\n`,
  );
}
console.log(`${right} of ${list.length} named right.\n`);
console.log("| right | what was done | model | fault | named | the diagnosis says |");
console.log("|---|---|---|---|---|---|");
console.log(rows.join("\n"));
